#include "tests/sim/redis_data.h"

#include <utility>

#include "core/base/assert.h"

namespace videosync::sim {

const RedisData::Entry* RedisData::find(const Uuid& key, std::int64_t now_us) const noexcept {
  const auto found = entries_.find(key);
  return found == entries_.end() || found->second.expires_us <= now_us ? nullptr : &found->second;
}

const Uuid* RedisData::find(ShortCode code, std::int64_t now_us) const noexcept {
  const auto found = codes_.find(code);
  return found == codes_.end() || found->second.expires_us <= now_us ? nullptr : &found->second.key;
}

void RedisData::forget_older(std::int64_t now_us) {
  while (!overwritten_.empty() && overwritten_.front().time_us < now_us - remembered_us)
    overwritten_.pop_front();
}

void RedisData::put(ShortCode code, std::optional<CodeEntry> entry, std::int64_t now_us) {
  VS_ASSERT(code);
  forget_older(now_us);
  const auto found = codes_.find(code);
  Overwritten& before = overwritten_.emplace_back(now_us, Uuid{}, std::nullopt, code);
  if (found != codes_.end()) before.of = found->second;
  if (entry) {
    codes_.insert_or_assign(code, *entry);
  } else {
    codes_.erase(code);
  }
}

void RedisData::put(const Uuid& key, Entry entry, std::int64_t now_us) {
  forget_older(now_us);
  const auto found = entries_.find(key);
  overwritten_.push_back({now_us, key, {}});
  if (found == entries_.end()) {
    entries_.emplace(key, std::move(entry));
  } else {
    overwritten_.back().entry = std::exchange(found->second, std::move(entry));
  }
}

RedisData::Outcome RedisData::create(const SessionName& name, StoreVersion version, BufferRef bytes,
                                     std::int64_t ttl_us, std::int64_t now_us) {
  VS_ASSERT(bytes && ttl_us > 0);
  if (find(name.key, now_us) != nullptr) return Outcome::conflict;
  if (name.code) {
    if (find(name.code, now_us) != nullptr) return Outcome::conflict;
    put(name.code, CodeEntry{name.key, now_us + ttl_us}, now_us);
  }
  put(name.key, {version, std::move(bytes), now_us + ttl_us}, now_us);
  return Outcome::done;
}

RedisData::Outcome RedisData::change(const SessionName& name, StoreVersion expected,
                                     StoreVersion next, SessionBytes bytes, std::int64_t ttl_us,
                                     std::int64_t now_us) {
  VS_ASSERT(bytes.bytes && ttl_us > 0 && next > expected);
  const Uuid& key = name.key;
  if (const Entry* entry = find(key, now_us)) {
    if (!entry->bytes) return Outcome::missing;
    if (entry->version > expected) return Outcome::conflict;
    if (!bytes.queue) bytes.queue = entry->queue;
  }
  put(key, {next, std::move(bytes.bytes), now_us + ttl_us, std::move(bytes.queue)}, now_us);
  if (name.code) {
    const Uuid* owner = find(name.code, now_us);
    put(name.code, CodeEntry{owner != nullptr ? *owner : key, now_us + ttl_us}, now_us);
  }
  return Outcome::done;
}

RedisData::Outcome RedisData::touch(const SessionName& name, std::int64_t ttl_us,
                                    std::int64_t now_us) {
  VS_ASSERT(ttl_us > 0);
  const Uuid& key = name.key;
  const Entry* entry = find(key, now_us);
  if (entry == nullptr || !entry->bytes) return Outcome::missing;
  put(key, {entry->version, entry->bytes, now_us + ttl_us, entry->queue}, now_us);
  const Uuid* owner = name.code ? find(name.code, now_us) : nullptr;
  if (owner != nullptr) put(name.code, CodeEntry{*owner, now_us + ttl_us}, now_us);
  return Outcome::done;
}

RedisData::Outcome RedisData::remove(const SessionName& name, StoreVersion version,
                                     std::int64_t now_us) {
  const Uuid& key = name.key;
  if (const Entry* entry = find(key, now_us)) {
    if (!entry->bytes) return Outcome::missing;
    if (entry->version > version) return Outcome::conflict;
  }
  put(key, {{}, {}, now_us + SessionStore::tombstone_us}, now_us);
  const Uuid* owner = name.code ? find(name.code, now_us) : nullptr;
  if (owner != nullptr && *owner == key) put(name.code, std::nullopt, now_us);
  return Outcome::done;
}

void RedisData::lose_all() {
  entries_.clear();
  codes_.clear();
  overwritten_.clear();
}

void RedisData::go_back_to(std::int64_t time_us) {
  while (!overwritten_.empty() && overwritten_.back().time_us > time_us) {
    Overwritten& last = overwritten_.back();
    if (last.code) {
      codes_.erase(last.code);
      if (last.of) codes_.emplace(last.code, *last.of);
    } else if (last.entry) {
      entries_.insert_or_assign(last.key, std::move(*last.entry));
    } else {
      entries_.erase(last.key);
    }
    overwritten_.pop_back();
  }
}

}  // namespace videosync::sim
