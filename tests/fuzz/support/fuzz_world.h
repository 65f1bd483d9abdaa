// FuzzWorld: one node as its sessions see it, the real Nodes and two workers' SessionDirectories,
// over a store that answers, fails and is written into as a fuzzer chooses. Asserts what the ports
// of a real node would: a connection is begun only where it asked to join, and closed with a code
// that there is.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/reactor/timer_wheel.h"
#include "proto/websocket/websocket_frames.h"
#include "server/metrics/metrics.h"
#include "server/nodes/nodes.h"
#include "server/session/session_directory.h"
#include "storage/memory_store.h"
#include "tests/support/manual_clock.h"

namespace videosync::fuzz {

inline Uuid uuid_of(std::uint8_t seed) noexcept {
  Uuid uuid;
  uuid.bytes.fill(seed);
  return uuid;
}

// Answers when told to, in order; while `is_away` it answers that.
class SlowStore final : public SessionStore {
 public:
  explicit SlowStore(const Clock& clock) : near_(clock) {}

  bool is_away = false;
  std::optional<StoredValue> planted;  // what the next load finds, whatever was stored

  bool answer_one() {
    if (answers_.empty()) return false;
    auto answer = std::move(answers_.front());
    answers_.pop_front();
    answer();
    return true;
  }
  SessionStore& now() noexcept { return near_; }

  void listen(SessionListener& listener) noexcept override { near_.listen(listener); }
  void create(const SessionName& name, StoreVersion version, BufferRef bytes, std::int64_t ttl_us,
              OnDone done) override {
    later(std::move(done),
          [=, this](OnDone d) { near_.create(name, version, bytes, ttl_us, std::move(d)); });
  }
  void load(const Uuid& key, OnValue done) override {
    later(std::move(done), [=, this](OnValue d) {
      if (planted) return d(*std::exchange(planted, std::nullopt));
      near_.load(key, std::move(d));
    });
  }
  void exists(const Uuid& key, OnExists done) override {
    later(std::move(done), [=, this](OnExists d) { near_.exists(key, std::move(d)); });
  }
  void find(ShortCode code, OnKey done) override {
    later(std::move(done), [=, this](OnKey d) { near_.find(code, std::move(d)); });
  }
  void change(const SessionName& name, StoreVersion expected, StoreVersion next, SessionBytes bytes,
              std::int64_t ttl_us, BufferRef event, OnDone done) override {
    VS_ASSERT(next > expected && bytes.bytes);
    later(std::move(done), [=, this](OnDone d) {
      near_.change(name, expected, next, bytes, ttl_us, event, std::move(d));
    });
  }
  void touch(const SessionName& name, std::int64_t ttl_us, OnDone done) override {
    later(std::move(done), [=, this](OnDone d) { near_.touch(name, ttl_us, std::move(d)); });
  }
  void remove(const SessionName& name, StoreVersion version, BufferRef event,
              OnDone done) override {
    later(std::move(done),
          [=, this](OnDone d) { near_.remove(name, version, event, std::move(d)); });
  }
  void publish(const Channel& channel, BufferRef event, OnReceivers done) override {
    VS_ASSERT(event);
    later(std::move(done),
          [=, this](OnReceivers d) { near_.publish(channel, event, std::move(d)); });
  }
  void follow(const Channel& channel, OnDone done) override {
    later(std::move(done), [=, this](OnDone d) { near_.follow(channel, std::move(d)); });
  }
  void unfollow(const Channel& channel) override { near_.unfollow(channel); }

 private:
  template <class Done, class Ask>
  void later(Done done, Ask ask) {
    answers_.emplace_back([this, done = std::move(done), ask = std::move(ask)]() mutable {
      if (is_away) {
        done(fail(ErrorCode::unavailable, "the store is away"));
      } else {
        ask(std::move(done));
      }
    });
  }

  MemoryStore near_;
  std::deque<std::move_only_function<void()>> answers_;
};

class FuzzWorld final : Delivery, Surroundings, NodesOwner {
 public:
  static constexpr std::size_t workers = 2;

  struct Client {
    Uuid key;
    bool asks_to_join = false;
    bool is_answered = false;
    bool is_waiting = false;
    MemberId member{};
    ConnectionNumber number{};
  };

  test::ManualClock clock;
  SlowStore store{clock};
  std::vector<Client> clients;
  bool is_leaving = false;

  FuzzWorld() {
    clock.advance_us(1'000'000);  // 0 means never
    timers_.expire(now_ms());
    store.listen(nodes);
    for (std::size_t i = 0; i < workers; ++i) {
      directories_[i] =
          std::make_unique<SessionDirectory>(SessionPorts{.worker = i,
                                                          .workers = workers,
                                                          .clock = clock,
                                                          .timers = timers_,
                                                          .store = store,
                                                          .delivery = *this,
                                                          .around = *this,
                                                          .metrics = metrics_.worker(i),
                                                          .limits = limits_,
                                                          .nodes = &nodes});
    }
    nodes.start();
    while (store.answer_one()) {
    }
    nodes.on_store_ready();
    turn();
  }
  FuzzWorld(const FuzzWorld&) = delete;
  FuzzWorld& operator=(const FuzzWorld&) = delete;
  ~FuzzWorld() { nodes.stop(); }

  SessionDirectory& directory_for(const Uuid& key) noexcept {
    return *directories_[worker_of(key, workers)];
  }
  ConnectionRef connect(const Uuid& key, bool asks_to_join) {
    clients.push_back({key, asks_to_join});
    return {.worker = 0, .slot = {static_cast<std::uint32_t>(clients.size() - 1), 1}};
  }
  void turn() {
    while (!tasks_.empty()) {
      for (InlineTask& task : std::exchange(tasks_, {}))
        task();
    }
    for (const auto& directory : directories_) {
      directory->on_turn_end();
      directory->check_invariants();
    }
  }
  void pass(std::int64_t us) {
    clock.advance_us(us);
    timers_.expire(now_ms());
  }

 private:
  static constexpr Uuid self_id = [] {
    Uuid id;
    id.bytes.fill(1);
    return id;
  }();

  std::int64_t now_ms() const noexcept { return clock.monotonic_us() / 1'000; }

  // Delivery
  void answer(ConnectionRef to, SessionReply) noexcept override {
    VS_ASSERT(!std::exchange(clients[to.slot.slot].is_answered, true));
  }
  void begin(ConnectionRef to, const Uuid& key, MemberId member, ConnectionNumber number,
             const BufferRef& welcome) noexcept override {
    Client& client = clients[to.slot.slot];
    VS_ASSERT(client.asks_to_join && client.key == key && welcome && member && number);
    if (std::exchange(client.is_waiting, false)) client.is_answered = false;
    VS_ASSERT(!std::exchange(client.is_answered, true));
    client.member = member;
    client.number = number;
  }
  void knock(ConnectionRef to, const Uuid& key, ConnectionNumber number,
             const BufferRef& frame) noexcept override {
    Client& client = clients[to.slot.slot];
    VS_ASSERT(client.asks_to_join && client.key == key && number && frame);
    VS_ASSERT(!std::exchange(client.is_answered, true));
    client.is_waiting = true;
  }
  void send(ConnectionRef, const BufferRef& frame, SendClass) noexcept override {
    VS_ASSERT(frame);
  }
  void close(ConnectionRef, std::uint16_t code) noexcept override { make_close_frame(code, ""); }
  void broadcast(std::size_t worker, const Uuid&, const BufferRef& frame, SendClass,
                 std::int64_t sent_us) noexcept override {
    VS_ASSERT(worker < workers && frame && sent_us >= 0);
    metrics_.worker(worker).observe(Histogram::node_lag_seconds, clock.server_us() - sent_us);
  }
  void close_all(std::size_t worker, const Uuid&, std::uint16_t code) noexcept override {
    VS_ASSERT(worker < workers);
    make_close_frame(code, "");
  }

  // Surroundings
  void post(std::size_t, InlineTask task) noexcept override { tasks_.push_back(std::move(task)); }
  SessionDirectory& directory_of(std::size_t worker) noexcept override {
    return *directories_[worker];
  }
  std::optional<VideoChoice> choose_video(const std::optional<std::string>& id) noexcept override {
    if (id && *id != "film") return std::nullopt;
    return VideoChoice{"film", 100};
  }
  std::optional<VideoChoice> next_episode(const std::string&) noexcept override {
    return std::nullopt;
  }
  std::string title_of(const std::string& id) noexcept override { return id; }
  void fill_random(std::span<std::uint8_t> bytes) noexcept override {
    std::ranges::fill(bytes, std::uint8_t{7});
    if (bytes.size() < sizeof(Token)) bytes.back() = ++codes_;  // each session its own, mostly
  }
  bool is_draining() const noexcept override { return is_leaving; }

  // NodesOwner
  Totals totals() noexcept override { return {}; }
  void on_degraded(const SharedSlots&, bool) noexcept override {}
  void on_round_trip(std::int64_t) noexcept override {}
  void void_store_calls(const SharedSlots&) noexcept override {}

  const SessionMachine::Limits limits_;
  Metrics metrics_{workers, "fuzz"};
  TimerWheel timers_{0};
  std::vector<InlineTask> tasks_;
  std::uint8_t codes_ = 0;
  std::array<std::unique_ptr<SessionDirectory>, workers> directories_;

 public:
  Nodes nodes{NodesPorts{.clock = clock,
                         .timers = timers_,
                         .store = store,
                         .around = *this,
                         .workers = workers,
                         .self = self_id},
              *this};
};

}  // namespace videosync::fuzz
