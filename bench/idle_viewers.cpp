// What idle viewers cost, and how fast one of them is heard by all.
//
// Starts a real server with one worker on one core, itself on another; lets `--members` viewers
// join one session, one WebSocket each; has the host seek `--broadcasts` times. See README.md.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench/support/load_client.h"
#include "bench/support/server_process.h"

namespace videosync::bench {

namespace {

struct Options {
  std::string server;
  std::size_t members = 10'000;
  std::size_t broadcasts = 50;
  std::int64_t pause_ms = 20;
  std::int64_t seconds_max = 60;
  bool json = false;
};

constexpr std::size_t spare_descriptors = 200;  // of the server: files, listeners, rings

// All that is measured; times in microseconds, memory in bytes for one viewer.
struct Figures {
  std::size_t members = 0;
  double resident = 0, proportional = 0, anonymous = 0, anonymous_second_half = 0;
  double kernel_slabs = 0;
  double joins_a_second = 0;
  std::int64_t join_p50_us = 0, join_p99_us = 0;
  double join_user_us = 0, join_system_us = 0;
  std::size_t broadcasts = 0, deliveries = 0;
  std::int64_t first_us = 0, median_us = 0, last_us = 0, worst_last_us = 0;
  double deliveries_a_second = 0, user_us = 0, system_us = 0;
};

class IdleViewers {
 public:
  IdleViewers(const Options& options, ServerProcess& server, Reactor& reactor, std::string key)
      : options_(options),
        server_(server),
        reactor_(reactor),
        client_(reactor, server.port(), std::move(key)),
        end_us_(now_us() + options.seconds_max * 1'000'000) {}
  ~IdleViewers() { client_.close_all(); }
  IdleViewers(const IdleViewers&) = delete;
  IdleViewers& operator=(const IdleViewers&) = delete;

  // An error's text, or nothing.
  std::optional<std::string> run(Figures& figures) {
    if (!join(1)) return trouble();
    rest(300);
    if (auto error = measure_joins(figures)) return error;
    return measure_broadcasts(figures);
  }

 private:
  std::int64_t now_us() const { return reactor_.clock().monotonic_us(); }
  bool is_late() const { return now_us() >= end_us_; }
  bool is_well() const { return client_.trouble().empty() && !is_late(); }

  std::string trouble() const {
    if (!client_.trouble().empty()) return client_.trouble();
    return fmt::format("not done within {} s ({} members welcomed, {} lost): see --seconds-max",
                       options_.seconds_max, client_.welcomed(), client_.lost());
  }

  void rest(std::int64_t milliseconds) {
    const std::int64_t until_us = now_us() + milliseconds * 1'000;
    while (now_us() < until_us && is_well())
      client_.turn(std::max<std::int64_t>(1, (until_us - now_us()) / 1'000));
  }

  bool join(std::size_t members) {
    client_.want_members(members);
    std::int64_t told_us = now_us();
    while (client_.welcomed() < members && is_well()) {
      client_.turn(10);
      if (now_us() - told_us < 1'000'000) continue;
      told_us = now_us();
      fmt::print(stderr, "  {} members have joined\n", client_.welcomed());
    }
    return client_.welcomed() >= members;
  }

  // Reports of presence follow joins by up to a quarter of a second.
  std::optional<std::string> measure_joins(Figures& figures) {
    const auto before = server_.memory();
    const auto kernel_before = kernel_memory();
    const CpuTime cpu_before = server_.cpu_time();
    client_.join_us().clear();
    const std::int64_t began_us = now_us();
    if (!join(options_.members / 2)) return trouble();
    const std::int64_t rested_us = now_us();
    rest(700);
    const auto half = server_.memory();
    const std::int64_t resumed_us = now_us();
    if (!join(options_.members)) return trouble();
    const std::int64_t ended_us = now_us();
    const CpuTime cpu = server_.cpu_time();
    rest(1'000);
    const auto after = server_.memory();
    const auto kernel_after = kernel_memory();

    const auto viewers = static_cast<double>(options_.members - 1);
    const auto second_half = static_cast<double>(options_.members - options_.members / 2);
    const auto each = [&](std::int64_t to, std::int64_t from) {
      return static_cast<double>(to - from) / viewers;
    };
    figures.members = options_.members;
    figures.resident = each(after.resident, before.resident);
    figures.proportional = each(after.proportional, before.proportional);
    figures.anonymous = each(after.anonymous, before.anonymous);
    figures.anonymous_second_half =
        static_cast<double>(after.anonymous - half.anonymous) / second_half;
    figures.kernel_slabs = each(kernel_after.slabs, kernel_before.slabs);
    const std::int64_t joining_us = (ended_us - resumed_us) + (rested_us - began_us);
    figures.joins_a_second = viewers * 1e6 / static_cast<double>(joining_us);
    figures.join_p50_us = quantile(client_.join_us(), 0.5);
    figures.join_p99_us = quantile(client_.join_us(), 0.99);
    figures.join_user_us = each(cpu.user_us, cpu_before.user_us);
    figures.join_system_us = each(cpu.system_us, cpu_before.system_us);
    return std::nullopt;
  }

  std::optional<std::string> measure_broadcasts(Figures& figures) {
    std::vector<std::int64_t> first;
    std::vector<std::int64_t> median;
    std::vector<std::int64_t> last;
    const CpuTime before = server_.cpu_time();
    for (std::size_t i = 0; i < options_.broadcasts; ++i) {
      client_.seek(static_cast<double>(i) + 0.25);
      while (client_.arrivals_us().size() < options_.members && is_well())
        client_.turn(100);
      if (!is_well()) return trouble();
      figures.deliveries += client_.arrivals_us().size();
      first.push_back(quantile(client_.arrivals_us(), 0));
      median.push_back(quantile(client_.arrivals_us(), 0.5));
      last.push_back(quantile(client_.arrivals_us(), 1));
      rest(options_.pause_ms);
    }
    const CpuTime after = server_.cpu_time();
    const auto deliveries = static_cast<double>(figures.deliveries);
    figures.broadcasts = options_.broadcasts;
    if (options_.broadcasts == 0) return std::nullopt;
    figures.first_us = quantile(first, 0.5);
    figures.median_us = quantile(median, 0.5);
    figures.last_us = quantile(last, 0.5);
    figures.worst_last_us = quantile(last, 1);
    figures.deliveries_a_second =
        static_cast<double>(options_.members) * 1e6 / static_cast<double>(figures.last_us);
    figures.user_us = static_cast<double>(after.user_us - before.user_us) / deliveries;
    figures.system_us = static_cast<double>(after.system_us - before.system_us) / deliveries;
    return std::nullopt;
  }

  const Options& options_;
  ServerProcess& server_;
  Reactor& reactor_;
  LoadClient client_;
  const std::int64_t end_us_;
};

void print_text(const Figures& f) {
  fmt::print("{} viewers of one session, idle\n", f.members);
  fmt::print(
      "  our memory, a viewer   {:6.0f} B resident ({:.0f} proportional, {:.0f} anonymous)\n",
      f.resident, f.proportional, f.anonymous);
  fmt::print("    of the second half   {:6.0f} B anonymous\n", f.anonymous_second_half);
  if (f.kernel_slabs > 0) {
    fmt::print("  kernel's memory        {:6.0f} B a viewer, both ends of its connection\n",
               f.kernel_slabs);
  } else {
    fmt::print("  kernel's memory        unknown: /proc/slabinfo is for root\n");
  }
  fmt::print("joining\n  joins a second         {:6.0f}\n", f.joins_a_second);
  fmt::print("  connect to welcome     {:6.1f} ms median, {:.1f} ms p99\n",
             static_cast<double>(f.join_p50_us) / 1e3, static_cast<double>(f.join_p99_us) / 1e3);
  fmt::print("  server CPU, a join     {:6.1f} us user, {:.1f} us system\n", f.join_user_us,
             f.join_system_us);
  if (f.broadcasts == 0) return;
  fmt::print("{} broadcasts, {} deliveries\n", f.broadcasts, f.deliveries);
  fmt::print(
      "  seek to member         {:6.1f} ms first, {:.1f} ms median, {:.1f} ms last (worst "
      "{:.1f})\n",
      static_cast<double>(f.first_us) / 1e3, static_cast<double>(f.median_us) / 1e3,
      static_cast<double>(f.last_us) / 1e3, static_cast<double>(f.worst_last_us) / 1e3);
  fmt::print("  deliveries a second    {:6.0f}\n", f.deliveries_a_second);
  fmt::print("  server CPU, a delivery {:6.2f} us user, {:.2f} us system\n", f.user_us,
             f.system_us);
}

void print_json(const Figures& f) {
  fmt::print(
      R"({{"members":{},"residentBytes":{:.1f},"proportionalBytes":{:.1f},"anonymousBytes":{:.1f},)"
      R"("anonymousBytesSecondHalf":{:.1f},"kernelSlabBytes":{:.1f},"joinsPerSecond":{:.1f},)"
      R"("joinP50Us":{},"joinP99Us":{},"joinUserUs":{:.2f},"joinSystemUs":{:.2f},"broadcasts":{},)"
      R"("deliveries":{},"firstUs":{},"medianUs":{},"lastUs":{},"worstLastUs":{},)"
      R"("deliveriesPerSecond":{:.0f},"userUs":{:.4f},"systemUs":{:.4f}}})"
      "\n",
      f.members, f.resident, f.proportional, f.anonymous, f.anonymous_second_half, f.kernel_slabs,
      f.joins_a_second, f.join_p50_us, f.join_p99_us, f.join_user_us, f.join_system_us,
      f.broadcasts, f.deliveries, f.first_us, f.median_us, f.last_us, f.worst_last_us,
      f.deliveries_a_second, f.user_us, f.system_us);
}

int fail_with(std::string_view why) {
  fmt::print(stderr, "idle_viewers: {}\n", why);
  return 1;
}

int measure(const Options& options) {
  const std::uint64_t descriptors = raise_descriptor_limit();
  if (options.members + spare_descriptors > descriptors) {
    return fail_with(
        fmt::format("{} members need as many descriptors, here and in the server, and {} more; the "
                    "limit is {} (ulimit -Hn): ask for at most --members {}",
                    options.members, spare_descriptors, descriptors,
                    descriptors > spare_descriptors ? descriptors - spare_descriptors : 0));
  }
  const bool has_two_cores = core_count() >= 2;
  if (!has_two_cores) fmt::print(stderr, "  one core only: server and client share it\n");
  const std::filesystem::path media =
      std::filesystem::temp_directory_path() / fmt::format("videosync-bench-{}", ::getpid());
  std::filesystem::create_directory(media);
  auto server = ServerProcess::start(
      options.server,
      {"--listen", "127.0.0.1:0", "--admin", "none", "--workers", "1", "--media", media.string(),
       "--max-per-address", "0", "--message-rate", "0", "--drain", "1", "--log-level", "warn"},
      has_two_cores ? 0 : -1);
  std::filesystem::remove(media);
  if (!server) return fail_with(server.error().message);
  if (has_two_cores) pin_to_core(1);
  auto session = create_session(server->port());
  if (!session) return fail_with(session.error().message);
  const SystemClock clock;
  auto reactor = Reactor::create(clock);
  if (!reactor) return fail_with(reactor.error().message);
  if (auto started = (*reactor)->start(); !started) return fail_with(started.error().message);

  Figures figures;
  IdleViewers bench(options, *server, **reactor, session->key);
  if (const auto error = bench.run(figures)) return fail_with(*error);
  options.json ? print_json(figures) : print_text(figures);
  return 0;
}

}  // namespace

}  // namespace videosync::bench

int main(int argc, char** argv) {
  using namespace videosync::bench;
  Options options;
  // The server of the same build: <build>/bench/idle_viewers, <build>/videosync.
  options.server = (std::filesystem::path(argv[0]).parent_path() / "../videosync").string();
  CLI::App app{"What idle viewers of one session cost, and how fast a seek reaches them all"};
  app.option_defaults()->always_capture_default();
  app.add_option("--members", options.members, "viewers")->check(CLI::Range(4, 1'000'000));
  app.add_option("--broadcasts", options.broadcasts, "seeks by the host; 0: none");
  app.add_option("--pause-ms", options.pause_ms, "rest after each seek")
      ->check(CLI::Range(0, 10'000));
  app.add_option("--seconds-max", options.seconds_max, "give up after")
      ->check(CLI::Range(1, 3'600));
  app.add_option("--server", options.server, "the program to measure");
  app.add_flag("--json", options.json, "one line of JSON instead of text");
  CLI11_PARSE(app, argc, argv);
  return measure(options);
}
