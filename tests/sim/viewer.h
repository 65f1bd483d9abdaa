// Viewer: a person with a page, who does what docs/PROTOCOL.md says that a client does.
//
// It connects, remembers all it was told, says things that can be told apart, comes back with its
// resume token when its connection is lost, and stops where it is told to. What it sees it checks
// at once: the order, the resumed identity, an end that nobody asked for. One thread; a viewer
// lives as long as its world.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "proto/session/session_values.h"
#include "tests/sim/connection.h"
#include "tests/sim/frame.h"
#include "tests/sim/ledger.h"
#include "tests/sim/random.h"

namespace videosync::sim {

class World;

// One session, as those outside know it.
struct SimSession {
  Uuid key;
  Token host_token;
  ShortCode code;
  bool is_made = false;
  bool is_end_asked = false;  // by somebody who may: it may be over from then on
  bool is_end_granted = false;
  bool is_end_seen = false;  // somebody was closed with 4001, rightly
  bool is_over = false;      // somebody was told so
  // While a node was cut off: if it was the home, its end does not count for who took over from it.
  bool was_over_apart = false;
  bool is_record_lost = false;  // the store lost it, and nobody has written it back yet
  std::set<std::pair<std::size_t, std::size_t>> keepers{};  // processes that have had members since
  bool may_be_gone = false;                                 // ... and none of these is left
  bool has_gone_back = false;   // the store has forgotten something since the session began
  bool may_be_doubled = false;  // ... and a node died that may have known it: ids are given anew
  Ledger ledger{};
  std::unordered_set<std::uint64_t> talk{};     // numbers of what was said aloud, seen by anybody
  std::unordered_set<MemberId> to_be_kicked{};  // whom a host may have removed
  std::vector<BrowserId> barred{};              // of these, as the latest peace has found it stored
  std::unordered_map<MemberId, std::size_t> whose{};         // each id has been one viewer's, ever
  std::unordered_map<std::uint64_t, std::size_t> writers{};  // by fence: the node that wrote at it
  std::unordered_set<std::uint64_t> changed{};  // fences whose home has changed something since
};

// The messages whose fate is followed, each a type of its own in an `error`.
enum class Kind : std::uint8_t { seek, play, pause, rate, chat, reaction, count_ };
std::string_view kind_name(Kind kind) noexcept;

// So long it takes at most until an attempt to connect has ended, one way or another.
inline constexpr std::int64_t attempt_max_us = 10'000'000;

class Viewer final : ClientEnd {
 public:
  enum class Phase : std::uint8_t {
    absent,   // not here, and not about to be
    waiting,  // to connect again
    joining,
    open,
    over,  // told to stop
  };

  // One connection that was opened: what was said through it and what came of that.
  struct Talk {
    std::size_t connection = 0;
    bool is_older = false;     // its welcome is below what the viewer held, and had not said
    bool is_anothers = false;  // of somebody who has left for good: nobody is there to be told
    MemberId member;
    std::int64_t opened_us = 0;
    std::int64_t closed_us = INT64_MAX;
    std::int64_t answered_us = INT64_MIN;  // what was said before had its answer before the end
    std::vector<TakenOver> taken_over;     // of its welcome
    std::vector<std::int64_t> undone_us;   // when it was told so
    struct Said {
      std::uint64_t number;
      std::int64_t sent_us;
      Place held{};  // by the sender, when it said it
      Place seen{};  // of its state, by the sender, at last; none: it has not seen it
    };
    std::array<std::vector<Said>, static_cast<std::size_t>(Kind::count_)> said{};
    std::array<std::uint32_t, static_cast<std::size_t>(Kind::count_)> errors{};
    // Of these: `unavailable`. Where its home was not heard of in time, it may have been carried
    // out.
    std::array<std::uint32_t, static_cast<std::size_t>(Kind::count_)> doubts{};

    bool is_open() const noexcept { return closed_us == INT64_MAX; }
  };

  Viewer(World& world, std::size_t index, SimSession& session, Random random) noexcept;

  std::size_t index() const noexcept { return index_; }
  SimSession& session() const noexcept { return session_; }
  Phase phase() const noexcept { return phase_; }
  bool is_open() const noexcept { return phase_ == Phase::open; }
  bool is_reading() const noexcept { return is_reading_; }
  SimConnection* connection() const noexcept { return connection_; }

  // What it holds. Of a viewer that is open.
  MemberId id() const noexcept { return id_; }
  const SeenState& state() const noexcept { return state_; }
  std::uint64_t newest_seen() const noexcept { return newest_seen_; }  // of the commands in states
  // A new host begins a new epoch, with no word about the state, which stays.
  Place held() const noexcept {
    return {std::max(state_.place.epoch, host_epoch_), state_.place.seq};
  }
  MemberId host() const noexcept { return host_; }
  bool is_host_away() const noexcept { return is_host_away_; }
  const std::map<MemberId, std::string>& members() const noexcept { return members_; }
  std::uint32_t count() const noexcept { return count_; }
  std::uint32_t ready() const noexcept { return ready_; }  // how many are
  QueueItemId up_next() const noexcept { return up_next_; }
  const std::vector<QueueItemId>& queue() const noexcept { return queue_; }
  const std::string& settings() const noexcept { return settings_; }  // who controls first
  std::deque<Talk>& talks() noexcept { return talks_; }
  std::int64_t changed_us() const noexcept { return changed_us_; }  // of its phase

  // --- Acts; each does nothing where it makes no sense
  // -----------------------------------------------
  void come();
  void leave();
  void lose(std::uint64_t salt);
  void vanish(std::uint64_t salt);
  void stop_reading(std::int64_t for_us);
  void read_again();
  void say(Kind kind);
  void say_plain(ClientMessage message);
  // Of that kind: what was sent and is neither carried out nor refused.
  std::size_t outstanding(Kind kind) const;
  // The machine at the other end is dead; it may take a while until that shows.
  void on_node_dead(std::int64_t after_us);
  // Peace: nobody stays away for long.
  void hurry();

  std::string name() const { return "viewer " + std::to_string(index_); }

 private:
  void on_reply(SimConnection& connection, const SessionReply& reply) override;
  void on_frame(SimConnection& connection, const FrameRef& frame) override;
  void on_closed(SimConnection& connection, std::uint16_t code) override;

  void set_phase(Phase phase) noexcept;
  void connect();
  void connect_later(std::int64_t min_us, std::int64_t max_us);
  void on_attempt_late(std::size_t connection);
  void part(std::int64_t now_us) noexcept;
  void forget() noexcept;
  void send(ClientMessage message);
  void on_welcome(const Frame& frame);
  void check_time(std::int64_t told_us);
  void hold_state(const SeenState& state, const FrameRef& frame, bool is_welcome);
  void hold_settings(const Frame& frame);
  bool is_at_door() const noexcept;
  void give_up_waiting();
  void on_knocking();
  void on_knock(const Frame& frame);
  void hold_queue(const Frame& frame);
  void on_host(const Frame& frame);
  void on_members(const Frame& frame);
  void on_error(const Frame& frame);
  void on_talk(const Frame& frame);
  void on_notice(const Frame& frame);
  void check_due(std::size_t talk, Kind kind, std::size_t place);

  World& world_;
  const std::size_t index_;
  SimSession& session_;
  Random random_;
  Phase phase_ = Phase::absent;
  SimConnection* connection_ = nullptr;
  std::uint64_t attempt_ = 0;  // events of an older one are late
  bool is_reading_ = true;
  std::int64_t reading_since_us_ = 0;
  bool has_host_token_ = false;
  // When it comes back, what it holds: a welcome is then not below that. Some clients do not.
  bool tells_held_ = true;
  bool was_stopped_ = false;    // by a door
  bool has_abandoned_ = false;  // a join may be on its way behind the present one
  std::int64_t changed_us_ = 0;
  std::int64_t lost_us_ = 0;  // when the last connection was lost; 0: it was not
  std::deque<Talk> talks_;
  std::unordered_set<std::uint64_t> heard_;        // talk
  std::unordered_set<std::uint64_t> heard_lines_;  // ids of chat
  std::uint64_t chat_held_ = 0;                    // the newest of these

  MemberId id_;
  std::string name_;
  std::string resume_;
  FrameRef state_frame_;  // that state_ points into
  SeenState state_;
  std::uint64_t newest_seen_ = 0;
  MemberId host_;
  std::uint64_t host_epoch_ = 0;
  bool is_host_away_ = false;
  std::map<MemberId, std::string> members_;
  std::uint32_t count_ = 0;
  std::uint32_t ready_ = 0;
  std::string settings_;
  std::vector<QueueItemId> queue_;
  Place queue_place_;    // its epoch and version
  QueueItemId up_next_;  // none: nothing
};

}  // namespace videosync::sim
