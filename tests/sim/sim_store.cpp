#include "tests/sim/sim_store.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync::sim {

namespace {

constexpr std::int64_t connect_timeout_ms = 2'000;
constexpr std::int64_t command_timeout_ms = 2'000;
constexpr std::int64_t backoff_min_ms = 50;
constexpr std::int64_t backoff_max_ms = 500;
constexpr std::int64_t refused_pause_ms = 250;
constexpr std::int64_t pulse_interval_ms = 1'000;
constexpr std::size_t commands_max = 10'000;

using Command = RedisCommand::Kind;
using AnswerKind = RedisAnswer::Kind;

Result<> done_of(const RedisAnswer& answer) {
  if (answer.kind == AnswerKind::done) return {};
  if (answer.kind == AnswerKind::conflict) return fail(ErrorCode::conflict, "changed by another");
  return fail(ErrorCode::not_found, "no such key");
}

Result<StoredValue> value_of(RedisAnswer& answer) {
  if (answer.kind == AnswerKind::conflict) return fail(ErrorCode::conflict, "the key was removed");
  if (answer.kind == AnswerKind::missing) return fail(ErrorCode::not_found, "no such key");
  return StoredValue{std::move(answer.bytes), answer.version, std::move(answer.queue)};
}

Result<Uuid> key_of(const RedisAnswer& answer) {
  if (answer.kind == AnswerKind::missing) return fail(ErrorCode::not_found, "no such code");
  return answer.channel;
}

}  // namespace

SimStore::SimStore(SimRedis& redis, std::size_t node, StoreTurns& turns, TimerWheel& timers,
                   Random random) noexcept
    : redis_(redis),
      node_(node),
      turns_(turns),
      timers_(timers),
      random_(random),
      pulse_timer_([](void* self) noexcept { static_cast<SimStore*>(self)->on_pulse(); }, this) {
  random_.fill(pulse_channel_.bytes);
  subscribe(pulse_channel_);
}

SimStore::~SimStore() {
  VS_ASSERT(commands_.connection == nullptr && subscriber_.connection == nullptr);
}

void SimStore::start() noexcept {
  timers_.schedule(pulse_timer_, now_ms() + pulse_interval_ms);
  set_timer(commands_, 0);
  set_timer(subscriber_, 0);
}

// Nobody is told: whoever asked is gone, too.
void SimStore::abandon(bool is_silent) noexcept {
  timers_.cancel(pulse_timer_);
  channels_.on_lost();
  for (Link* link : {&commands_, &subscriber_}) {
    timers_.cancel(link->timer);
    link->state = State::stopped;
    if (link->connection != nullptr) {
      redis_.give_up(*std::exchange(link->connection, nullptr), is_silent);
    }
  }
}

void SimStore::move_to(std::size_t server) noexcept {
  if (std::exchange(server_, server) == server) return;
  for (Link* link : {&commands_, &subscriber_}) {
    link->backoff_ms = 0;
    reconnect(*link, {ErrorCode::unavailable, "another server is to be used", 0}, 0);
  }
}

void SimStore::listen(SessionListener& listener) noexcept {
  VS_ASSERT(listener_ == nullptr);
  listener_ = &listener;
}

// --- Links ---------------------------------------------------------------------------------------

void SimStore::set_timer(Link& link, std::int64_t delay_ms) noexcept {
  timers_.schedule(link.timer, now_ms() + delay_ms);
}

void SimStore::connect(Link& link) noexcept {
  VS_ASSERT(link.connection == nullptr);
  link.state = State::connecting;
  link.connection = &redis_.connect(node_, server_, link);
  set_timer(link, connect_timeout_ms);
}

// On its way into the worker: by the time of the turn the link may have another connection.
void SimStore::Link::on_redis_answer(RedisAnswer answer) noexcept {
  store.turns_.arrive([this, from = connection, answer = std::move(answer)]() mutable noexcept {
    if (connection == from && from != nullptr) store.on_answer(*this, answer);
  });
}

void SimStore::on_answer(Link& link, RedisAnswer& answer) noexcept {
  if (answer.kind == AnswerKind::closed) {
    return give_up(link, {ErrorCode::unavailable, answer.words, 0});
  }
  if (link.state == State::connecting) return on_connected(link);
  if (link.for_commands) {
    VS_ASSERT(!link.pending.empty());
    Pending pending = std::move(link.pending.front());
    link.pending.pop_front();
    return on_reply(std::move(pending), answer);
  }
  if (answer.kind == AnswerKind::message) {
    pulse_heard_ms_ = now_ms();
    const bool is_followed = names_.contains(answer.channel.to_string());
    if (is_followed && listener_ != nullptr)
      listener_->on_session_event(answer.channel, answer.bytes);
  } else if (answer.kind == AnswerKind::subscribed) {
    on_subscribed(answer.channel);
  } else {
    channels_.on_unsubscribed(answer.channel.to_string());
  }
}

void SimStore::on_connected(Link& link) noexcept {
  link.state = State::ready;
  link.backoff_ms = 0;
  timers_.cancel(link.timer);
  if (link.for_commands) return command({.kind = Command::role}, Role{});
  for (const auto& [name, kind] : channels_.on_connected()) {
    const auto found = names_.find(name);
    const Uuid channel = found != names_.end() ? found->second : pulse_channel_;
    redis_.send(*link.connection, {.kind = Command::subscribe, .key = channel});
  }
  pulse_heard_ms_ = now_ms();
}

void SimStore::on_subscribed(const Uuid& channel) noexcept {
  if (!channels_.on_subscribed(channel.to_string())) return;
  pulse_heard_ms_ = now_ms();
  if (const auto found = followers_.find(channel); found != followers_.end()) {
    std::vector<OnDone> followers = std::move(found->second);
    followers_.erase(found);
    answer_followers(std::move(followers), {});
  }
  become_ready_if_so();
}

void SimStore::become_ready_if_so() noexcept {
  const bool is_so = is_master_ && commands_.state == State::ready &&
                     subscriber_.state == State::ready && channels_.unconfirmed() == 0;
  if (!is_so || is_ready_) return;
  is_ready_ = true;
  pulse_heard_ms_ = now_ms();
  if (listener_ != nullptr) listener_->on_store_ready();
}

void SimStore::give_up(Link& link, const Error& why) noexcept {
  if (!link.for_commands) channels_.on_lost();
  if (link.connection != nullptr) redis_.give_up(*std::exchange(link.connection, nullptr));
  link.state = State::resting;
  link.backoff_ms = std::clamp(link.backoff_ms * 2, backoff_min_ms, backoff_max_ms);
  set_timer(link, link.backoff_ms / 2 + random_.between(0, link.backoff_ms));
  // A callback may ask again: that is answered at once, for the link is not ready.
  RedisAnswer none{.kind = AnswerKind::closed, .words = why.message.c_str()};
  none.number = why.code == ErrorCode::timed_out ? 1 : 0;
  for (Pending& each : std::exchange(link.pending, {}))
    on_reply(std::move(each), none);
  on_lost(link, why);
}

void SimStore::on_lost(Link& link, const Error& why) noexcept {
  is_ready_ = false;
  if (link.for_commands) is_master_ = false;
  if (listener_ != nullptr) listener_->on_store_lost(why);
  if (link.for_commands) return;
  for (auto& [channel, followers] : std::exchange(followers_, {}))
    answer_followers(std::move(followers), std::unexpected(why));
}

void SimStore::reconnect(Link& link, const Error& why, std::int64_t pause_ms) noexcept {
  if (link.state == State::stopped) return;
  if (link.state != State::resting) give_up(link, why);
  set_timer(link, pause_ms);
}

void SimStore::Link::on_timer() noexcept {
  if (state == State::resting) return store.connect(*this);
  if (state == State::connecting) {
    return store.give_up(*this, {ErrorCode::timed_out, "no answer while connecting", 0});
  }
  if (pending.empty()) return;
  const std::int64_t due_ms = pending.front().since_ms + command_timeout_ms;
  if (store.now_ms() < due_ms) {
    store.timers_.schedule(timer, due_ms);
  } else {
    store.give_up(*this, {ErrorCode::timed_out, "a command was not answered in time", 0});
  }
}

void SimStore::on_pulse() noexcept {
  timers_.schedule(pulse_timer_, now_ms() + pulse_interval_ms);
  become_ready_if_so();  // the channel that was waited for may have been left
  const std::int64_t silence_max_ms = pulse_interval_ms + command_timeout_ms;
  const bool are_ready = subscriber_.state == State::ready && commands_.state == State::ready;
  if (are_ready && is_master_ && now_ms() - pulse_heard_ms_ > silence_max_ms) {
    reconnect(subscriber_, {ErrorCode::timed_out, "subscriptions bring nothing", 0}, 0);
  }
  if (is_master_ && commands_.state == State::ready) {
    command({.kind = Command::publish, .key = pulse_channel_, .event = BufferRef::copy_of("")},
            Pulse{});
  }
}

// --- Commands ------------------------------------------------------------------------------------

void SimStore::command(RedisCommand command, OnReply done) {
  if (command.event) turns_.on_said(command.key, command.event);
  Pending pending{std::move(done), now_ms(), now_ms()};
  if (commands_.state != State::ready) {
    RedisAnswer none{.kind = AnswerKind::closed, .words = "not connected to Redis"};
    return on_reply(std::move(pending), none);
  }
  if (commands_.pending.size() >= commands_max) {
    RedisAnswer none{.kind = AnswerKind::closed, .words = "too many commands wait for Redis"};
    return on_reply(std::move(pending), none);
  }
  commands_.pending.push_back(std::move(pending));
  if (!commands_.timer.is_armed()) set_timer(commands_, command_timeout_ms);
  redis_.send(*commands_.connection, std::move(command));
}

void SimStore::on_reply(Pending pending, RedisAnswer& answer) noexcept {
  const bool is_none = answer.kind == AnswerKind::closed;
  const bool is_refused = answer.kind == AnswerKind::refused || answer.kind == AnswerKind::unusable;
  if (!is_none && listener_ != nullptr) {
    listener_->on_store_round_trip((now_ms() - pending.asked_ms) * 1'000);
  }
  const auto code = is_none && answer.number == 1 ? ErrorCode::timed_out : ErrorCode::unavailable;
  const Error why{code, answer.words, 0};
  const bool is_failure = is_none || is_refused;
  if (std::holds_alternative<Role>(pending.done)) {
    is_master_ = !is_failure;
    become_ready_if_so();
  } else if (auto* done = std::get_if<OnDone>(&pending.done)) {
    (*done)(is_failure ? Result<>(std::unexpected(why)) : done_of(answer));
  } else if (auto* value = std::get_if<OnValue>(&pending.done)) {
    (*value)(is_failure ? Result<StoredValue>(std::unexpected(why)) : value_of(answer));
  } else if (auto* exists = std::get_if<OnExists>(&pending.done)) {
    (*exists)(is_failure ? Result<bool>(std::unexpected(why)) : answer.number == 1);
  } else if (auto* key = std::get_if<OnKey>(&pending.done)) {
    (*key)(is_failure ? Result<Uuid>(std::unexpected(why)) : key_of(answer));
  } else if (auto* receivers = std::get_if<OnReceivers>(&pending.done)) {
    (*receivers)(is_failure ? Result<std::uint32_t>(std::unexpected(why)) : answer.number);
  }
  if (answer.kind == AnswerKind::unusable && commands_.state == State::ready) {
    reconnect(commands_, why, refused_pause_ms);
  }
}

void SimStore::create(const SessionName& name, StoreVersion version, BufferRef bytes,
                      std::int64_t ttl_us, OnDone done) {
  command({.kind = Command::create,
           .key = name.key,
           .code = name.code,
           .next = version,
           .bytes = std::move(bytes),
           .ttl_us = ttl_us},
          std::move(done));
}

void SimStore::load(const Uuid& key, OnValue done) {
  command({.kind = Command::load, .key = key}, std::move(done));
}

void SimStore::exists(const Uuid& key, OnExists done) {
  command({.kind = Command::exists, .key = key}, std::move(done));
}

void SimStore::find(ShortCode code, OnKey done) {
  command({.kind = Command::find, .code = code}, std::move(done));
}

void SimStore::change(const SessionName& name, StoreVersion expected, StoreVersion next,
                      SessionBytes bytes, std::int64_t ttl_us, BufferRef event, OnDone done) {
  VS_ASSERT(bytes.bytes && ttl_us > 0 && next > expected);
  command({.kind = Command::change,
           .key = name.key,
           .code = name.code,
           .expected = expected,
           .next = next,
           .bytes = std::move(bytes.bytes),
           .queue = std::move(bytes.queue),
           .event = std::move(event),
           .ttl_us = ttl_us},
          std::move(done));
}

void SimStore::touch(const SessionName& name, std::int64_t ttl_us, OnDone done) {
  command({.kind = Command::touch, .key = name.key, .code = name.code, .ttl_us = ttl_us},
          std::move(done));
}

void SimStore::remove(const SessionName& name, StoreVersion version, BufferRef event, OnDone done) {
  command({.kind = Command::remove,
           .key = name.key,
           .code = name.code,
           .expected = version,
           .event = std::move(event)},
          std::move(done));
}

void SimStore::publish(const Channel& channel, BufferRef event, OnReceivers done) {
  VS_ASSERT(event);
  command({.kind = Command::publish,
           .key = channel.id,
           .event = std::move(event),
           .is_for_all = channel.reach != Channel::Reach::part},
          std::move(done));
}

// --- Channels ------------------------------------------------------------------------------------

void SimStore::subscribe(const Uuid& channel) noexcept {
  if (!channels_.want(channel.to_string())) return;
  redis_.send(*subscriber_.connection, {.kind = Command::subscribe, .key = channel});
}

void SimStore::follow(const Channel& channel, OnDone done) {
  const Uuid& id = channel.id;
  std::string name = id.to_string();
  subscribe(id);
  const bool is_confirmed = channels_.is_confirmed(name);
  names_.emplace(std::move(name), id);
  if (is_confirmed) {
    done({});
  } else if (subscriber_.state != State::ready) {
    done(fail(ErrorCode::unavailable, "not connected to Redis"));
  } else {
    followers_[id].push_back(std::move(done));
  }
}

void SimStore::unfollow(const Channel& channel) {
  const Uuid& id = channel.id;
  const std::string name = id.to_string();
  names_.erase(name);
  if (channels_.unwant(name)) {
    redis_.send(*subscriber_.connection, {.kind = Command::unsubscribe, .key = id});
  }
  auto waiting = followers_.extract(id);
  if (waiting.empty()) return;
  answer_followers(std::move(waiting.mapped()),
                   fail(ErrorCode::unavailable, "the channel was left again"));
}

void SimStore::answer_followers(std::vector<OnDone> followers, const Result<>& result) noexcept {
  for (OnDone& done : followers)
    done(result);
}

}  // namespace videosync::sim
