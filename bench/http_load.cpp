// Has connections ask the server at `--port` for one target or for ranges of it, and prints what
// that costs the process `--pid`: one line of JSON. run.mjs starts the servers.
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>

#include "bench/support/http_crowd.h"
#include "bench/support/load_process.h"
#include "bench/support/process_probe.h"

namespace videosync::bench {

namespace {

struct Options {
  HttpPlan plan;
  pid_t pid = 0;
  double seconds = 1;
  std::uint64_t requests = 0;
  double warm_up = 0.2;
  std::string evict;
};

constexpr std::int64_t evict_every_us = 50'000;

volatile sig_atomic_t is_told_to_end = 0;

class HttpLoad {
 public:
  HttpLoad(const Options& options, Reactor& reactor)
      : options_(options),
        reactor_(reactor),
        server_(options.pid),
        crowd_(reactor, options.plan),
        evicted_(options.evict.empty() ? -1 : ::open(options.evict.c_str(), O_RDONLY | O_CLOEXEC)) {
  }
  ~HttpLoad() {
    crowd_.close_all();
    if (evicted_ >= 0) ::close(evicted_);
  }
  HttpLoad(const HttpLoad&) = delete;
  HttpLoad& operator=(const HttpLoad&) = delete;

  // False: see trouble().
  bool run() {
    const MemoryByProcess before = server_.memory();
    if (!crowd_.open()) return false;
    crowd_.start();
    go_on(options_.warm_up);
    crowd_.forget();
    server_.begin_cpu();
    const std::int64_t began_us = now_us();
    go_on(options_.seconds);
    const CpuTime cpu = server_.cpu();
    const auto elapsed_us = static_cast<double>(now_us() - began_us);
    const std::int64_t grown = growth(before, server_.memory()).anonymous;
    if (trouble().empty()) print_json(cpu, elapsed_us, grown);
    return trouble().empty();
  }

  const std::string& trouble() const noexcept { return crowd_.trouble(); }

 private:
  std::int64_t now_us() const { return reactor_.clock().monotonic_us(); }

  void go_on(double seconds) {
    const std::int64_t until_us = now_us() + static_cast<std::int64_t>(seconds * 1e6);
    while (now_us() < until_us && trouble().empty() && is_told_to_end == 0 && !has_enough()) {
      evict();
      crowd_.turn(std::clamp<std::int64_t>((until_us - now_us()) / 1'000, 0, 10));
    }
  }

  bool has_enough() const noexcept {
    return options_.requests > 0 && crowd_.counts().requests >= options_.requests;
  }

  // What has been read leaves the page cache, so that it has to be read again.
  void evict() {
    if (evicted_ < 0 || now_us() < next_eviction_us_) return;
    ::posix_fadvise(evicted_, 0, 0, POSIX_FADV_DONTNEED);
    next_eviction_us_ = now_us() + evict_every_us;
  }

  void print_json(const CpuTime& cpu, double elapsed_us, std::int64_t grown) const {
    const auto requests = static_cast<double>(crowd_.counts().requests);
    const auto bytes = static_cast<double>(crowd_.counts().bytes);
    const double cpu_us = cpu.total_us / std::max(requests, 1.0);
    const Histogram& latency = crowd_.latency();
    fmt::print(
        R"({{"requests":{},"requestsPerSecond":{:.1f},"requestsPerCpuSecond":{:.1f},"cpuUs":{:.4f},)"
        R"("userUs":{:.4f},"busyShare":{:.3f},"bytesPerSecond":{:.0f},"cpuSecondsPerGb":{:.5f},)"
        R"("p50Us":{},"p99Us":{},"p999Us":{},"maxUs":{},"grownBytesPerConnection":{:.1f}}})"
        "\n",
        crowd_.counts().requests, requests * 1e6 / elapsed_us, requests * 1e6 / cpu.total_us,
        cpu_us, cpu.user_share < 0 ? -1 : cpu_us * cpu.user_share, cpu.total_us / elapsed_us,
        bytes * 1e6 / elapsed_us, cpu.total_us * 1e3 / std::max(bytes, 1.0), latency.quantile(0.5),
        latency.quantile(0.99), latency.quantile(0.999), latency.max(),
        static_cast<double>(grown) / static_cast<double>(options_.plan.connections));
  }

  const Options& options_;
  Reactor& reactor_;
  ProcessProbe server_;
  HttpCrowd crowd_;
  const int evicted_;
  std::int64_t next_eviction_us_ = 0;
};

int fail_with(std::string_view why) {
  fmt::print(stderr, "http_load: {}\n", why);
  return 1;
}

int measure(const Options& options) {
  raise_descriptor_limit();
  ::signal(SIGTERM, [](int) { is_told_to_end = 1; });
  const SystemClock clock;
  const auto reactor = start_reactor(clock);
  if (!reactor) return fail_with(reactor.error().message);
  HttpLoad load(options, **reactor);
  return load.run() ? 0 : fail_with(load.trouble());
}

}  // namespace

}  // namespace videosync::bench

int main(int argc, char** argv) {
  using namespace videosync::bench;
  Options options;
  CLI::App app{"Connections ask a server for one thing; prints what that costs it, as JSON"};
  app.option_defaults()->always_capture_default();
  app.add_option("--port", options.plan.port, "the server's, on 127.0.0.1")->required();
  app.add_option("--pid", options.pid, "the server's process")->required();
  app.add_option("--target", options.plan.target, "of the requests");
  app.add_option("--connections", options.plan.connections, "at once");
  app.add_option("--pipeline", options.plan.pipeline, "requests under way on each");
  app.add_option("--range-bytes", options.plan.range_bytes, "ask for ranges of so many bytes");
  app.add_option("--file-bytes", options.plan.file_bytes, "... of a file that has so many");
  app.add_option("--rate", options.plan.rate, "requests a second in all; 0: as fast as answered");
  app.add_option("--read-rate", options.plan.read_rate, "bytes a second of each connection");
  app.add_option("--evict", options.evict, "keep this file out of the page cache");
  app.add_option("--seconds", options.seconds, "measure for so long, or until SIGTERM");
  app.add_option("--requests", options.requests, "... or until so many are answered");
  app.add_option("--warm-up", options.warm_up, "seconds before that");
  CLI11_PARSE(app, argc, argv);
  return measure(options);
}
