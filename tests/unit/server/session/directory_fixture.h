// DirectoryFixture: a SessionDirectory of a node among others, without ring, sockets and other
// nodes: the test holds the clock, lets the store answer, and reads what has been said.
#pragma once

#include <criterion/criterion.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/reactor/timer_wheel.h"
#include "proto/wire/node_messages.h"
#include "server/digest.h"
#include "server/metrics/metrics.h"
#include "server/session/ports.h"
#include "server/session/session_directory.h"
#include "server/session/stored_session.h"
#include "tests/support/manual_clock.h"
#include "tests/unit/server/session/distant_store.h"

namespace videosync::test {

class DirectoryFixture final : Delivery, Surroundings, NodePort, SessionListener {
 public:
  struct Begun {
    MemberId member;
    ConnectionNumber number;
    std::string welcome;
  };
  // What one client has been told.
  struct Client {
    std::vector<SessionReply> replies;
    std::optional<Begun> begun;
    std::vector<std::string> sent{};          // frames, to it alone
    std::optional<ConnectionNumber> waits{};  // it was told to wait, under that number
    std::optional<std::uint16_t> closed{};    // with that code
  };
  std::vector<std::string> broadcasts;  // frames, to all members of a session here

  ManualClock clock;
  DistantStore store{clock};
  std::vector<node::Envelope> said;        // on the channels that are followed
  std::vector<Uuid> said_to;               // the channels, one of each
  bool is_leaving = false;                 // the node drains
  std::optional<VideoChoice> following{};  // the next episode, as the library here knows it
  double duration_s = 100;                 // of the film, as the library here knows it
  std::deque<std::uint64_t> codes;         // to be drawn next
  std::vector<SharedSums> sums;            // of the last round
  std::string unsaved;                     // why the store refuses changes, as Nodes know
  std::vector<Uuid> compared_again;        // nodes with which it is to be

  DirectoryFixture() {
    clock.advance_us(step_us);  // 0 means never
    timers_.expire(now_ms());
    store.listen(*this);
    directory_ = std::make_unique<SessionDirectory>(SessionPorts{.clock = clock,
                                                                 .timers = timers_,
                                                                 .store = store,
                                                                 .delivery = *this,
                                                                 .around = *this,
                                                                 .metrics = metrics_.worker(0),
                                                                 .limits = limits_,
                                                                 .nodes = this});
    directory_->on_store_ready();
  }
  DirectoryFixture(const DirectoryFixture&) = delete;
  DirectoryFixture& operator=(const DirectoryFixture&) = delete;

  SessionDirectory& directory() { return *directory_; }
  const Metrics& metrics() const noexcept { return metrics_; }
  const Uuid& self() const noexcept override { return self_; }

  ConnectionRef connect() {
    clients_.emplace_back();
    return {.worker = 0, .slot = {static_cast<std::uint32_t>(clients_.size() - 1), 1}};
  }
  const Client& client(ConnectionRef ref) const { return clients_.at(ref.slot.slot); }
  // The one answer, if it is of that kind.
  template <class Kind>
  std::optional<Kind> answer_of(ConnectionRef ref) const {
    const auto& replies = client(ref).replies;
    cr_assert_leq(replies.size(), 1u, "answered %zu times", replies.size());
    const auto* answer = replies.empty() ? nullptr : std::get_if<Kind>(&replies.front());
    return answer != nullptr ? std::optional(*answer) : std::nullopt;
  }
  std::uint64_t count(Counter counter) const noexcept { return metrics_.total(counter); }
  bool is_answered(ConnectionRef ref) const {
    return !client(ref).replies.empty() || client(ref).begun;
  }

  // The tasks that have been posted, then the end of the turn.
  void turn() {
    while (!tasks_.empty()) {
      for (InlineTask& task : std::exchange(tasks_, {}))
        task();
    }
    directory_->on_turn_end();
    directory_->check_invariants();
  }
  // Until nothing is asked any more.
  void answer_all() {
    do {
      store.answer_all();
      turn();
    } while (!store.answers.empty());
  }
  // Time goes by, timers as they fall due; the store answers nothing.
  void pass(std::int64_t us) {
    for (std::int64_t left_us = us; left_us > 0; left_us -= step_us) {
      clock.advance_us(std::min(step_us, left_us));
      timers_.expire(now_ms());
      turn();
    }
  }

  // The part of the store in whose slots it lies, and nothing else that a test draws.
  static SharedSlots part_of(const Uuid& key) {
    SlotSet slots;
    slots.set(slot_of(key));
    return std::make_shared<const SlotSet>(slots);
  }
  void lose_part(const SharedSlots& slots) {
    store.away |= *slots;
    directory_->on_part_lost(slots);
    turn();
  }
  void regain_part(const SharedSlots& slots) {
    store.away &= ~*slots;
    directory_->on_part_ready(slots);
    turn();
  }

  // A session that only the store has.
  Uuid create() {
    const Uuid key = Uuid::random_v4();
    const ConnectionRef maker = connect();
    directory_->on_create(key, {}, maker);
    answer_all();
    cr_assert(answer_of<SessionCreated>(maker));
    return key;
  }
  // Of a session that nobody else has open: this node becomes its home.
  Begun join(const Uuid& key) {
    const ConnectionRef from = connect();
    directory_->on_join(key, {}, from);
    answer_all();
    cr_assert(client(from).begun.has_value());
    return *client(from).begun;
  }
  // As that member, with the state that it says to have seen.
  ConnectionRef resume(const Uuid& key, MemberId member, HeldState held) {
    const ConnectionRef from = connect();
    SessionMachine::JoinRequest request;
    request.resume = ResumeToken{member, resume_secret(random_token(), member)};
    request.held = held;
    directory_->on_join(key, request, from);
    turn();
    return from;
  }
  StoreVersion stored_version(const Uuid& key) {
    StoreVersion version;
    store.load(key, [&](const Result<StoredValue>& value) noexcept {
      if (value) version = value->version;
    });
    store.answer_all();
    return version;
  }

 private:
  static constexpr std::int64_t step_us = 50'000;

  static Token random_token() noexcept {
    Token token;
    token.bytes.fill(7);
    return token;
  }
  std::int64_t now_ms() const noexcept { return clock.monotonic_us() / 1'000; }

  // Delivery
  void answer(ConnectionRef to, SessionReply reply) noexcept override {
    clients_[to.slot.slot].replies.push_back(std::move(reply));
  }
  void begin(ConnectionRef to, const Uuid&, MemberId member, ConnectionNumber number,
             const BufferRef& welcome) noexcept override {
    clients_[to.slot.slot].begun = Begun{member, number, std::string(welcome.text())};
  }
  void send(ConnectionRef to, const BufferRef& frame, SendClass) noexcept override {
    if (to.slot.slot < clients_.size()) clients_[to.slot.slot].sent.emplace_back(frame.text());
  }
  void knock(ConnectionRef to, const Uuid&, ConnectionNumber number,
             const BufferRef&) noexcept override {
    Client& client = clients_[to.slot.slot];
    cr_assert(!client.waits && !client.begun && client.replies.empty());
    client.waits = number;
  }
  void close(ConnectionRef to, std::uint16_t code) noexcept override {
    if (to.slot.slot < clients_.size()) clients_[to.slot.slot].closed = code;
  }
  void broadcast(std::size_t, const Uuid&, const BufferRef& frame, SendClass,
                 std::int64_t) noexcept override {
    broadcasts.emplace_back(frame.text());
  }
  void close_all(std::size_t, const Uuid&, std::uint16_t) noexcept override {}

  // Surroundings
  void post(std::size_t, InlineTask task) noexcept override { tasks_.push_back(std::move(task)); }
  SessionDirectory& directory_of(std::size_t) noexcept override { return *directory_; }
  std::optional<VideoChoice> choose_video(const std::optional<std::string>&) noexcept override {
    return VideoChoice{"film", duration_s};
  }
  std::optional<VideoChoice> next_episode(const std::string& id) noexcept override {
    return id == "film" ? following : std::nullopt;
  }
  std::string title_of(const std::string& id) noexcept override { return "The " + id; }
  // Tokens are all the same one; codes count, but for those that the test has chosen.
  void fill_random(std::span<std::uint8_t> bytes) noexcept override {
    if (bytes.size() == sizeof(Token)) {
      std::ranges::copy(random_token().bytes, bytes.begin());
      return;
    }
    std::uint64_t code = codes.empty() ? next_code_++ : codes.front();
    if (!codes.empty()) codes.pop_front();
    for (std::size_t i = bytes.size(); i-- > 0; code >>= 8)
      bytes[i] = static_cast<std::uint8_t>(code);
  }
  bool is_draining() const noexcept override { return is_leaving; }

  // NodePort
  void watch(const Uuid&) noexcept override {}
  void report_deaf(const Uuid&) noexcept override {}
  void report_hearing(const Uuid&) noexcept override {}
  void report_unsaved(std::size_t, std::string why, std::uint16_t) noexcept override {
    unsaved = std::move(why);
  }
  void report_written_back(std::size_t) noexcept override {}
  void add_sums(std::uint64_t, std::vector<SharedSums> all) noexcept override {
    sums = std::move(all);
  }
  void compare_again(const Uuid& node) noexcept override { compared_again.push_back(node); }

  // SessionListener
  void on_session_event(const Uuid& channel, const BufferRef& event) noexcept override {
    auto envelope = node::decode(event.text());
    if (!envelope) return;
    said.push_back(std::move(*envelope));
    said_to.push_back(channel);
  }

  std::uint64_t next_code_ = 1'000;
  const Uuid self_ = Uuid::random_v4();
  const SessionMachine::Limits limits_;
  Metrics metrics_{1, "test"};
  TimerWheel timers_{0};
  std::vector<Client> clients_;
  std::vector<InlineTask> tasks_;
  std::unique_ptr<SessionDirectory> directory_;
};

inline bool is_unavailable(const DirectoryFixture& node, ConnectionRef from) {
  return node.answer_of<SessionFault>(from) == SessionFault::unavailable;
}

}  // namespace videosync::test
