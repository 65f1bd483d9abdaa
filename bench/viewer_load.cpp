// Lets `--members` viewers join the server at `--port`, then has broadcasts reach them all, and
// prints what both cost the process `--pid`: one line of JSON. run.mjs starts the servers.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "bench/support/load_process.h"
#include "bench/support/process_probe.h"
#include "bench/support/viewer_crowd.h"

namespace videosync::bench {

namespace {

struct Options {
  std::uint16_t port = 0;
  pid_t pid = 0;
  Dialect dialect;
  std::size_t members = 1'000;
  std::size_t silent = 0;
  double seconds = 1;
  std::size_t broadcasts = 0;
  double rate = 0;
  bool follow = false;
  bool list = false;
  std::int64_t pause_ms = 10;
  std::int64_t rest_ms = 300;
  std::int64_t seconds_max = 60;
};

constexpr std::size_t spare_descriptors = 100;  // of this process: ring, files of /proc

// Microseconds, bytes.
struct Figures {
  double joins_a_second = 0, join_cpu_us = 0, join_bytes = 0;
  std::int64_t join_p50_us = 0, join_p99_us = 0;
  double resident = 0, anonymous = 0, marginal = 0, kernel_slabs = 0;
  std::vector<std::int64_t> first_us, last_us;
  double cpu_us = 0, user_us = 0, busy_share = 0;
  std::int64_t grown_bytes = 0;
};

std::int64_t quantile(std::vector<std::int64_t>& samples, double q) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  return samples[static_cast<std::size_t>(q * static_cast<double>(samples.size() - 1))];
}

class ViewerLoad {
 public:
  ViewerLoad(const Options& options, Reactor& reactor)
      : options_(options),
        reactor_(reactor),
        server_(options.pid),
        crowd_(reactor, options.port, options.dialect),
        end_us_(now_us() + options.seconds_max * 1'000'000) {}
  ~ViewerLoad() { crowd_.close_all(); }
  ViewerLoad(const ViewerLoad&) = delete;
  ViewerLoad& operator=(const ViewerLoad&) = delete;

  // False: see trouble().
  bool run(Figures& figures) {
    return join(1) && rest(options_.rest_ms) && measure_joins(figures) &&
           measure_broadcasts(figures);
  }

  std::string trouble() const {
    if (!crowd_.trouble().empty()) return crowd_.trouble();
    if (!server_.is_alive()) return "the server has ended";
    return fmt::format("not done within {} s ({} members are in, {} broadcasts made)",
                       options_.seconds_max, crowd_.joined(), crowd_.broadcasts().size());
  }
  const ViewerCrowd& crowd() const noexcept { return crowd_; }

 private:
  std::int64_t now_us() const { return reactor_.clock().monotonic_us(); }
  bool is_well() const { return crowd_.trouble().empty() && now_us() < end_us_; }

  bool rest(std::int64_t milliseconds) {
    const std::int64_t until_us = now_us() + milliseconds * 1'000;
    while (now_us() < until_us && is_well())
      crowd_.turn(std::max<std::int64_t>(1, (until_us - now_us()) / 1'000));
    return is_well();
  }

  bool join(std::size_t members) {
    const std::size_t readers = options_.members - options_.silent;
    crowd_.want_members(members, members > readers ? members - readers : 0);
    while (crowd_.joined() < members && is_well())
      crowd_.turn(10);
    return is_well();
  }

  // In two halves: what the first one makes pools grow to is no cost of one more viewer. Reports of
  // presence follow joins, and are waited for.
  bool measure_joins(Figures& f) {
    const MemoryByProcess before = server_.memory();
    const KernelMemory kernel_before = kernel_memory();
    const std::uint64_t bytes_before = crowd_.bytes_received();
    const std::size_t half = std::max<std::size_t>(1, options_.members / 2);
    crowd_.forget_joins();
    server_.begin_cpu();
    const std::int64_t began_us = now_us();
    if (!join(half)) return false;
    const std::int64_t paused_us = now_us();
    if (!rest(options_.rest_ms)) return false;
    const MemoryByProcess middle = server_.memory();
    const std::int64_t resumed_us = now_us();
    if (!join(options_.members)) return false;
    const std::int64_t joining_us = now_us() - resumed_us + paused_us - began_us;
    const CpuTime cpu = server_.cpu();
    if (!rest(options_.rest_ms)) return false;
    const MemoryByProcess after = server_.memory();
    const KernelMemory kernel_after = kernel_memory();

    const auto viewers = static_cast<double>(options_.members - 1);
    f.joins_a_second = viewers * 1e6 / static_cast<double>(joining_us);
    f.join_cpu_us = cpu.total_us / viewers;
    f.join_p50_us = crowd_.joins().quantile(0.5);
    f.join_p99_us = crowd_.joins().quantile(0.99);
    f.join_bytes = static_cast<double>(crowd_.bytes_received() - bytes_before) / viewers;
    const ProcessMemory grown = growth(before, after);
    f.resident = static_cast<double>(grown.resident) / viewers;
    f.anonymous = static_cast<double>(grown.anonymous) / viewers;
    f.marginal = static_cast<double>(growth(middle, after).anonymous) /
                 static_cast<double>(options_.members - half);
    f.kernel_slabs = static_cast<double>(kernel_after.slabs - kernel_before.slabs) / viewers;
    return true;
  }

  bool measure_broadcasts(Figures& f) {
    if (options_.seconds <= 0) return true;
    if (options_.follow && !await_first()) return false;
    const std::size_t broadcasts_before = crowd_.broadcasts().size();
    const std::uint64_t deliveries_before = crowd_.deliveries().count();
    const MemoryByProcess before = server_.memory();
    server_.begin_cpu();
    const std::int64_t began_us = now_us();
    if (!(options_.follow ? follow() : publish(began_us))) return false;
    const CpuTime cpu = server_.cpu();
    const auto elapsed_us = static_cast<double>(now_us() - began_us);
    f.grown_bytes = growth(before, server_.memory()).anonymous;
    const auto deliveries = static_cast<double>(crowd_.deliveries().count() - deliveries_before);
    f.cpu_us = cpu.total_us / deliveries;
    f.user_us = cpu.user_share < 0 ? -1 : f.cpu_us * cpu.user_share;
    f.busy_share = cpu.total_us / elapsed_us;
    for (std::size_t i = broadcasts_before; i < crowd_.broadcasts().size(); ++i) {
      f.first_us.push_back(crowd_.broadcasts()[i].first_us);
      f.last_us.push_back(crowd_.broadcasts()[i].last_us);
    }
    return true;
  }

  bool publish(std::int64_t began_us) {
    return options_.rate > 0 ? publish_at_rate(began_us) : publish_in_turn(began_us);
  }

  // While others still join, what they cost is not that of broadcasts: the first one ends that.
  // Whoever starts us waits for this line.
  bool await_first() {
    crowd_.follow();
    fmt::print("following\n");
    std::fflush(stdout);
    return follow_to(1);
  }
  bool follow() { return follow_to(options_.broadcasts); }
  bool follow_to(std::size_t broadcasts) {
    while (crowd_.broadcasts().size() < broadcasts && is_well())
      crowd_.turn(100);
    return settle();
  }

  // Closed loop: the next one when all have the last one.
  bool publish_in_turn(std::int64_t began_us) {
    const auto until_us = began_us + static_cast<std::int64_t>(options_.seconds * 1e6);
    const std::size_t count = options_.broadcasts;
    while (count > 0 ? crowd_.broadcasts().size() < count : now_us() < until_us) {
      crowd_.publish(now_us());
      if (!settle() || !rest(options_.pause_ms)) return false;
    }
    return true;
  }

  // Open loop: at its time, whether or not all have the last one.
  bool publish_at_rate(std::int64_t began_us) {
    const auto count = static_cast<std::size_t>(std::max(1.0, options_.rate * options_.seconds));
    for (std::size_t i = 0; i < count; ++i) {
      const auto due_us =
          began_us + static_cast<std::int64_t>(static_cast<double>(i) * 1e6 / options_.rate);
      while (now_us() < due_us && is_well())
        crowd_.turn((due_us - now_us()) / 1'000);
      if (!is_well()) return false;
      crowd_.publish(due_us);
    }
    return settle();
  }

  bool settle() {
    while (!crowd_.is_delivered() && is_well())
      crowd_.turn(100);
    return is_well();
  }

  const Options& options_;
  Reactor& reactor_;
  ProcessProbe server_;
  ViewerCrowd crowd_;
  const std::int64_t end_us_;
};

void print_json(const Options& options, const ViewerCrowd& crowd, Figures& f) {
  fmt::print(
      R"({{"members":{},"joinsPerSecond":{:.1f},"joinP50Us":{},"joinP99Us":{},"joinCpuUs":{:.2f},)"
      R"("joinBytes":{:.0f},"residentBytes":{:.1f},"anonymousBytes":{:.1f},"marginalBytes":{:.1f},)"
      R"("kernelBytes":{:.1f},)",
      options.members, f.joins_a_second, f.join_p50_us, f.join_p99_us, f.join_cpu_us, f.join_bytes,
      f.resident, f.anonymous, f.marginal, f.kernel_slabs);
  const std::vector<std::int64_t> lasts = f.last_us;  // in their order: quantile() sorts
  const auto last_p50_us = quantile(f.last_us, 0.5);
  fmt::print(
      R"("broadcasts":{},"deliveries":{},"frameBytes":{},"cpuUs":{:.4f},"userUs":{:.4f},)"
      R"("busyShare":{:.3f},"firstP50Us":{},"firstP99Us":{},"memberP50Us":{},"memberP99Us":{},)"
      R"("lastP50Us":{},"lastP99Us":{},"deliveriesPerSecond":{:.0f},"grownBytes":{}{}}})"
      "\n",
      f.last_us.size(), crowd.deliveries().count(), crowd.frame_bytes(), f.cpu_us, f.user_us,
      f.busy_share, quantile(f.first_us, 0.5), quantile(f.first_us, 0.99),
      crowd.deliveries().quantile(0.5), crowd.deliveries().quantile(0.99), last_p50_us,
      quantile(f.last_us, 0.99),
      last_p50_us > 0
          ? static_cast<double>(crowd.readers()) * 1e6 / static_cast<double>(last_p50_us)
          : 0.0,
      f.grown_bytes,
      options.list ? fmt::format(R"(,"lastUs":[{}])", fmt::join(lasts, ",")) : std::string());
}

int fail_with(std::string_view why) {
  fmt::print(stderr, "viewer_load: {}\n", why);
  return 1;
}

int measure(const Options& options) {
  const std::uint64_t descriptors = raise_descriptor_limit();
  if (options.members + spare_descriptors > descriptors) {
    return fail_with(
        fmt::format("{} members need as many descriptors, and {} more; the limit is {}",
                    options.members, spare_descriptors, descriptors));
  }
  const SystemClock clock;
  const auto reactor = start_reactor(clock);
  if (!reactor) return fail_with(reactor.error().message);
  Figures figures;
  ViewerLoad load(options, **reactor);
  if (!load.run(figures)) return fail_with(load.trouble());
  print_json(options, load.crowd(), figures);
  return 0;
}

}  // namespace

}  // namespace videosync::bench

int main(int argc, char** argv) {
  using namespace videosync::bench;
  Options options;
  CLI::App app{"Viewers join a server and get broadcasts; prints what that costs it, as JSON"};
  app.option_defaults()->always_capture_default();
  app.add_option("--port", options.port, "the server's, on 127.0.0.1")->required();
  app.add_option("--pid", options.pid, "the server's process")->required();
  app.add_option("--target", options.dialect.target, "of the upgrade request");
  app.add_flag("--ours", options.dialect.is_ours, "it speaks our protocol, not plain broadcast");
  app.add_option("--members", options.members, "viewers")->check(CLI::Range(2, 1'000'000));
  app.add_option("--silent", options.silent, "of them, so many read nothing once they are in");
  app.add_option("--seconds", options.seconds, "broadcast for so long; 0: do not");
  app.add_option("--broadcasts", options.broadcasts, "so many instead, without a rate");
  app.add_option("--rate", options.rate, "broadcasts a second; 0: the next when all have the last");
  app.add_flag("--follow", options.follow, "publish nothing: wait for --broadcasts of others'");
  app.add_flag("--list", options.list, "print also when the last member had each broadcast");
  app.add_option("--pause-ms", options.pause_ms, "rest after each, without a rate");
  app.add_option("--rest-ms", options.rest_ms, "rest after joins");
  app.add_option("--seconds-max", options.seconds_max, "give up after");
  CLI11_PARSE(app, argc, argv);
  return measure(options);
}
