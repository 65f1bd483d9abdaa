#include "storage/redis/link/redis_pair.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/base/uuid.h"
#include "core/reactor/reactor.h"

namespace videosync {

namespace {

// Whether an error of Redis is of that kind. Before Redis 7 an error within a script is wrapped:
// "ERR Error running script ...: -READONLY You can't write ...".
bool is_error_of(std::string_view text, std::string_view kind) noexcept {
  if (text.starts_with(kind)) return true;
  const std::size_t wrapped = text.find(kind);
  return wrapped != text.npos && wrapped > 0 && text[wrapped - 1] == '-';
}

// The server is there and cannot be used.
bool says_unusable(std::string_view text) noexcept {
  constexpr std::array<std::string_view, 4> kinds{"READONLY ", "LOADING ", "MASTERDOWN ",
                                                  "CLUSTERDOWN "};
  return std::any_of(kinds.begin(), kinds.end(),
                     [&](std::string_view kind) { return is_error_of(text, kind); });
}

constexpr std::string_view cluster_words =
    "it is a server of a Redis Cluster, to be named by redis+cluster://";

bool says_redirected(std::string_view text) noexcept {
  return is_error_of(text, "MOVED ") || is_error_of(text, "ASK ") ||
         is_error_of(text, "CROSSSLOT ");
}

RedisSubscriber::Options subscriber_options(const RedisLink::Options& options) noexcept {
  return {.connect_timeout_ms = options.connect_timeout_ms,
          .backoff_min_ms = options.backoff_min_ms,
          .backoff_max_ms = options.backoff_max_ms,
          .tls = options.tls};
}

}  // namespace

RedisPair::RedisPair(Reactor& reactor, RedisPairOwner& owner, RedisLocation location,
                     const RedisLink::Options& options, Place place)
    : reactor_(reactor),
      owner_(owner),
      options_(options),
      place_(place),
      address_(location.server),
      pulse_channel_("videosync:{" + Uuid::random_v4().to_string() + "}:pulse"),
      commands_(reactor, command_side_, address_, options),
      subscriber_(reactor, subscriber_side_, address_, subscriber_options(options)),
      timer_([](void* self) noexcept { static_cast<RedisPair*>(self)->on_timer(); }, this) {
  subscriber_.subscribe(pulse_channel_);
  if (location.has_sentinels()) sentinels_ = asker_of(std::move(location));
}
RedisPair::~RedisPair() = default;

std::int64_t RedisPair::now_ms() const noexcept {
  return reactor_.now_ms();
}

void RedisPair::start() noexcept {
  reactor_.timers().schedule(timer_, now_ms() + pulse_interval_ms);
  if (sentinels_) {
    sentinels_->start();
  } else {
    connect();
  }
}

void RedisPair::stop() noexcept {
  is_stopped_ = true;
  counters_.is_up = false;
  reactor_.timers().cancel(timer_);
  if (sentinels_) sentinels_->stop();
  commands_.stop();
  subscriber_.stop();
  for (auto& [channel, followers] : std::exchange(followers_, {})) {
    answer_followers(std::move(followers), fail(ErrorCode::unavailable, "the store was stopped"));
  }
}

bool RedisPair::is_idle() const noexcept {
  return commands_.is_idle() && subscriber_.is_idle() && (!sentinels_ || sentinels_->is_idle());
}

void RedisPair::connect() noexcept {
  is_connecting_ = true;
  commands_.start();
  subscriber_.start();
}

// --- Sentinels -----------------------------------------------------------------------------------

// Asks once a second, so a failover is noticed at the latest a second after the Sentinel that is
// asked has agreed to it.
std::unique_ptr<RedisAsker> RedisPair::asker_of(RedisLocation location) {
  RedisAsker::Question question{
      {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", location.master_name}, 1'000, 1'000};
  return std::make_unique<RedisAsker>(
      reactor_, std::move(location.sentinels), std::move(question), options_.tls,
      [this, name = std::move(location.master_name)](const RedisReply& reply,
                                                     const RedisAddress&) noexcept {
        return on_sentinel(reply, name);
      },
      [this](const Error& why) noexcept {
        if (!is_ready()) become_lost({why.code, "Sentinel " + why.message, 0});
      });
}

// [host, port], or null where it knows no master of that name.
Result<std::vector<RedisAddress>> RedisPair::on_sentinel(const RedisReply& reply,
                                                         const std::string& name) noexcept {
  if (reply.kind() == RedisReply::Kind::error) {
    return fail(ErrorCode::unavailable, std::string(reply.text()));
  }
  RedisAddress master = address_;
  const auto port =
      reply.size() == 2 ? parse_decimal<std::uint16_t>(reply[1].text()) : std::nullopt;
  if (port) master.host = reply[0].text();
  if (!port || *port == 0 || master.host.empty()) {
    return fail(ErrorCode::unavailable, "the Sentinel knows no master of the name " + name);
  }
  master.port = *port;
  use(master);
  return {};
}

void RedisPair::use(const RedisAddress& master) noexcept {
  if (is_stopped_ || (is_connecting_ && master == address_)) return;
  address_ = master;
  if (is_connecting_) {
    commands_.move_to(master);
    subscriber_.move_to(master);
  } else {
    commands_.set_address(master);
    subscriber_.set_address(master);
    connect();
  }
}

// --- Readiness -----------------------------------------------------------------------------------

void RedisPair::on_commands_ready() noexcept {
  owner_.on_pair_connected();
  if (place_ == Place::alone) {
    commands_.command(std::array<std::string_view, 1>{"HELLO"},
                      [this](Result<RedisReply> reply) noexcept { on_hello(reply); });
  }
  commands_.command(std::array<std::string_view, 1>{"ROLE"},
                    [this](Result<RedisReply> reply) noexcept { on_role(reply); });
}

// Everybody may ask that; before Redis 6 nobody is answered.
void RedisPair::on_hello(const Result<RedisReply>& reply) noexcept {
  if (!reply) return;
  for (std::size_t i = 0; i + 1 < reply->size(); i += 2) {
    const bool is_cluster = (*reply)[i].text() == "mode" && (*reply)[i + 1].text() == "cluster";
    if (!is_cluster) continue;
    commands_.reconnect({ErrorCode::unavailable, std::string(cluster_words), 0}, refused_pause_ms);
    return;
  }
}

void RedisPair::on_role(const Result<RedisReply>& reply) noexcept {
  if (!reply) return;
  const bool is_replica = reply->size() > 0 && (*reply)[0].text() != "master";
  if (is_replica) {
    commands_.reconnect({ErrorCode::unavailable, "READONLY the server is a replica", 0},
                        refused_pause_ms);
    return;
  }
  is_master_ = true;  // also where the user may not ask: the first write will tell
  become_ready_if_so();
}

void RedisPair::become_ready_if_so() noexcept {
  const bool is_so = is_master_ && commands_.is_ready() && subscriber_.is_subscribed();
  if (!is_so || is_ready()) return;
  counters_.is_up = true;
  if (std::exchange(was_ready_, true)) ++counters_.reconnects;
  pulse_heard_ms_ = now_ms();
  if (sentinels_) sentinels_->set_content(true);
  owner_.on_pair_ready();
}

void RedisPair::become_lost(const Error& why) noexcept {
  if (is_stopped_) return;
  counters_.is_up = false;
  last_failure_ = why.message;
  if (sentinels_) {
    sentinels_->set_content(false);
    sentinels_->ask();
  }
  owner_.on_pair_lost(why);
}

void RedisPair::on_commands_lost(const Error& why) noexcept {
  is_master_ = false;
  become_lost(why);
}

void RedisPair::on_subscriber_lost(const Error& why) noexcept {
  become_lost(why);
  for (auto& [channel, followers] : std::exchange(followers_, {})) {
    answer_followers(std::move(followers), std::unexpected(why));
  }
}

// --- Commands ------------------------------------------------------------------------------------

void RedisPair::command(std::span<const std::string_view> arguments, OnReply done) {
  const std::int64_t asked_us = reactor_.clock().monotonic_us();
  commands_.command(arguments, [this, asked_us,
                                done = std::move(done)](Result<RedisReply> reply) mutable noexcept {
    count(reply, asked_us);
    if (!reply || reply->kind() != RedisReply::Kind::error) {
      done(std::move(reply));
      return;
    }
    Error why{ErrorCode::unavailable, std::string(reply->text()), 0};
    const bool is_of_cluster = place_ == Place::alone && says_redirected(why.message);
    if (is_of_cluster) why.message += ": " + std::string(cluster_words);
    done(std::unexpected(why));
    if ((is_of_cluster || says_unusable(why.message)) && commands_.is_ready()) {
      commands_.reconnect(why, refused_pause_ms);
    }
  });
}

void RedisPair::count(const Result<RedisReply>& reply, std::int64_t asked_us) noexcept {
  ++counters_.commands;
  if (!reply) {
    ++counters_.errors;
    if (reply.error().code == ErrorCode::timed_out) ++counters_.timeouts;
    return;
  }
  if (reply->kind() == RedisReply::Kind::error) ++counters_.errors;
  const std::int64_t took_us =
      std::max<std::int64_t>(1, reactor_.clock().monotonic_us() - asked_us);
  counters_.round_trip_us = took_us;
  owner_.on_pair_round_trip(took_us);
  const bool is_first = counters_.round_trip_least_us == 0;
  counters_.round_trip_least_us =
      is_first ? took_us : std::min(counters_.round_trip_least_us, took_us);
}

// --- Channels ------------------------------------------------------------------------------------

void RedisPair::follow(const std::string& channel, OnDone done, RedisChannelKind kind) {
  subscriber_.subscribe(channel, kind);
  if (subscriber_.is_subscribed(channel)) {
    done({});
  } else if (!subscriber_.is_ready()) {
    done(fail(ErrorCode::unavailable, "not connected to Redis"));
  } else {
    followers_[channel].push_back(std::move(done));
  }
}

void RedisPair::unfollow(const std::string& channel) {
  subscriber_.unsubscribe(channel);
  answer_followers(take_followers(channel),
                   fail(ErrorCode::unavailable, "the channel was left again"));
}

void RedisPair::on_subscribed(std::string_view channel) noexcept {
  pulse_heard_ms_ = now_ms();  // it gets on
  answer_followers(take_followers(channel), {});
  become_ready_if_so();
}

void RedisPair::on_moved(std::string_view channel) noexcept {
  pulse_heard_ms_ = now_ms();
  answer_followers(take_followers(channel),
                   fail(ErrorCode::unavailable, "the channel's slot is at another server"));
  owner_.on_pair_moved(channel);
}

std::vector<RedisPair::OnDone> RedisPair::take_followers(std::string_view channel) noexcept {
  const auto found = followers_.find(channel);
  if (found == followers_.end()) return {};
  std::vector<OnDone> followers = std::move(found->second);
  followers_.erase(found);
  return followers;
}

void RedisPair::answer_followers(std::vector<OnDone> followers, const Result<>& result) noexcept {
  for (OnDone& done : followers)
    done(result);
}

void RedisPair::on_message(std::string_view channel, std::string_view payload) noexcept {
  pulse_heard_ms_ = now_ms();
  if (channel == pulse_channel_) return;
  ++counters_.messages;
  owner_.on_pair_message(channel, payload);
}

// --- The pulse -----------------------------------------------------------------------------------

void RedisPair::on_timer() noexcept {
  reactor_.timers().schedule(timer_, now_ms() + pulse_interval_ms);
  become_ready_if_so();  // the channel that was waited for may have been left
  const std::int64_t silence_max_ms = pulse_interval_ms + options_.command_timeout_ms;
  if (subscriber_.is_ready() && commands_.is_ready() && is_master_ &&
      now_ms() - pulse_heard_ms_ > silence_max_ms) {
    subscriber_.reconnect({ErrorCode::timed_out, "subscriptions bring nothing", 0}, 0);
  }
  if (is_master_ && commands_.is_ready()) pulse();
}

// The number of those who heard it is not judged: a subscription may be on its way.
void RedisPair::pulse() noexcept {
  command(std::array<std::string_view, 3>{"PUBLISH", pulse_channel_, ""},
          [this](Result<RedisReply> reply) noexcept {
            // Not allowed to publish: then silence means nothing.
            if (!reply && reply.error().message.starts_with("NOPERM")) pulse_heard_ms_ = now_ms();
          });
}

}  // namespace videosync
