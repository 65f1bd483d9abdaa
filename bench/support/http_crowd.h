// HttpCrowd: many HTTP connections that ask for the same thing, in one thread, at little cost each.
//
// Each has up to `pipeline` requests under way. Closed loop: an answer is followed by the next
// request. Open loop (`rate`): requests are due at fixed times and wait for a connection that is
// free; they are as late as they are answered after they were due. A slow crowd (`read_rate`) reads
// so many bytes a second and connection. One thread; times are microseconds.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bench/support/histogram.h"
#include "core/reactor/reactor.h"

namespace videosync::bench {

struct HttpPlan {
  std::uint16_t port = 0;
  std::string target = "/";
  std::size_t connections = 64;
  std::size_t pipeline = 1;
  // Ranges of this many bytes at multiples of it, chosen at random, of a file of `file_bytes`; 0:
  // the whole target.
  std::int64_t range_bytes = 0;
  std::int64_t file_bytes = 0;
  double rate = 0;             // requests a second of all connections; 0: closed loop
  std::int64_t read_rate = 0;  // bytes a second of one connection; 0: as fast as they come
};

struct HttpCounts {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;  // of bodies
};

class HttpCrowd {
 public:
  HttpCrowd(Reactor& reactor, HttpPlan plan);
  // REQUIRES close_all() before.
  ~HttpCrowd();
  HttpCrowd(const HttpCrowd&) = delete;
  HttpCrowd& operator=(const HttpCrowd&) = delete;

  // Connects all of them. False: see trouble().
  bool open();
  // Begins to ask.
  void start();
  // Makes due requests and turns the reactor once.
  void turn(std::int64_t wait_max_ms);
  void close_all();

  // The first thing that went wrong; "" while all is well.
  const std::string& trouble() const noexcept { return trouble_; }
  // Since the last forget().
  const HttpCounts& counts() const noexcept { return counts_; }
  const Histogram& latency() const noexcept { return *latency_; }
  void forget();

 private:
  class Connection;
  class Streaming;
  class Skimming;

  // A slow crowd is looked after so often.
  static constexpr std::int64_t slice_us = 50'000;

  BufferRef next_request();
  void ask_at(Connection& connection, std::int64_t due_us);
  void ask_due();
  void on_answer(Connection& connection, std::int64_t due_us);
  void let_slow_read();
  bool are_retired() const noexcept;
  std::int64_t now_us() const noexcept { return reactor_.clock().monotonic_us(); }

  Reactor& reactor_;
  const HttpPlan plan_;
  BufferRef fixed_request_;
  std::mt19937_64 random_{1};  // the same ranges in every run
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> free_;  // open loop: who has no request under way
  std::int64_t started_us_ = 0;
  std::uint64_t made_ = 0;            // open loop: requests that have been due
  std::deque<std::int64_t> waiting_;  // open loop: due, and nobody free
  std::int64_t next_slice_us_ = 0;
  bool is_closing_ = false;
  std::string trouble_;
  HttpCounts counts_;
  std::unique_ptr<Histogram> latency_ = std::make_unique<Histogram>();
};

}  // namespace videosync::bench
