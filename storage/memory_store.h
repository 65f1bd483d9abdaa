// MemoryStore: the SessionStore of a single node, in this process's memory.
//
// Any thread may call it; callbacks run on the calling thread before the call returns, outside of
// any lock. Keys are spread over shards, a mutex each: the one lock on the path of a message is
// that of change(), held for a hash lookup and the listener's hand-over, and uncontended unless two
// threads are in the same 64th of the sessions at that instant. The listener runs under it, on the
// sender's thread, which is what keeps the events of a channel in order; it must not call the
// store. The store is never lost, so the listener hears neither of loss nor of readiness.
//
// Values are shared, never copied. A lapsed key is gone for every caller from that instant; its
// memory, its code, and its place in the count of sessions, go back with the next expire_some().
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "storage/session_store.h"

namespace videosync {

class MemoryStore final : public SessionStore {
 public:
  static constexpr std::size_t sessions_max_default = 100'000;

  // `clock` outlives the store.
  explicit MemoryStore(const Clock& clock,
                       std::size_t sessions_max = sessions_max_default) noexcept;

  void listen(SessionListener& listener) noexcept override;
  void create(const SessionName& name, StoreVersion version, BufferRef bytes, std::int64_t ttl_us,
              OnDone done) override;
  void load(const Uuid& key, OnValue done) override;
  void exists(const Uuid& key, OnExists done) override;
  void find(ShortCode code, OnKey done) override;
  void change(const SessionName& name, StoreVersion expected, StoreVersion next, SessionBytes bytes,
              std::int64_t ttl_us, BufferRef event, OnDone done) override;
  void touch(const SessionName& name, std::int64_t ttl_us, OnDone done) override;
  void remove(const SessionName& name, StoreVersion version, BufferRef event, OnDone done) override;
  void publish(const Channel& channel, BufferRef event, OnReceivers done) override;
  void follow(const Channel& channel, OnDone done) override;
  void unfollow(const Channel& channel) override;

  // Forgets up to `examined_max` lapsed keys and tombstones and returns the keys, each once in its
  // life. Looks at no more than that many, shard after shard, going on where the last call stopped.
  // For a timer of one thread.
  std::vector<Uuid> expire_some(std::size_t examined_max);

  // A session and how long it lives on if nobody touches it.
  struct Kept {
    SessionName name;
    StoredValue value;
    std::int64_t left_us = 0;
  };
  // All that live: for a file, when nobody changes them any more.
  std::vector<Kept> kept() const;
  // As it was, in a store that does not have it. exhausted: the limit of sessions is reached.
  Result<> restore(const Kept& kept);

  // Keys held, lapsed ones included, tombstones not.
  std::size_t size() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t shard_count = 64;

  struct Entry {
    StoredValue value;  // null bytes: a tombstone
    std::int64_t expires_at_us = 0;
    std::int64_t queued_at_us = 0;  // where the key stands in Shard::queue; <= expires_at_us
    ShortCode code{};               // not nil exactly where CodeShard::keys has it for this key

    bool is_tombstone() const noexcept { return !value.bytes; }
  };
  using Entries = std::unordered_map<Uuid, Entry>;

  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Entries entries;
    // One element an entry. A prolonged life does not move it: the sweep finds the later time and
    // puts it back, so change() and touch() leave the queue alone.
    std::set<std::pair<std::int64_t, Uuid>> queue;
    std::unordered_set<Uuid> followed;
  };

  // Whose a code is, that of a lapsed key included. Its lock is taken with or without that of a
  // Shard held, and none within it.
  struct alignas(64) CodeShard {
    std::mutex mutex;
    std::unordered_map<ShortCode, Uuid> keys;
  };

  CodeShard& shard_of(ShortCode code) noexcept { return code_shards_[code.value % shard_count]; }
  bool claim(ShortCode code, const Uuid& key);
  void release(ShortCode code);
  Shard& shard_of(const Uuid& key) noexcept { return shards_[key.bytes[0] % shard_count]; }
  static Entry* find_unlapsed(Shard& shard, const Uuid& key, std::int64_t now_us) noexcept;
  static Entry* find_live(Shard& shard, const Uuid& key, std::int64_t now_us) noexcept;
  static void prolong(Shard& shard, const Uuid& key, Entry& entry, std::int64_t expires_at_us);
  static void requeue(Shard& shard, const Uuid& key, Entry& entry);
  Result<> insert(Shard& shard, const SessionName& name, StoredValue value,
                  std::int64_t expires_at_us);
  void erase(Shard& shard, Uuid key);
  void bury(Shard& shard, const Uuid& key, std::int64_t now_us);
  std::uint32_t tell(const Shard& shard, const Uuid& channel, const BufferRef& event) noexcept;
  Result<> try_create(const SessionName& name, StoredValue value, std::int64_t ttl_us);
  Result<> try_change(const SessionName& name, StoreVersion expected, StoredValue& value,
                      std::int64_t ttl_us, const BufferRef& event);
  Result<> try_touch(const Uuid& key, std::int64_t ttl_us);
  Result<> try_remove(const Uuid& key, StoreVersion version, const BufferRef& event);
  std::size_t expire_shard(Shard& shard, std::size_t examined_max, std::vector<Uuid>& expired);

  const Clock& clock_;
  const std::size_t sessions_max_;
  SessionListener* listener_ = nullptr;
  std::atomic<std::size_t> count_{0};       // of all shards; reserved before an entry is made
  std::atomic<std::size_t> tombstones_{0};  // the same; at most sessions_max_, too
  std::size_t next_shard_ = 0;              // of expire_some's thread
  std::array<Shard, shard_count> shards_;
  std::array<CodeShard, shard_count> code_shards_;
};

}  // namespace videosync
