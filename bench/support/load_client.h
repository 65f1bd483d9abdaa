// LoadClient: thousands of viewers of one session, in one thread, at little cost each.
//
// Its members connect, are welcomed, answer pings and otherwise only listen; the first is the host
// and may seek. At most `joins_in_flight` handshakes are under way, well under a listener's
// backlog. Driven by turn(): the caller owns the reactor and decides for how long. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/reactor/reactor.h"

namespace videosync::bench {

// A value below which the share `q` (0 to 1) of the samples lies; 0 without samples. Sorts.
std::int64_t quantile(std::vector<std::int64_t>& samples, double q);

class LoadClient {
 public:
  LoadClient(Reactor& reactor, std::uint16_t port, std::string session_key);
  // REQUIRES close_all() before, where anybody had connected.
  ~LoadClient();
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

  // Has this many members in all; turn until welcomed() says so.
  void want_members(std::size_t count) noexcept { wanted_ = count; }
  std::size_t welcomed() const noexcept { return welcomed_; }
  std::size_t lost() const noexcept { return lost_; }
  // The first thing that went wrong; "" while all is well.
  const std::string& trouble() const noexcept { return trouble_; }
  // From connect() to `welcome`, of each member.
  std::vector<std::int64_t>& join_us() noexcept { return join_us_; }

  // The host seeks. arrivals_us() fills up with the time each member took to get the new state.
  void seek(double position);
  std::vector<std::int64_t>& arrivals_us() noexcept { return arrivals_us_; }

  void turn(std::int64_t wait_max_ms);
  void close_all();

 private:
  static constexpr std::size_t joins_in_flight = 128;

  class Member;

  void connect_one();
  void on_message(Member& member, std::string_view text);
  void on_lost(std::string_view why);
  std::int64_t now_us() const noexcept { return reactor_.clock().monotonic_us(); }

  Reactor& reactor_;
  const std::uint16_t port_;
  const std::string session_key_;
  std::vector<std::unique_ptr<Member>> members_;
  std::size_t wanted_ = 0;
  std::size_t welcomed_ = 0;
  std::size_t lost_ = 0;
  std::size_t retired_ = 0;
  bool is_closing_ = false;
  std::string trouble_;
  std::vector<std::int64_t> join_us_;
  std::vector<std::int64_t> arrivals_us_;
  std::int64_t sought_us_ = 0;
};

}  // namespace videosync::bench
