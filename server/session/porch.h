// Porch: connections of this node that wait before a session's door.
//
// Each asks its session's home again and again whether it may come in, as if it joined anew, so it
// does not matter where that home is, whether it moves, or what gets lost. A plain container; the
// directory's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/connection_ref.h"
#include "core/base/uuid.h"
#include "proto/session/session_machine.h"

namespace videosync {

class Porch {
 public:
  struct Knocker {
    ConnectionRef from;
    SessionMachine::JoinRequest request;  // with its connection's number
    KnockId id;
    std::int64_t since_us = 0;    // by the monotonic clock, as the next one
    std::int64_t asks_at_us = 0;  // not before then
    bool is_asked = false;        // the answer is under way
    Uuid home{};                  // who was last asked, on another node; nil: nobody
    std::uint64_t fence = 0;      // of that home
  };
  using Place = std::pair<Uuid, ConnectionNumber>;

  bool empty() const noexcept { return waiting_.empty(); }
  // Null: it does not wait. Until the next add or take.
  Knocker* find(const Uuid& key, ConnectionNumber number) noexcept;
  Knocker* find(const Uuid& key, KnockId id) noexcept;
  // REQUIRES one that does not wait yet.
  void add(const Uuid& key, Knocker knocker);
  std::optional<Knocker> take(const Uuid& key, ConnectionNumber number) noexcept;
  // All of the session are to ask at once.
  void hurry(const Uuid& key, std::int64_t now_us) noexcept;
  // Those that wait since then or longer; those that are to ask by then.
  std::vector<Place> since(std::int64_t time_us) const;
  std::vector<Place> asking_by(std::int64_t time_us) const;

 private:
  template <class Predicate>
  Knocker* find_if(const Uuid& key, Predicate is_meant) noexcept;
  template <class Predicate>
  std::vector<Place> list(Predicate is_meant) const;

  std::unordered_map<Uuid, std::vector<Knocker>> waiting_;  // at least one of each
};

}  // namespace videosync
