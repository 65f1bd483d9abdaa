#include "storage/redis/redis_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "storage/redis/redis_scripts.h"

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
};

RedisStore::RedisStore(Reactor& reactor, RedisLocation location, const RedisLink::Options& options,
                       StoreClock* clock)
    : pair_(reactor, *this, std::move(location), options) {
  if (clock != nullptr) clock_.reset(new RedisClock(reactor, pair_, *clock, *this));
}
RedisStore::~RedisStore() = default;

void RedisStore::start() noexcept {
  pair_.start();
}

void RedisStore::stop() noexcept {
  if (clock_) clock_->stop();
  pair_.stop();
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
  pair_.command(std::array<std::string_view, 7>{"HMGET", name, "fence", "revision", "bytes",
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
  pair_.command(std::array<std::string_view, 3>{"HEXISTS", name, "bytes"},
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
  pair_.command(std::array<std::string_view, 3>{"HMGET", text_of(name), "session"},
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
  pair_.command(std::array<std::string_view, 3>{"PUBLISH", name, text_of(event)},
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
  pair_.follow(name, std::move(done));
}

void RedisStore::unfollow(const Channel& channel) {
  const std::string name = channel_name(channel.id);
  followed_.erase(name);
  pair_.unfollow(name);
}

// --- Scripts -------------------------------------------------------------------------------------

void RedisStore::on_pair_connected() noexcept {
  for (std::size_t i = 0; i < scripts; ++i) {
    pair_.command(std::array<std::string_view, 3>{"SCRIPT", "LOAD", script_texts[i]},
                  [this, i](Result<RedisReply> reply) noexcept {
                    if (reply) digests_[i] = reply->text();
                  });
  }
}

void RedisStore::run(std::unique_ptr<Call> call) {
  if (!is_recovering_) {
    send(std::move(call), false);
  } else if (held_.size() < held_max) {
    held_.push_back(std::move(call));
  } else {
    call->done(fail(ErrorCode::unavailable, "too many commands wait for Redis"));
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
  // Redis takes no integer with zeros in front.
  const std::string ttl_ms = std::to_string((call->ttl_us + 999) / 1'000);
  const CodeName code = code_name(call->code);
  std::array<std::string_view, 14> arguments{
      in_full ? "EVAL" : "EVALSHA",
      in_full ? script_texts[index] : std::string_view(digests_[index]),
      call->code ? "2" : "1",
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
      call->event ? text_of(call->event) : std::string_view()};
  std::size_t count = call->event ? 14 : 13;
  if (!call->code) {
    std::shift_left(arguments.begin() + 4, arguments.end(), 1);
    --count;
  }
  if (!in_full) ++short_calls_;
  pair_.command(std::span(arguments).first(count),
                [this, in_full, call = std::move(call)](Result<RedisReply> reply) mutable noexcept {
                  on_answer(std::move(call), in_full, std::move(reply));
                });
}

void RedisStore::on_answer(std::unique_ptr<Call> call, bool in_full,
                           Result<RedisReply> reply) noexcept {
  if (!in_full) --short_calls_;
  if (!in_full && !reply && reply.error().message.starts_with("NOSCRIPT")) {
    is_recovering_ = true;
    held_.push_back(std::move(call));
  } else if (!reply) {
    call->done(std::unexpected(std::move(reply.error())));
  } else if (reply->integer() == 1) {
    call->done({});
  } else if (reply->integer() == 0) {
    call->done(fail(ErrorCode::conflict, "changed by another"));
  } else {
    call->done(fail(ErrorCode::not_found, "no such key"));
  }
  if (is_recovering_ && short_calls_ == 0) send_held();
}

void RedisStore::send_held() noexcept {
  is_recovering_ = false;
  for (std::unique_ptr<Call>& call : std::exchange(held_, {}))
    send(std::move(call), true);
}

// --- Events --------------------------------------------------------------------------------------

void RedisStore::on_pair_message(std::string_view channel, std::string_view payload) noexcept {
  if (clock_ && channel == RedisClock::name) return clock_->on_message(payload);
  const auto found = followed_.find(channel);
  if (found == followed_.end() || listener_ == nullptr) return;
  const Uuid id = found->second;  // the listener may leave the channel
  listener_->on_session_event(id, BufferRef::copy_of(payload));
}

void RedisStore::on_pair_round_trip(std::int64_t took_us) noexcept {
  if (listener_ != nullptr) listener_->on_store_round_trip(took_us);
}

void RedisStore::on_pair_ready() noexcept {
  if (clock_) return clock_->on_pair_ready();
  if (listener_ != nullptr) listener_->on_store_ready();
}

void RedisStore::on_clock_ready() noexcept {
  if (listener_ != nullptr) listener_->on_store_ready();
}

void RedisStore::on_clock_failed(const Error& why) noexcept {
  tell_lost(why);
}

void RedisStore::on_pair_lost(const Error& why) noexcept {
  if (clock_) clock_->on_pair_lost();
  tell_lost(why);
}

void RedisStore::tell_lost(const Error& why) noexcept {
  last_failure_ = why.message;
  if (listener_ != nullptr) listener_->on_store_lost(why);
}

}  // namespace videosync
