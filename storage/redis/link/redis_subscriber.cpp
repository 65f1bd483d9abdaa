#include "storage/redis/link/redis_subscriber.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/reactor/reactor.h"

namespace videosync {

namespace {

// The server is well, but has not the slot of that channel.
bool says_elsewhere(std::string_view error) noexcept {
  constexpr std::array<std::string_view, 3> kinds{"MOVED ", "ASK ", "CLUSTERDOWN "};
  return std::ranges::any_of(kinds, [&](std::string_view kind) { return error.starts_with(kind); });
}

}  // namespace

RedisSubscriber::RedisSubscriber(Reactor& reactor, RedisSubscriberOwner& owner,
                                 RedisAddress address, const Options& options)
    : reactor_(reactor),
      owner_(owner),
      address_(std::move(address)),
      options_(options),
      backoff_(options.backoff_min_ms, options.backoff_max_ms),
      timer_([](void* self) noexcept { static_cast<RedisSubscriber*>(self)->on_timer(); }, this),
      wire_(reactor.ring(), *this, options.tls, options.message_bytes_max) {}
RedisSubscriber::~RedisSubscriber() = default;

void RedisSubscriber::start() noexcept {
  VS_ASSERT(state_ == State::resting && !timer_.is_armed());
  set_timer(0);
}

void RedisSubscriber::stop() noexcept {
  state_ = State::stopped;
  reactor_.timers().cancel(timer_);
  give_up({ErrorCode::unavailable, "the subscriber was stopped", 0});
}

void RedisSubscriber::set_address(RedisAddress address) noexcept {
  address_ = std::move(address);
}

void RedisSubscriber::move_to(RedisAddress address) noexcept {
  set_address(std::move(address));
  backoff_.reset();
  reconnect({ErrorCode::unavailable, "another server is to be used", 0}, 0);
}

void RedisSubscriber::reconnect(const Error& why, std::int64_t pause_ms) noexcept {
  if (state_ == State::stopped) return;
  if (state_ != State::resting) give_up(why);
  // The owner may have stopped it when it heard of that.
  if (state_ == State::resting) set_timer(pause_ms);
}

// --- The connection ------------------------------------------------------------------------------

void RedisSubscriber::set_timer(std::int64_t delay_ms) noexcept {
  reactor_.timers().schedule(timer_, reactor_.now_ms() + delay_ms);
}

void RedisSubscriber::on_timer() noexcept {
  VS_ASSERT(state_ != State::ready && state_ != State::stopped);
  if (state_ != State::resting) {
    return give_up({ErrorCode::timed_out, std::string(wire_.delay()), 0});
  }
  state_ = State::connecting;
  set_timer(options_.connect_timeout_ms);
  wire_.open(address_);
}

void RedisSubscriber::on_wire_open() noexcept {
  VS_ASSERT(state_ == State::connecting && awaited_.empty());
  state_ = State::greeting;
  if (!address_.password.empty() && !address_.user.empty()) {
    send(std::array<std::string_view, 3>{"AUTH", address_.user, address_.password}, {Step::greet});
  } else if (!address_.password.empty()) {
    send(std::array<std::string_view, 2>{"AUTH", address_.password}, {Step::greet});
  }
  // Redis may be up and unwilling: loading its data, or wanting a password that we do not have.
  send(std::array<std::string_view, 1>{"PING"}, {Step::greet});
}

void RedisSubscriber::become_ready() noexcept {
  VS_ASSERT(state_ == State::greeting && awaited_.empty());
  state_ = State::ready;
  backoff_.reset();
  reactor_.timers().cancel(timer_);
  for (const auto& [channel, kind] : channels_.on_connected())
    send_subscribe(channel, kind);
  owner_.on_redis_ready();
}

void RedisSubscriber::give_up(const Error& why) noexcept {
  VS_ASSERT(state_ != State::resting);
  log_debug("redis", "a connection is given up", field("server", to_string(address_)),
            field("why", why.message));
  channels_.on_lost();
  awaited_.clear();
  wire_.close();
  if (state_ == State::stopped) return;
  state_ = State::resting;
  set_timer(backoff_.next_ms());
  owner_.on_redis_lost(why);
}

// --- Commands ------------------------------------------------------------------------------------

void RedisSubscriber::subscribe(const std::string& channel, Kind kind) {
  if (channels_.want(channel, kind)) send_subscribe(channel, kind);
}

void RedisSubscriber::unsubscribe(const std::string& channel) {
  if (const auto kind = channels_.unwant(channel)) send_unsubscribe(channel, *kind);
}

bool RedisSubscriber::is_subscribed(std::string_view channel) const noexcept {
  return channels_.is_confirmed(channel);
}
bool RedisSubscriber::is_subscribed() const noexcept {
  return is_ready() && channels_.unconfirmed() == 0;
}

void RedisSubscriber::send(std::span<const std::string_view> words, Awaited next) noexcept {
  awaited_.push_back(std::move(next));
  wire_.say(words);
}

// One command a channel: those of several slots would be refused together (CROSSSLOT), and each
// answer, an error too, is about one channel.
void RedisSubscriber::send_subscribe(std::string_view channel, Kind kind) noexcept {
  const std::string_view verb = kind == Kind::plain ? "SUBSCRIBE" : "SSUBSCRIBE";
  send(std::array<std::string_view, 2>{verb, channel},
       {Step::subscribe, kind, std::string(channel)});
}

// A server that gives a slot away leaves its channels with the very words of an answer, and refuses
// an SUNSUBSCRIBE that comes behind that. So whether that word is our answer, and whether an error
// is about this command or the next, only what is asked behind it can tell.
void RedisSubscriber::send_unsubscribe(std::string_view channel, Kind kind) noexcept {
  const std::string_view verb = kind == Kind::plain ? "UNSUBSCRIBE" : "SUNSUBSCRIBE";
  send(std::array<std::string_view, 2>{verb, channel},
       {Step::unsubscribe, kind, std::string(channel)});
  if (kind == Kind::sharded) wire_.say(std::array<std::string_view, 1>{"PING"});
}

// --- Answers -------------------------------------------------------------------------------------

void RedisSubscriber::on_wire_reply(const RedisReply& reply) noexcept {
  if (reply.kind() == RedisReply::Kind::error) return on_error(reply.text());
  if (awaits(Step::greet, Kind::plain)) {
    awaited_.pop_front();
    if (awaited_.empty()) become_ready();
    return;
  }
  // PONG is an array as long as there are channels.
  const bool is_pong = reply.kind() == RedisReply::Kind::status || reply.size() == 2;
  if (is_pong) return on_pong();
  if (reply.size() == 3) return on_push(reply);
  on_unasked();
}

void RedisSubscriber::on_error(std::string_view text) noexcept {
  if (says_elsewhere(text)) {
    if (awaits(Step::unsubscribe, Kind::sharded)) return;  // it is gone; PONG is to come
    if (awaits(Step::subscribe, Kind::sharded)) {
      const std::string channel = std::move(awaited_.front().channel);
      awaited_.pop_front();
      if (channels_.on_refused(channel)) owner_.on_redis_moved(channel);
      return;
    }
  }
  give_up({ErrorCode::unavailable, std::string(text), 0});
}

void RedisSubscriber::on_unasked() noexcept {
  give_up({ErrorCode::unavailable, "Redis has answered what was not asked", 0});
}

void RedisSubscriber::on_pong() noexcept {
  if (!awaits(Step::unsubscribe, Kind::sharded)) return on_unasked();
  channels_.on_unsubscribed(awaited_.front().channel);
  awaited_.pop_front();
}

bool RedisSubscriber::awaits(Step step, Kind kind) const noexcept {
  return !awaited_.empty() && awaited_.front().step == step && awaited_.front().kind == kind;
}

// Whether that is what comes next; else the connection is given up.
bool RedisSubscriber::take_awaited(Step step, Kind kind, std::string_view channel) noexcept {
  const bool is_next = awaits(step, kind) && awaited_.front().channel == channel;
  if (is_next) {
    awaited_.pop_front();
  } else {
    on_unasked();
  }
  return is_next;
}

void RedisSubscriber::on_push(const RedisReply& push) noexcept {
  const std::string_view event = push[0].text();
  const std::string_view channel = push[1].text();
  if (event == "message" || event == "smessage") {
    owner_.on_redis_message(channel, push[2].text());
  } else if (event == "subscribe" || event == "ssubscribe") {
    const Kind kind = event == "subscribe" ? Kind::plain : Kind::sharded;
    if (!take_awaited(Step::subscribe, kind, channel)) return;
    if (channels_.on_subscribed(channel)) owner_.on_redis_subscribed(channel);
  } else if (event == "unsubscribe") {
    if (take_awaited(Step::unsubscribe, Kind::plain, channel)) channels_.on_unsubscribed(channel);
  } else if (event == "sunsubscribe") {
    // Of a channel that is being left here this may be the answer, which PONG tells for certain.
    if (channels_.on_dropped(channel)) owner_.on_redis_moved(channel);
  } else {
    on_unasked();
  }
}

}  // namespace videosync
