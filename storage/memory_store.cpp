#include "storage/memory_store.h"

#include "core/base/assert.h"

namespace videosync {

namespace {

// Short enough to live inside the string: a refusal costs no allocation.
auto no_such_key() {
  return fail(ErrorCode::not_found, "no such key");
}

}  // namespace

MemoryStore::MemoryStore(const Clock& clock, std::size_t sessions_max) noexcept
    : clock_(clock), sessions_max_(sessions_max) {}

void MemoryStore::listen(SessionListener& listener) noexcept {
  VS_ASSERT(listener_ == nullptr);
  listener_ = &listener;
}

void MemoryStore::create(const SessionName& name, StoreVersion version, BufferRef bytes,
                         std::int64_t ttl_us, OnDone done) {
  done(try_create(name, {std::move(bytes), version}, ttl_us));
}

Result<> MemoryStore::try_create(const SessionName& name, StoredValue value, std::int64_t ttl_us) {
  VS_ASSERT(ttl_us > 0 && value.bytes);
  Shard& shard = shard_of(name.key);
  const std::lock_guard lock(shard.mutex);
  const std::int64_t now_us = clock_.monotonic_us();
  if (find_unlapsed(shard, name.key, now_us) != nullptr) {
    return fail(ErrorCode::conflict, "key exists");
  }
  if (auto made = insert(shard, name, std::move(value), now_us + ttl_us); !made) return made;
  if (!name.code || shard.entries.at(name.key).code) return {};
  erase(shard, name.key);
  return fail(ErrorCode::conflict, "code taken");
}

void MemoryStore::load(const Uuid& key, OnValue done) {
  Result<StoredValue> found = no_such_key();
  {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const Entry* entry = find_unlapsed(shard, key, clock_.monotonic_us());
    if (entry != nullptr && entry->is_tombstone()) {
      found = fail(ErrorCode::conflict, "removed");
    } else if (entry != nullptr) {
      found = entry->value;
    }
  }
  done(std::move(found));
}

void MemoryStore::exists(const Uuid& key, OnExists done) {
  bool found = false;
  {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    found = find_live(shard, key, clock_.monotonic_us()) != nullptr;
  }
  done(found);
}

// One lock after the other: what the first has said is asked of the key again.
void MemoryStore::find(ShortCode code, OnKey done) {
  VS_ASSERT(code);
  Result<Uuid> found = no_such_key();
  {
    CodeShard& shard = shard_of(code);
    const std::lock_guard lock(shard.mutex);
    if (const auto key = shard.keys.find(code); key != shard.keys.end()) found = key->second;
  }
  if (found) {
    Shard& shard = shard_of(*found);
    const std::lock_guard lock(shard.mutex);
    const Entry* entry = find_live(shard, *found, clock_.monotonic_us());
    if (entry == nullptr || entry->code != code) found = no_such_key();
  }
  done(found);
}

void MemoryStore::change(const SessionName& name, StoreVersion expected, StoreVersion next,
                         SessionBytes bytes, std::int64_t ttl_us, BufferRef event, OnDone done) {
  StoredValue value{std::move(bytes.bytes), next, std::move(bytes.queue)};
  done(try_change(name, expected, value, ttl_us, event));
}

// Swaps the old value out into `value`, so that its memory goes back after the lock is released.
Result<> MemoryStore::try_change(const SessionName& name, StoreVersion expected, StoredValue& value,
                                 std::int64_t ttl_us, const BufferRef& event) {
  VS_ASSERT(ttl_us > 0 && value.bytes && value.version > expected);
  const Uuid& key = name.key;
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const std::int64_t now_us = clock_.monotonic_us();
  Entry* entry = find_unlapsed(shard, key, now_us);
  if (entry == nullptr) {
    if (auto made = insert(shard, name, value, now_us + ttl_us); !made) return made;
  } else {
    if (entry->is_tombstone()) return no_such_key();
    if (entry->value.version > expected) return fail(ErrorCode::conflict, "changed");
    if (!value.queue) value.queue = entry->value.queue;
    std::swap(entry->value, value);
    if (name.code && !entry->code && claim(name.code, key)) entry->code = name.code;
    prolong(shard, key, *entry, now_us + ttl_us);
  }
  tell(shard, key, event);
  return {};
}

void MemoryStore::touch(const SessionName& name, std::int64_t ttl_us, OnDone done) {
  done(try_touch(name.key, ttl_us));
}

Result<> MemoryStore::try_touch(const Uuid& key, std::int64_t ttl_us) {
  VS_ASSERT(ttl_us > 0);
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const std::int64_t now_us = clock_.monotonic_us();
  Entry* entry = find_live(shard, key, now_us);
  if (entry == nullptr) return no_such_key();
  prolong(shard, key, *entry, now_us + ttl_us);
  return {};
}

void MemoryStore::remove(const SessionName& name, StoreVersion version, BufferRef event,
                         OnDone done) {
  done(try_remove(name.key, version, event));
}

Result<> MemoryStore::try_remove(const Uuid& key, StoreVersion version, const BufferRef& event) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const std::int64_t now_us = clock_.monotonic_us();
  const Entry* entry = find_unlapsed(shard, key, now_us);
  if (entry != nullptr) {
    if (entry->is_tombstone()) return no_such_key();
    if (entry->value.version > version) return fail(ErrorCode::conflict, "changed");
  }
  bury(shard, key, now_us);
  tell(shard, key, event);
  return {};
}

void MemoryStore::publish(const Channel& channel, BufferRef event, OnReceivers done) {
  std::uint32_t receivers = 0;
  {
    Shard& shard = shard_of(channel.id);
    const std::lock_guard lock(shard.mutex);
    receivers = tell(shard, channel.id, event);
  }
  done(receivers);
}

void MemoryStore::follow(const Channel& channel, OnDone done) {
  {
    Shard& shard = shard_of(channel.id);
    const std::lock_guard lock(shard.mutex);
    shard.followed.insert(channel.id);
  }
  done({});
}

void MemoryStore::unfollow(const Channel& channel) {
  Shard& shard = shard_of(channel.id);
  const std::lock_guard lock(shard.mutex);
  shard.followed.erase(channel.id);
}

std::vector<Uuid> MemoryStore::expire_some(std::size_t examined_max) {
  std::vector<Uuid> expired;
  std::size_t left = examined_max;
  for (std::size_t i = 0; i < shard_count; ++i) {
    left -= expire_shard(shards_[next_shard_], left, expired);
    if (left == 0) break;
    next_shard_ = (next_shard_ + 1) % shard_count;
  }
  return expired;
}

std::vector<MemoryStore::Kept> MemoryStore::kept() const {
  std::vector<Kept> all;
  all.reserve(size());
  const std::int64_t now_us = clock_.monotonic_us();
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (const auto& [key, entry] : shard.entries) {
      if (entry.is_tombstone() || entry.expires_at_us <= now_us) continue;
      all.push_back({{key, entry.code}, entry.value, entry.expires_at_us - now_us});
    }
  }
  return all;
}

Result<> MemoryStore::restore(const Kept& kept) {
  VS_ASSERT(kept.left_us > 0 && kept.value.bytes);
  Shard& shard = shard_of(kept.name.key);
  const std::lock_guard lock(shard.mutex);
  const std::int64_t now_us = clock_.monotonic_us();
  VS_ASSERT(find_unlapsed(shard, kept.name.key, now_us) == nullptr);
  return insert(shard, kept.name, kept.value, now_us + kept.left_us);
}

// Returns how many keys it looked at. One that lives on is put back with its real, later time and
// so is not met again.
std::size_t MemoryStore::expire_shard(Shard& shard, std::size_t examined_max,
                                      std::vector<Uuid>& expired) {
  const std::lock_guard lock(shard.mutex);
  const std::int64_t now_us = clock_.monotonic_us();
  std::size_t examined = 0;
  while (examined < examined_max && !shard.queue.empty()) {
    const auto [queued_at_us, key] = *shard.queue.begin();
    if (queued_at_us > now_us) break;
    ++examined;
    Entry& entry = shard.entries.at(key);
    if (entry.expires_at_us <= now_us) {
      if (!entry.is_tombstone()) expired.push_back(key);
      erase(shard, key);
    } else {
      requeue(shard, key, entry);
    }
  }
  return examined;
}

MemoryStore::Entry* MemoryStore::find_live(Shard& shard, const Uuid& key,
                                           std::int64_t now_us) noexcept {
  Entry* entry = find_unlapsed(shard, key, now_us);
  return entry == nullptr || entry->is_tombstone() ? nullptr : entry;
}

MemoryStore::Entry* MemoryStore::find_unlapsed(Shard& shard, const Uuid& key,
                                               std::int64_t now_us) noexcept {
  const auto found = shard.entries.find(key);
  if (found == shard.entries.end() || found->second.expires_at_us <= now_us) return nullptr;
  return &found->second;
}

void MemoryStore::prolong(Shard& shard, const Uuid& key, Entry& entry, std::int64_t expires_at_us) {
  entry.expires_at_us = expires_at_us;
  if (expires_at_us < entry.queued_at_us) requeue(shard, key, entry);
}

// Moves the queue's element without an allocation.
void MemoryStore::requeue(Shard& shard, const Uuid& key, Entry& entry) {
  auto node = shard.queue.extract({entry.queued_at_us, key});
  VS_ASSERT(!node.empty());
  entry.queued_at_us = entry.expires_at_us;
  node.value().first = entry.queued_at_us;
  shard.queue.insert(std::move(node));
}

// False: another key has it.
bool MemoryStore::claim(ShortCode code, const Uuid& key) {
  CodeShard& shard = shard_of(code);
  const std::lock_guard lock(shard.mutex);
  return shard.keys.try_emplace(code, key).second;
}

void MemoryStore::release(ShortCode code) {
  CodeShard& shard = shard_of(code);
  const std::lock_guard lock(shard.mutex);
  const auto erased = shard.keys.erase(code);
  VS_ASSERT(erased == 1);
}

// In the place of one that has lapsed, if need be. Without its code where another key has that.
Result<> MemoryStore::insert(Shard& shard, const SessionName& name, StoredValue value,
                             std::int64_t expires_at_us) {
  const Uuid& key = name.key;
  if (shard.entries.find(key) != shard.entries.end()) erase(shard, key);
  if (count_.fetch_add(1, std::memory_order_relaxed) >= sessions_max_) {
    count_.fetch_sub(1, std::memory_order_relaxed);
    return fail(ErrorCode::exhausted, "the limit of sessions is reached");
  }
  const bool is_claimed = name.code && claim(name.code, key);
  shard.entries.emplace(key, Entry{std::move(value), expires_at_us, expires_at_us,
                                   is_claimed ? name.code : ShortCode{}});
  shard.queue.emplace(expires_at_us, key);
  return {};
}

void MemoryStore::erase(Shard& shard, Uuid key) {
  const auto found = shard.entries.find(key);
  VS_ASSERT(found != shard.entries.end());
  std::atomic<std::size_t>& counter = found->second.is_tombstone() ? tombstones_ : count_;
  counter.fetch_sub(1, std::memory_order_relaxed);
  if (found->second.code) release(found->second.code);
  shard.queue.erase({found->second.queued_at_us, key});
  shard.entries.erase(found);
}

// Beyond the limit of tombstones a key is forgotten at once.
void MemoryStore::bury(Shard& shard, const Uuid& key, std::int64_t now_us) {
  if (shard.entries.find(key) != shard.entries.end()) erase(shard, key);
  if (tombstones_.fetch_add(1, std::memory_order_relaxed) >= sessions_max_) {
    tombstones_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  const std::int64_t expires_at_us = now_us + tombstone_us;
  shard.entries.emplace(key, Entry{{}, expires_at_us, expires_at_us, {}});
  shard.queue.emplace(expires_at_us, key);
}

// Under the lock of the shard. Returns how many heard it.
std::uint32_t MemoryStore::tell(const Shard& shard, const Uuid& channel,
                                const BufferRef& event) noexcept {
  if (!event || listener_ == nullptr || !shard.followed.contains(channel)) return 0;
  listener_->on_session_event(channel, event);
  return 1;
}

}  // namespace videosync
