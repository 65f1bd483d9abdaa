// World: a whole run: nodes, a Redis, sessions and viewers, and what is done to them by a plan.
//
// Made, run once, asked what was found. It stops at the first finding. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/sim/census.h"
#include "tests/sim/connection.h"
#include "tests/sim/node.h"
#include "tests/sim/plan.h"
#include "tests/sim/redis.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/story.h"
#include "tests/sim/viewer.h"

namespace videosync::sim {

struct RunTotals {
  std::uint64_t steps = 0;
  std::uint64_t faults = 0;
  std::uint64_t commands = 0;
  std::uint64_t checks = 0;  // times of peace that were looked at
  std::uint64_t redis_commands = 0;
  std::uint64_t wrong_doubts = 0;  // commands that count and were refused as `unavailable`
  std::uint64_t gone = 0;      // commands that went with their connection: neither done nor refused
  std::uint64_t silences = 0;  // losses of messages alone after which all was looked at
  std::uint64_t slow_times = 0;  // and times in which nothing was lost, and the store was slow
};

class World final : RedisWitness, SayingWitness {
 public:
  // `story`: where it is told; null: nowhere.
  explicit World(const Plan& plan, std::FILE* story = nullptr);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void run();
  // Instead of run(): all viewers come, and each act is performed so many times.
  std::vector<CensusLine> take_census(std::uint32_t times);
  const std::optional<Finding>& finding() const noexcept { return finding_; }
  RunTotals totals() const noexcept;

  // --- For its parts
  // -------------------------------------------------------------------------------
  Scheduler& scheduler() noexcept { return scheduler_; }
  std::int64_t now_us() const noexcept { return scheduler_.now_us(); }
  const Plan& plan() const noexcept { return plan_; }
  template <class... Values>
  void tell(fmt::format_string<Values...> format, Values&&... values) {
    story_.tell(format, std::forward<Values>(values)...);
  }
  template <class... Values>
  void find(const char* check, fmt::format_string<Values...> format, Values&&... values) {
    if (finding_) return;
    finding_ = Finding{check, fmt::format(format, std::forward<Values>(values)...)};
    tell("FOUND {}: {}", check, finding_->words);
  }
  bool is_told() const noexcept { return story_.is_told(); }
  bool is_peace() const noexcept { return is_peace_; }
  std::vector<std::unique_ptr<SimNode>>& nodes() noexcept { return nodes_; }
  // A node to connect to: one that is up, unless there is none.
  std::size_t choose_node(Random& random) const;
  SimConnection& open(std::size_t node, const Uuid& key, ClientEnd& client, Order order);
  std::uint64_t next_command() noexcept { return ++commands_; }
  void note_said(std::uint64_t command, std::size_t node) {
    said_.try_emplace(command, now_us(), node);
  }
  void note_end(SimSession& session, const char* who, const char* how);
  void note_over(SimSession& session);
  // When the node last went on after it had stood still; now, while it stands still.
  std::int64_t awake_since_us(std::size_t node) const noexcept;
  void note_disturbance() noexcept { disturbed_us_ = now_us(); }
  // Somebody was refused as the store was away, or so it says: nothing broke where its session is.
  void check_apart(const SimSession& session, const std::string& who, std::string_view what);
  // Of a session that the store has lost: a node that has members of it keeps it, and leaves it to
  // the store before it forgets it; when none of them is left, nothing is.
  void note_keeper(const Viewer& viewer);
  void note_left(SimSession& session);
  void note_hidden(SimSession& session);
  void note_unheard(std::size_t node);
  void note_heard(std::size_t node);
  void note_let_go(SimSession& session, std::size_t node);
  void note_given_away(SimSession& session, std::size_t node, const RedisCommand& command);
  bool has_nobody(const SimSession& session, std::size_t node) const noexcept;
  // The store forgot something, and a node that may have known it died: ids may be given anew.
  bool may_have_forgotten(const SimSession& session) const noexcept {
    return session.may_be_doubled;
  }

 private:
  class Asker;

  // RedisWitness, SayingWitness
  void on_redis_write(std::size_t node, std::size_t server, const RedisCommand& command,
                      RedisData::Outcome outcome, const RedisData::Entry* before) override;
  void on_redis_refused(std::size_t node, const RedisCommand& command) override;
  void on_redis_publish(const BufferRef& event, std::size_t followers) override;
  void on_frame_said(std::size_t node, const Uuid& key, const FrameRef& frame) override;
  void on_event_said(std::size_t node, const Uuid& channel, const BufferRef& event) override;
  void on_let_in(std::size_t node, const Uuid& key, MemberId member,
                 ConnectionNumber number) override;
  void on_gone(std::size_t node, MemberId member, ConnectionNumber number) override;
  void on_store_ready(std::size_t node) override;

  SimSession* session_of(const Uuid& key) noexcept;
  std::size_t shard_of(const Uuid& key) const noexcept { return sim::shard_of(key, plan_.shards); }
  // That has its record.
  RedisServer& server_of(const SimSession& session) noexcept {
    return redis_.server(masters_[shard_of(session.key)]);
  }
  void note_move(std::size_t node, const RedisCommand& command);
  void check_late(const SeenState& state);
  void check_reserved(SimSession& session, std::size_t node, MemberId member);
  void check_in_time(std::size_t node, const node::Joined& joined);
  void check_take_over(const SimSession& session, std::size_t node, const RedisCommand& command,
                       const RedisData::Entry& before);
  void check_fencing(SimSession& session, std::size_t node, const RedisCommand& command,
                     const RedisData::Entry* before);
  void prepare();
  void ask(SimSession& session, std::size_t node, Order order,
           std::function<void(const SessionReply*)> done);
  bool run_until(std::int64_t time_us);
  bool run_while(const std::function<bool()>& condition, std::int64_t longest_us);

  // Acts (acts.cpp).
  void perform(const Action& action);
  void perform_by(Viewer& viewer, const Action& action);
  std::vector<MemberId> some_of(const SimSession& session, std::uint64_t salt) const;
  void change_queue(Viewer& viewer, std::uint64_t salt);
  void close_door(Viewer& viewer, std::uint64_t salt);
  void burst(Viewer& viewer, std::uint64_t salt);
  void give(Viewer& viewer, std::uint64_t salt, bool is_kick);
  void ask_info(Viewer& viewer, std::uint64_t salt);
  void ask_valid(Viewer& viewer, std::uint64_t salt);
  void remove(Viewer& viewer, std::uint64_t salt);

  // Faults (faults.cpp).
  void break_something(const Action& action);
  void crash(SimNode& node, bool is_silent, bool has_given = false);
  void start(SimNode& node);
  void stand_still(SimNode& node, std::int64_t for_us);
  void drain(SimNode& node, std::int64_t for_us);
  void drain_step(std::size_t node, std::size_t of_process, std::int64_t end_us);
  void cut_off(SimNode& node, std::uint64_t salt, std::int64_t for_us);
  void hold(SimNode& node, std::uint64_t salt, std::int64_t for_us);
  std::size_t draw_shard(std::uint64_t salt) const noexcept;
  std::optional<std::size_t> draw_way(std::uint64_t salt) const noexcept;
  void kill_redis(std::uint64_t salt);
  void kill_redis(std::size_t shard, std::uint64_t salt);
  void note_store_loss(std::size_t shard);
  void refuse_writes(std::uint64_t salt);
  void promote_replica(std::uint64_t salt);
  void mend();
  bool is_displaced(const SimConnection& connection);

  // Peace (peace.cpp).
  void make_peace();
  bool check_soon_agreed();
  bool await_silence();
  bool is_settled();
  std::string unsettled();  // what is not, in words; "": nothing
  void check_forks(SimSession& session);
  void check_agreement(SimSession& session);
  void check_displaced();
  void check_stored(SimSession& session);
  void ask_everyone(SimSession& session);
  void check_barred(SimSession& session, const std::vector<BrowserId>& stored);
  void knock_barred(SimSession& session);
  void part_doubles();
  void check_probes();
  void check_commands();
  bool is_over(const SimSession& session);
  void check_refusals(Viewer& viewer, Kind kind);
  void check_talk(Viewer& viewer, Viewer::Talk& talk);
  void check_gone(const Viewer& viewer, const Viewer::Talk& talk, Kind kind, unsigned unknown);
  void check_seen(Viewer& viewer, std::size_t talk);

  // Census (census.cpp).
  Viewer* host_of(const SimSession& session) noexcept;
  CensusLine count(const char* act, std::uint64_t times, std::int64_t each_us,
                   const std::function<void()>& perform);

  // Silence (silence.cpp).
  void keep_silence();
  void lose_something(Random& random);
  void be_slow(Random& random);
  void delay(Random& random, std::int64_t for_us);
  void act(Random& random, bool may_move);
  std::int64_t way_us() const noexcept;
  std::int64_t agreed_us(std::int64_t acted_us) const noexcept;
  std::uint64_t mended() const noexcept;
  std::size_t ready_since(std::int64_t time_us) const noexcept;

  const Plan plan_;
  Random random_;
  Scheduler scheduler_;
  Story story_;
  SimRedis redis_;
  SessionMachine::Limits limits_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::deque<SimSession> sessions_;
  std::deque<Viewer> viewers_;
  std::deque<SimConnection> connections_;
  std::deque<std::unique_ptr<Asker>> askers_;
  std::optional<Finding> finding_;
  Counted* census_ = nullptr;  // null: nothing is counted
  std::unordered_map<std::uint64_t, std::pair<std::int64_t, std::size_t>> said_;  // when, where
  std::uint64_t commands_ = 0;
  std::uint64_t faults_ = 0;
  std::uint64_t checks_ = 0;
  std::uint64_t wrong_doubts_ = 0;  // at the latest time of peace
  std::uint64_t gone_ = 0;          // likewise
  std::uint64_t silences_ = 0;
  std::uint64_t slow_times_ = 0;
  std::vector<std::size_t> masters_;  // by share of the slots
  bool is_peace_ = false;
  std::vector<std::int64_t> still_since_us_;    // by node; 0: it is not still
  std::vector<std::int64_t> unheard_since_us_;  // by node; 0: what it says gets to Redis
  std::vector<std::int64_t> started_us_;        // by node, its last process
  std::vector<std::int64_t> woke_us_;
  std::vector<std::int64_t> ready_us_;  // its store came
  std::int64_t disturbed_us_ = 0;
  std::int64_t said_us_ = 0;      // when a node last said anything of a state, a host or a list
  std::int64_t news_us_ = 0;      // ... or a state or a host that nobody had said before
  std::int64_t moved_us_ = 0;     // when a session last got another home, or was about to
  bool has_node_died_ = false;    // since the last time of peace
  bool has_more_failed_ = false;  // ... anything but that messages were lost
};

}  // namespace videosync::sim
