// RedisData: the keys of one simulated Redis, and what the scripts of RedisStore do to them.
//
// Pure: told the time, calls nobody. It remembers what was overwritten in the last seconds, so that
// it can go back to an older copy, as when a replica that lags becomes the master. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "core/base/shared_buffer.h"
#include "core/base/uuid.h"
#include "storage/session_store.h"

namespace videosync::sim {

class RedisData {
 public:
  static constexpr std::int64_t remembered_us = 10'000'000;

  struct Entry {
    StoreVersion version;
    BufferRef bytes;  // null: a tombstone
    std::int64_t expires_us = 0;
    BufferRef queue{};
  };
  // The scripts' answers.
  enum class Outcome : std::uint8_t { done, conflict, missing };

  Outcome create(const SessionName& name, StoreVersion version, BufferRef bytes,
                 std::int64_t ttl_us, std::int64_t now_us);
  Outcome change(const SessionName& name, StoreVersion expected, StoreVersion next,
                 SessionBytes bytes, std::int64_t ttl_us, std::int64_t now_us);
  Outcome touch(const SessionName& name, std::int64_t ttl_us, std::int64_t now_us);
  Outcome remove(const SessionName& name, StoreVersion version, std::int64_t now_us);

  // Null: there is none, or no more.
  const Entry* find(const Uuid& key, std::int64_t now_us) const noexcept;
  const Uuid* find(ShortCode code, std::int64_t now_us) const noexcept;

  void lose_all();
  // As things were then; at most remembered_us ago.
  void go_back_to(std::int64_t time_us);

 private:
  struct CodeEntry {
    Uuid key;
    std::int64_t expires_us = 0;
  };
  struct Overwritten {
    std::int64_t time_us;
    Uuid key;
    std::optional<Entry> entry;     // nothing: there was none
    ShortCode code{};               // not nil: it was that one
    std::optional<CodeEntry> of{};  // likewise
  };

  void forget_older(std::int64_t now_us);
  void put(const Uuid& key, Entry entry, std::int64_t now_us);
  void put(ShortCode code, std::optional<CodeEntry> entry, std::int64_t now_us);

  std::unordered_map<Uuid, Entry> entries_;
  std::unordered_map<ShortCode, CodeEntry> codes_;
  std::deque<Overwritten> overwritten_;
};

}  // namespace videosync::sim
