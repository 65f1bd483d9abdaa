#include "storage/redis/redis_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/reactor/reactor.h"
#include "storage/key_slots.h"
#include "storage/redis/cluster/redis_cluster.h"
#include "storage/redis/redis_scripts.h"
#include "storage/redis/redis_single.h"

namespace videosync {

namespace {

// In the order of RedisStore::Operation.
constexpr std::array<std::string_view, 4> script_texts{redis_scripts::create, redis_scripts::change,
                                                       redis_scripts::touch, redis_scripts::remove};

constexpr std::string_view name_begin = "videosync:{";
constexpr std::string_view session_end = "}:session";
constexpr std::string_view code_end = "}:code";

std::string key_name(const Uuid& key) {
  return "videosync:{" + key.to_string() + "}:session";
}

using CodeName = std::array<char, name_begin.size() + ShortCode::digits + code_end.size()>;
CodeName code_name(ShortCode code) noexcept {
  CodeName name;
  char* end = std::ranges::copy(name_begin, name.data()).out;
  end = std::ranges::copy(code.to_digits(), end).out;
  end = std::ranges::copy(code_end, end).out;
  VS_ASSERT(end == name.data() + name.size());
  return name;
}
std::string_view text_of(const CodeName& name) noexcept {
  return {name.data(), name.size()};
}

Result<Uuid> session_of(const RedisReply& reply) {
  if (reply.size() != 1 || reply[0].kind() != RedisReply::Kind::text) {
    return fail(ErrorCode::not_found, "no such code");
  }
  std::string_view name = reply[0].text();
  const bool is_name = name.starts_with(name_begin) && name.ends_with(session_end) &&
                       name.size() > name_begin.size() + session_end.size();
  if (is_name) {
    name.remove_prefix(name_begin.size());
    name.remove_suffix(session_end.size());
  }
  const auto key = Uuid::parse_v4(name);
  if (!key) return fail(ErrorCode::corrupt, "a stored code is of no session");
  return *key;
}

std::string channel_name(const Uuid& channel) {
  return "videosync:{" + channel.to_string() + "}:events";
}

std::string_view text_of(const BufferRef& buffer) noexcept {
  const auto bytes = buffer.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<StoredValue> value_of(const RedisReply& reply) {
  constexpr std::size_t fields = 5;
  const bool is_removed = reply.size() == fields && reply[3].kind() == RedisReply::Kind::text;
  if (is_removed) return fail(ErrorCode::conflict, "the key was removed");
  if (reply.size() != fields || reply[2].kind() != RedisReply::Kind::text) {
    return fail(ErrorCode::not_found, "no such key");
  }
  const auto fence = parse_decimal<std::uint64_t>(reply[0].text());
  const auto revision = parse_decimal<std::uint64_t>(reply[1].text());
  if (!fence || !revision) return fail(ErrorCode::corrupt, "a stored session has no version");
  const bool has_queue = reply[4].kind() == RedisReply::Kind::text;
  return StoredValue{BufferRef::copy_of(reply[2].text()),
                     {*fence, *revision},
                     has_queue ? BufferRef::copy_of(reply[4].text()) : BufferRef()};
}

std::unique_ptr<RedisServers> make_servers(Reactor& reactor, RedisServersOwner& owner,
                                           RedisLocation location,
                                           const RedisLink::Options& options) {
  if (location.is_cluster()) {
    return std::make_unique<RedisCluster>(reactor, owner, std::move(location), options);
  }
  return std::make_unique<RedisSingle>(reactor, owner, std::move(location), options);
}

// In ms, rounded up. Redis takes no integer with zeros in front.
std::string life_text(std::int64_t ttl_us) {
  return std::to_string((ttl_us + 999) / 1'000);
}

}  // namespace

// Keeps what is sent, because it may have to be sent again.
struct RedisStore::Call {
  Operation operation;
  std::string key;
  ShortCode code;
  std::string channel;
  StoreVersion expected;
  StoreVersion next;
  std::int64_t ttl_us;
  BufferRef bytes;
  BufferRef queue;
  BufferRef event;
  OnDone done;
  std::uint16_t slot = slot_of_name(key);
  std::uint64_t number = 0;
  bool has_code = false;  // in a cluster: of `create`, it has been taken
};

RedisStore::RedisStore(Reactor& reactor, RedisLocation location, const RedisLink::Options& options,
                       StoreClock* clock)
    : reactor_(reactor),
      servers_(make_servers(reactor, *this, std::move(location), options)),
      keep_timer_([](void* self) noexcept { static_cast<RedisStore*>(self)->keep_codes(); }, this) {
  if (clock != nullptr) clock_.reset(new RedisClock(reactor, *servers_, *clock, *this));
}
RedisStore::~RedisStore() = default;

void RedisStore::start() noexcept {
  servers_->start();
}

void RedisStore::stop() noexcept {
  if (clock_) clock_->stop();
  reactor_.timers().cancel(keep_timer_);
  servers_->stop();
}

void RedisStore::listen(SessionListener& listener) noexcept {
  VS_ASSERT(listener_ == nullptr);
  listener_ = &listener;
}

// --- Operations ----------------------------------------------------------------------------------

void RedisStore::create(const SessionName& name, StoreVersion version, BufferRef bytes,
                        std::int64_t ttl_us, OnDone done) {
  VS_ASSERT(bytes && ttl_us > 0);
  run(std::unique_ptr<Call>(new Call{Operation::create,
                                     key_name(name.key),
                                     name.code,
                                     {},
                                     {},
                                     version,
                                     ttl_us,
                                     std::move(bytes),
                                     {},
                                     {},
                                     std::move(done)}));
}

void RedisStore::change(const SessionName& name, StoreVersion expected, StoreVersion next,
                        SessionBytes bytes, std::int64_t ttl_us, BufferRef event, OnDone done) {
  VS_ASSERT(bytes.bytes && ttl_us > 0 && next > expected);
  run(std::unique_ptr<Call>(new Call{
      Operation::change, key_name(name.key), name.code, channel_name(name.key), expected, next,
      ttl_us, std::move(bytes.bytes), std::move(bytes.queue), std::move(event), std::move(done)}));
}

void RedisStore::touch(const SessionName& name, std::int64_t ttl_us, OnDone done) {
  VS_ASSERT(ttl_us > 0);
  run(std::unique_ptr<Call>(new Call{Operation::touch,
                                     key_name(name.key),
                                     name.code,
                                     {},
                                     {},
                                     {},
                                     ttl_us,
                                     {},
                                     {},
                                     {},
                                     std::move(done)}));
}

void RedisStore::remove(const SessionName& name, StoreVersion version, BufferRef event,
                        OnDone done) {
  run(std::unique_ptr<Call>(new Call{Operation::remove,
                                     key_name(name.key),
                                     name.code,
                                     channel_name(name.key),
                                     version,
                                     {},
                                     tombstone_us,
                                     {},
                                     {},
                                     std::move(event),
                                     std::move(done)}));
}

void RedisStore::load(const Uuid& key, OnValue done) {
  const std::string name = key_name(key);
  servers_->command(name,
                    std::array<std::string_view, 7>{"HMGET", name, "fence", "revision", "bytes",
                                                    "removed", "queue"},
                    [done = std::move(done)](Result<RedisReply> reply) mutable noexcept {
                      if (reply) {
                        done(value_of(*reply));
                      } else {
                        done(std::unexpected(std::move(reply.error())));
                      }
                    });
}

void RedisStore::exists(const Uuid& key, OnExists done) {
  const std::string name = key_name(key);
  servers_->command(name, std::array<std::string_view, 3>{"HEXISTS", name, "bytes"},
                    [done = std::move(done)](Result<RedisReply> reply) mutable noexcept {
                      if (reply) {
                        done(reply->integer() == 1);
                      } else {
                        done(std::unexpected(std::move(reply.error())));
                      }
                    });
}

void RedisStore::find(ShortCode code, OnKey done) {
  VS_ASSERT(code);
  const CodeName name = code_name(code);
  servers_->command(text_of(name),
                    std::array<std::string_view, 3>{"HMGET", text_of(name), "session"},
                    [done = std::move(done)](Result<RedisReply> reply) mutable noexcept {
                      if (reply) {
                        done(session_of(*reply));
                      } else {
                        done(std::unexpected(std::move(reply.error())));
                      }
                    });
}

void RedisStore::publish(const Channel& channel, BufferRef event, OnReceivers done) {
  VS_ASSERT(event);
  const std::string name = channel_name(channel.id);
  servers_->publish(name, channel.reach, text_of(event),
                    [done = std::move(done)](Result<RedisReply> reply) mutable noexcept {
                      if (reply) {
                        done(static_cast<std::uint32_t>(reply->integer()));
                      } else {
                        done(std::unexpected(std::move(reply.error())));
                      }
                    });
}

void RedisStore::follow(const Channel& channel, OnDone done) {
  const std::string name = channel_name(channel.id);
  followed_.emplace(name, channel.id);
  servers_->follow(name, channel.reach, std::move(done));
}

void RedisStore::unfollow(const Channel& channel) {
  const std::string name = channel_name(channel.id);
  followed_.erase(name);
  servers_->unfollow(name);
}

// --- Scripts -------------------------------------------------------------------------------------

void RedisStore::on_servers_connected(RedisPair& server) noexcept {
  for (std::size_t i = 0; i < scripts; ++i) {
    server.command(std::array<std::string_view, 3>{"SCRIPT", "LOAD", script_texts[i]},
                   [this, i](Result<RedisReply> reply) noexcept {
                     if (reply) digests_[i] = reply->text();
                   });
  }
}

void RedisStore::run(std::unique_ptr<Call> call) {
  call->number = ++last_number_;
  const bool takes_code = call->operation == Operation::create && call->code && !call->has_code;
  if (takes_code && servers_->is_cluster()) {
    take_code(std::move(call));
  } else if (!held_.contains(call->slot)) {
    send(std::move(call), false);
  } else if (held_calls_ < held_max) {
    hold(std::move(call));
  } else {
    finish(std::move(call), fail(ErrorCode::unavailable, "too many commands wait for Redis"));
  }
}

void RedisStore::send(std::unique_ptr<Call> call, bool in_full) {
  const auto index = static_cast<std::size_t>(call->operation);
  in_full = in_full || digests_[index].empty();
  std::array<std::array<char, 20>, 4> digits;
  const auto number = [&](std::size_t slot, std::uint64_t value) -> std::string_view {
    fmt::format_to_n(digits[slot].data(), 20, "{:020}", value);
    return {digits[slot].data(), 20};
  };
  const std::string ttl_ms = life_text(call->ttl_us);
  const CodeName code = code_name(call->code);
  const bool names_code = call->code && !servers_->is_cluster();
  std::array<std::string_view, 15> arguments{
      in_full ? "EVAL" : "EVALSHA",
      in_full ? script_texts[index] : std::string_view(digests_[index]),
      names_code ? "2" : "1",
      call->key,
      text_of(code),
      number(0, call->expected.fence),
      number(1, call->expected.revision),
      number(2, call->next.fence),
      number(3, call->next.revision),
      ttl_ms,
      call->channel,
      call->bytes ? text_of(call->bytes) : std::string_view(),
      call->queue ? text_of(call->queue) : std::string_view(),
      call->event ? text_of(call->event) : std::string_view(),
      servers_->script_publish(call->channel)};
  std::size_t count = call->event ? 15 : 13;
  RedisServers::Publication publication{10, call->event ? std::size_t{13} : 0};
  if (!names_code) {
    std::shift_left(arguments.begin() + 4, arguments.end(), 1);
    --count;
    --publication.channel;
    if (publication.event > 0) --publication.event;
  }
  if (!in_full) ++short_calls_[call->slot];
  const std::string_view name = call->key;
  servers_->script(
      name, std::span(arguments).first(count), publication,
      [this, in_full, call = std::move(call)](Result<RedisReply> reply) mutable noexcept {
        on_answer(std::move(call), in_full, std::move(reply));
      });
}

void RedisStore::on_answer(std::unique_ptr<Call> call, bool in_full,
                           Result<RedisReply> reply) noexcept {
  const std::uint16_t slot = call->slot;
  VS_ASSERT(in_full || short_calls_[slot] > 0);
  if (!in_full) --short_calls_[slot];
  if (!in_full && !reply && reply.error().message.starts_with("NOSCRIPT")) {
    hold(std::move(call));
  } else if (!reply) {
    finish(std::move(call), std::unexpected(std::move(reply.error())));
  } else if (reply->integer() == 1) {
    finish(std::move(call), {});
  } else if (reply->integer() == 0) {
    finish(std::move(call), fail(ErrorCode::conflict, "changed by another"));
  } else {
    finish(std::move(call), fail(ErrorCode::not_found, "no such key"));
  }
  if (short_calls_[slot] == 0 && held_.contains(slot)) send_held(slot);
}

void RedisStore::hold(std::unique_ptr<Call> call) {
  const std::uint64_t number = call->number;
  held_[call->slot].emplace(number, std::move(call));
  ++held_calls_;
}

void RedisStore::send_held(std::uint16_t slot) noexcept {
  VS_ASSERT(short_calls_[slot] == 0);
  auto calls = std::move(held_.extract(slot).mapped());
  VS_ASSERT(calls.size() <= held_calls_);
  held_calls_ -= calls.size();
  for (auto& [number, call] : calls)
    send(std::move(call), true);
}

// --- Codes in a cluster --------------------------------------------------------------------------

void RedisStore::finish(std::unique_ptr<Call> call, Result<> result) noexcept {
  if (!call->code || !servers_->is_cluster()) return call->done(std::move(result));
  if (call->operation == Operation::create) {
    if (!result) release_code(*call);
  } else if (result && call->operation == Operation::remove) {
    release_code(*call);
  } else if (result) {
    codes_to_keep_.insert_or_assign(call->code, KeptCode{call->key, call->ttl_us});
    if (!keep_timer_.is_armed()) {
      reactor_.timers().schedule(keep_timer_, reactor_.now_ms() + keep_codes_every_ms);
    }
  }
  call->done(std::move(result));
}

void RedisStore::take_code(std::unique_ptr<Call> call) {
  VS_ASSERT(call->code && !call->has_code);
  const CodeName name = code_name(call->code);
  const std::string life = life_text(call->ttl_us);
  const std::array<std::string_view, 6> arguments{
      "EVAL", redis_scripts::take_code, "1", text_of(name), call->key, life};
  servers_->command(text_of(name), arguments,
                    [this, call = std::move(call)](Result<RedisReply> reply) mutable noexcept {
                      if (!reply) {
                        release_code(*call);  // it may have been taken all the same
                        call->done(std::unexpected(std::move(reply.error())));
                      } else if (reply->integer() != 1) {
                        call->done(fail(ErrorCode::conflict, "the code is another's"));
                      } else {
                        call->has_code = true;
                        run(std::move(call));
                      }
                    });
}

void RedisStore::keep_codes() noexcept {
  for (const auto& [code, kept] : std::exchange(codes_to_keep_, {})) {
    const CodeName name = code_name(code);
    const std::string life = life_text(kept.ttl_us);
    servers_->command(text_of(name),
                      std::array<std::string_view, 6>{"EVAL", redis_scripts::take_code, "1",
                                                      text_of(name), kept.session, life},
                      [](Result<RedisReply>) noexcept {});
  }
}

void RedisStore::release_code(const Call& call) {
  codes_to_keep_.erase(call.code);
  const CodeName name = code_name(call.code);
  servers_->command(text_of(name),
                    std::array<std::string_view, 5>{"EVAL", redis_scripts::release_code, "1",
                                                    text_of(name), call.key},
                    [](Result<RedisReply>) noexcept {});
}

// --- Events --------------------------------------------------------------------------------------

void RedisStore::on_servers_message(std::string_view channel, std::string_view payload) noexcept {
  if (clock_ && channel == RedisClock::name) return clock_->on_message(payload);
  const auto found = followed_.find(channel);
  if (found == followed_.end() || listener_ == nullptr) return;
  const Uuid id = found->second;  // the listener may leave the channel
  listener_->on_session_event(id, BufferRef::copy_of(payload));
}

void RedisStore::on_servers_round_trip(std::int64_t took_us) noexcept {
  if (listener_ != nullptr) listener_->on_store_round_trip(took_us);
}

void RedisStore::on_servers_ready() noexcept {
  away_.reset();
  if (clock_) return clock_->on_server_ready();
  become_ready();
}

// The clock says so with each of its connections; the store is ready with the first.
void RedisStore::on_clock_ready() noexcept {
  become_ready();
}

void RedisStore::become_ready() noexcept {
  if (std::exchange(is_ready_, true) || listener_ == nullptr) return;
  listener_->on_store_ready();
  if (away_.any()) listener_->on_part_lost(away_, {ErrorCode::unavailable, why_away_, 0});
}

void RedisStore::on_clock_failed(const Error& why) noexcept {
  if (!is_ready_ && !away_.test(slot_of_name(RedisClock::name))) tell_lost(why);
}

void RedisStore::on_servers_lost(const Error& why) noexcept {
  if (clock_) clock_->on_server_lost();
  tell_lost(why);
}

void RedisStore::tell_lost(const Error& why) noexcept {
  is_ready_ = false;
  last_failure_ = why.message;
  if (listener_ != nullptr) listener_->on_store_lost(why);
}

// Where the clock's record is away, time goes on as it was known; also where the store comes back
// without that part.
void RedisStore::on_part_lost(const SlotSet& slots, const Error& why) noexcept {
  away_ |= slots;
  why_away_ = last_failure_ = why.message;
  const bool has_clock = clock_ && slots.test(slot_of_name(RedisClock::name));
  if (has_clock) clock_->on_server_lost();
  if (is_ready_ && listener_ != nullptr) listener_->on_part_lost(slots, why);
  if (is_ready_ || !has_clock) return;
  if (clock_->has_time()) return become_ready();
  tell_lost({why.code,
             "the nodes' time is not known, for the server that has it is away: " + why.message,
             why.system_errno});
}

void RedisStore::on_part_ready(const SlotSet& slots) noexcept {
  away_ &= ~slots;
  if (clock_ && slots.test(slot_of_name(RedisClock::name))) clock_->on_server_ready();
  if (is_ready_ && listener_ != nullptr) listener_->on_part_ready(slots);
}

}  // namespace videosync
