// ViewerCrowd: thousands of WebSocket members of one audience, in one thread, at little cost each.
//
// They connect, answer pings and otherwise only listen; the first one publishes. Some may be
// silent: once they have joined they read nothing. A crowd may also follow what another process on
// this machine publishes: of ours, a state's position says when it was due (CLOCK_MONOTONIC). At
// most `joins_in_flight` handshakes are under way, well under a listener's backlog. Driven by
// turn(): the caller owns the reactor and decides for how long. One thread. Times are microseconds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/support/histogram.h"
#include "core/reactor/reactor.h"

namespace videosync::bench {

// How a server is spoken to.
struct Dialect {
  std::string target = "/";  // of the upgrade request
  // Ours: a member is in with its `welcome`, publishing is a seek. Otherwise a server that sends
  // every text unchanged to all who are connected: in with the upgrade's answer.
  bool is_ours = false;
};

struct Broadcast {
  std::int64_t intended_us = 0;  // when it was to be published; arrivals count from here
  std::int64_t first_us = 0;
  std::int64_t last_us = 0;
  std::size_t arrivals = 0;
};

class ViewerCrowd {
 public:
  ViewerCrowd(Reactor& reactor, std::uint16_t port, Dialect dialect);
  // REQUIRES close_all() before, where anybody had connected.
  ~ViewerCrowd();
  ViewerCrowd(const ViewerCrowd&) = delete;
  ViewerCrowd& operator=(const ViewerCrowd&) = delete;

  // Has this many members in all, the last `silent` of them silent; turn until joined() says so.
  void want_members(std::size_t count, std::size_t silent = 0) noexcept;
  std::size_t joined() const noexcept { return joined_; }
  std::size_t readers() const noexcept { return wanted_ - silent_; }
  // The first thing that went wrong; "" while all is well.
  const std::string& trouble() const noexcept { return trouble_; }
  // From connect() to being in, of those who joined since forget_joins().
  const Histogram& joins() const noexcept { return *joins_; }
  void forget_joins() { *joins_ = Histogram{}; }
  std::uint64_t bytes_received() const noexcept { return bytes_received_; }

  // A broadcast that was due at `intended_us` leaves now.
  void publish(std::int64_t intended_us);
  // From now on states that somebody else publishes are broadcasts, too; each counts when it first
  // arrives. REQUIRES a dialect of ours.
  void follow() noexcept { follows_ = true; }
  // Every broadcast has reached every reader.
  bool is_delivered() const noexcept { return outstanding_ == 0; }
  const std::vector<Broadcast>& broadcasts() const noexcept { return broadcasts_; }
  const Histogram& deliveries() const noexcept { return *deliveries_; }
  // Of one delivered frame, with its header.
  std::size_t frame_bytes() const noexcept { return frame_bytes_; }

  void turn(std::int64_t wait_max_ms);
  void close_all();

 private:
  static constexpr std::size_t joins_in_flight = 128;

  class Member;

  void connect_one();
  void on_joined(Member& member);
  void on_text(Member& member, std::string_view text, std::size_t frame_bytes);
  void on_state(Member& member, std::string_view text, std::size_t frame_bytes);
  void begin_broadcast(std::int64_t intended_us);
  void on_lost(std::string_view why);
  std::int64_t now_us() const noexcept { return reactor_.clock().monotonic_us(); }

  Reactor& reactor_;
  const std::uint16_t port_;
  const Dialect dialect_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<std::string> idle_texts_;  // empty, with capacity
  std::size_t wanted_ = 0;
  std::size_t silent_ = 0;
  std::size_t joined_ = 0;
  std::size_t retired_ = 0;
  bool follows_ = false;
  bool is_closing_ = false;
  std::string trouble_;
  std::uint64_t bytes_received_ = 0;
  std::vector<Broadcast> broadcasts_;
  std::size_t outstanding_ = 0;  // deliveries of all broadcasts that have not arrived
  std::size_t frame_bytes_ = 0;
  std::unique_ptr<Histogram> joins_ = std::make_unique<Histogram>();
  std::unique_ptr<Histogram> deliveries_ = std::make_unique<Histogram>();
};

}  // namespace videosync::bench
