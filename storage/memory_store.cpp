#include "storage/memory_store.h"

#include "core/base/assert.h"

namespace videosync {

namespace {

constexpr StoreVersion first_version{1};

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

void MemoryStore::create(const Uuid& key, BufferRef bytes, std::int64_t ttl_us, OnVersion done) {
  done(try_create(key, std::move(bytes), ttl_us));
}

Result<StoreVersion> MemoryStore::try_create(const Uuid& key, BufferRef bytes,
                                             std::int64_t ttl_us) {
  VS_ASSERT(ttl_us > 0);
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const std::int64_t now_us = clock_.monotonic_us();
  if (find_live(shard, key, now_us) != nullptr) return fail(ErrorCode::conflict, "key exists");
  if (shard.entries.find(key) != shard.entries.end()) erase(shard, key);  // lapsed, not yet swept
  if (count_.fetch_add(1, std::memory_order_relaxed) >= sessions_max_) {
    count_.fetch_sub(1, std::memory_order_relaxed);
    return fail(ErrorCode::exhausted, "the limit of sessions is reached");
  }
  const std::int64_t expires_at_us = now_us + ttl_us;
  shard.entries.emplace(
      key, Entry{StoredValue{std::move(bytes), first_version}, expires_at_us, expires_at_us});
  shard.queue.emplace(expires_at_us, key);
  return first_version;
}

void MemoryStore::load(const Uuid& key, OnValue done) {
  Result<StoredValue> found = no_such_key();
  {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const Entry* entry = find_live(shard, key, clock_.monotonic_us());
    if (entry != nullptr) found = entry->value;
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

void MemoryStore::change(const Uuid& key, StoreVersion expected, BufferRef bytes,
                         std::int64_t ttl_us, BufferRef event, OnVersion done) {
  done(try_change(key, expected, bytes, ttl_us, event));
}

// Swaps the old value out into `bytes`, so that its memory goes back after the lock is released.
Result<StoreVersion> MemoryStore::try_change(const Uuid& key, StoreVersion expected,
                                             BufferRef& bytes, std::int64_t ttl_us,
                                             const BufferRef& event) {
  VS_ASSERT(ttl_us > 0);
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const std::int64_t now_us = clock_.monotonic_us();
  Entry* entry = find_live(shard, key, now_us);
  if (entry == nullptr) return no_such_key();
  StoredValue& value = entry->value;
  if (value.version != expected) return fail(ErrorCode::conflict, "changed");
  std::swap(value.bytes, bytes);
  ++value.version.value;
  prolong(shard, key, *entry, now_us + ttl_us);
  tell(key, value.version, event);
  return value.version;
}

void MemoryStore::publish(const Uuid& key, BufferRef event, OnDone done) {
  tell(key, StoreVersion{}, event);
  done({});
}

void MemoryStore::touch(const Uuid& key, std::int64_t ttl_us, OnDone done) {
  VS_ASSERT(ttl_us > 0);
  Result<> result;
  {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const std::int64_t now_us = clock_.monotonic_us();
    Entry* entry = find_live(shard, key, now_us);
    if (entry == nullptr) {
      result = no_such_key();
    } else {
      prolong(shard, key, *entry, now_us + ttl_us);
    }
  }
  done(std::move(result));
}

void MemoryStore::remove(const Uuid& key, BufferRef event, OnDone done) {
  Result<> result;
  {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    if (find_live(shard, key, clock_.monotonic_us()) == nullptr) {
      result = no_such_key();
    } else {
      erase(shard, key);
      tell(key, StoreVersion{}, event);
    }
  }
  done(std::move(result));
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
      erase(shard, key);
      expired.push_back(key);
    } else {
      requeue(shard, key, entry);
    }
  }
  return examined;
}

MemoryStore::Entry* MemoryStore::find_live(Shard& shard, const Uuid& key,
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

void MemoryStore::erase(Shard& shard, Uuid key) {
  const auto found = shard.entries.find(key);
  VS_ASSERT(found != shard.entries.end());
  shard.queue.erase({found->second.queued_at_us, key});
  shard.entries.erase(found);
  count_.fetch_sub(1, std::memory_order_relaxed);
}

void MemoryStore::tell(const Uuid& key, StoreVersion version, const BufferRef& event) noexcept {
  if (event && listener_ != nullptr) listener_->on_session_event(key, version, event);
}

}  // namespace videosync
