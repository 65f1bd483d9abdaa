#include "server/metrics/metrics.h"

#include <criterion/criterion.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include "tests/support/temp_folder.h"

using namespace videosync;

namespace {

// Sample (with labels) to value. Asserts the grammar of exposition format 0.0.4 line by line: each
// sample stands under the HELP and TYPE of its family, and no family comes twice.
std::map<std::string, double> parse(const std::string& page) {
  static const std::regex head(R"(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))");
  static const std::regex sample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"\})? (-?[0-9.e+-]+))re");
  std::map<std::string, double> samples;
  std::set<std::string> families;
  std::string family;
  std::string type;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (line.starts_with("#")) {
      cr_assert(std::regex_match(line, match, head), "%s", line.c_str());
      if (match[1] == "HELP") {
        family = match[2];
        cr_assert(families.insert(family).second, "%s twice", family.c_str());
      } else {
        cr_assert_eq(match[2], family);
        type = match[3];
        cr_assert(type == "counter" || type == "gauge" || type == "histogram");
        cr_assert_eq(type == "counter", family.ends_with("_total"));
      }
      continue;
    }
    cr_assert(std::regex_match(line, match, sample), "%s", line.c_str());
    cr_assert(match[1].str().starts_with(family), "%s under %s", line.c_str(), family.c_str());
    const bool fresh = samples.emplace(match[1].str() + match[2].str(), std::stod(match[3])).second;
    cr_assert(fresh, "%s twice", line.c_str());
  }
  cr_assert(page.ends_with("\n"));
  return samples;
}

}  // namespace

Test(metrics, an_untouched_page_is_valid_and_complete) {
  const auto samples = parse(Metrics(2, "1.2.3").render());
  cr_assert_eq(samples.at("videosync_build_info{version=\"1.2.3\"}"), 1);
  cr_assert_eq(samples.at("videosync_workers"), 2);
  cr_assert_eq(samples.at("videosync_connections_refused_total{reason=\"per_address\"}"), 0);
  cr_assert_gt(samples.at("process_start_time_seconds"), 1.7e9);
  cr_assert_gt(samples.at("process_resident_memory_bytes"), 1e5);
  cr_assert_eq(samples.at("videosync_log_lines_dropped_total"), 0);
}

// The least CPU time that one of a few calls takes this thread.
template <class Work>
static std::int64_t cpu_ns_of(Work work) {
  const auto now_ns = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
  };
  std::int64_t least_ns = INT64_MAX;
  for (int i = 0; i < 5; ++i) {
    const std::int64_t begin_ns = now_ns();
    work();
    least_ns = std::min(least_ns, now_ns() - begin_ns);
  }
  return least_ns;
}

Test(metrics, open_descriptors_are_counted_without_listing_them) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t many = std::min<rlim_t>(limit.rlim_max, 50'000) - 100;
  for (rlim_t i = 0; i < many; ++i)
    cr_assert_geq(dup(STDOUT_FILENO), 0);
  const Metrics metrics(1, "x");
  const auto samples = parse(metrics.render());
  if (!samples.contains("process_open_fds")) return;  // before Linux 6.2
  cr_assert_eq(samples.at("process_open_fds"),
               static_cast<double>(videosync::test::open_descriptors() - 1));
  const std::int64_t listing_ns = cpu_ns_of([] { videosync::test::open_descriptors(); });
  const std::int64_t page_ns = cpu_ns_of([&] { metrics.render(); });
  cr_assert_lt(page_ns, listing_ns / 2, "%ld ns, to list them %ld ns", page_ns, listing_ns);
}

Test(metrics, workers_are_added_up) {
  Metrics metrics(3, "x");
  metrics.worker(0).count(Counter::frames_sent);
  metrics.worker(1).count(Counter::frames_sent, 41);
  metrics.worker(2).count(Counter::loop_turns, 5'000'000'000);
  metrics.worker(0).add(Gauge::members, 3);
  metrics.worker(2).add(Gauge::members, -1);
  cr_assert_eq(metrics.total(Counter::frames_sent), 42u);
  const auto samples = parse(metrics.render());
  cr_assert_eq(samples.at("videosync_frames_sent_total"), 42);
  cr_assert_eq(samples.at("videosync_loop_turns_total"), 5e9);
  cr_assert_eq(samples.at("videosync_members"), 2);
}

Test(metrics, what_is_counted_by_kind_lands_under_its_label) {
  Metrics metrics(1, "x");
  WorkerMetrics& mine = metrics.worker(0);
  for (const unsigned status : {101u, 200u, 206u, 304u, 404u, 429u, 503u})
    mine.count_response(status);
  mine.count_message(PlayMessage{});
  mine.count_message(NameMessage{});
  mine.count_message(PingMessage{});
  mine.count_refusal(Refusal::not_host);
  mine.count_refusal(Refusal::bad_json);
  mine.count_refusal(Refusal::unavailable);
  mine.count_close(1000);
  mine.count_close(4008);
  mine.count_close(3999);
  mine.count_playing(Form::unknown);
  mine.count_playing(Form::stream);
  const auto samples = parse(metrics.render());
  const auto is = [&](const char* name, double value) {
    cr_assert_eq(samples.at(name), value, "%s", name);
  };
  is("videosync_http_responses_total{status=\"1xx\"}", 1);
  is("videosync_http_responses_total{status=\"2xx\"}", 2);
  is("videosync_http_responses_total{status=\"4xx\"}", 2);
  is("videosync_http_responses_total{status=\"5xx\"}", 1);
  is("videosync_messages_received_total{type=\"play\"}", 1);
  is("videosync_messages_received_total{type=\"ping\"}", 1);
  is("videosync_messages_received_total{type=\"name\"}", 1);
  is("videosync_messages_refused_total{code=\"bad_json\"}", 1);
  is("videosync_messages_refused_total{code=\"not_host\"}", 1);
  is("videosync_messages_refused_total{code=\"unavailable\"}", 1);
  is("videosync_websocket_closes_total{code=\"1000\"}", 1);
  is("videosync_websocket_closes_total{code=\"4008\"}", 1);
  is("videosync_websocket_closes_total{code=\"other\"}", 1);
  is("videosync_reports_playing_total{form=\"unknown\"}", 1);
  is("videosync_reports_playing_total{form=\"file\"}", 0);
  is("videosync_reports_playing_total{form=\"stream\"}", 1);
}

Test(metrics, every_counter_has_a_sample_of_its_own) {
  Metrics metrics(1, "x");
  const auto count = static_cast<std::uint64_t>(Counter::count_);
  for (std::uint64_t i = 0; i < count; ++i)
    metrics.worker(0).count(static_cast<Counter>(i), i + 1);
  std::set<double> values;
  for (const auto& [name, value] : parse(metrics.render())) {
    const bool is_of_log = name == "videosync_log_lines_dropped_total";
    if (name.contains("_total") && !is_of_log) values.insert(value);
  }
  cr_assert_eq(values.size(), count);
  cr_assert_eq(*values.begin(), 1);
  cr_assert_eq(*values.rbegin(), static_cast<double>(count));
}

Test(metrics, a_histogram_is_cumulative_in_seconds) {
  Metrics metrics(2, "x");
  metrics.worker(0).observe(Histogram::fanout_seconds, 50);
  metrics.worker(0).observe(Histogram::fanout_seconds, 51);
  metrics.worker(1).observe(Histogram::fanout_seconds, 1'000'000);
  metrics.worker(1).observe(Histogram::fanout_seconds, 90'000'000);
  metrics.worker(1).observe(Histogram::fanout_seconds, -5);
  const auto samples = parse(metrics.render());
  const auto bucket = [&](const std::string& bound) {
    return samples.at("videosync_fanout_seconds_bucket{le=\"" + bound + "\"}");
  };
  cr_assert_eq(bucket("5e-05"), 2);
  cr_assert_eq(bucket("0.0001"), 3);
  cr_assert_eq(bucket("0.25"), 3);
  cr_assert_eq(bucket("1"), 4);
  cr_assert_eq(bucket("+Inf"), 5);
  cr_assert_eq(samples.at("videosync_fanout_seconds_count"), 5);
  cr_assert_float_eq(samples.at("videosync_fanout_seconds_sum"), 91.000101, 1e-9);
}

Test(metrics, what_only_nodes_observe_is_on_their_page_alone) {
  const Metrics metrics(1, "x");
  const auto alone = parse(metrics.render(false));
  const auto shared = parse(metrics.render(true));
  for (const char* name :
       {"videosync_node_lag_seconds_count", "videosync_redis_round_trip_seconds_count"}) {
    cr_assert_not(alone.contains(name), "%s", name);
    cr_assert(shared.contains(name), "%s", name);
  }
  cr_assert(alone.contains("videosync_fanout_seconds_count"));
}

Test(metrics, a_page_can_be_made_while_workers_count) {
  Metrics metrics(2, "x");
  {
    std::vector<std::jthread> workers;
    for (std::size_t w = 0; w < 2; ++w) {
      workers.emplace_back([&, w] {
        for (int i = 0; i < 100'000; ++i)
          metrics.worker(w).count(Counter::loop_turns);
      });
    }
    for (int i = 0; i < 20; ++i)
      cr_assert_not(metrics.render().empty());
  }
  cr_assert_eq(metrics.total(Counter::loop_turns), 200'000u);
}
