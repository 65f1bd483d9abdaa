#include "server/metrics/metrics.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "server/metrics/metric_tables.h"

namespace videosync {

namespace {

constexpr Counter offset(Counter first, std::size_t index) noexcept {
  return static_cast<Counter>(static_cast<std::size_t>(first) + index);
}
static_assert(offset(Counter::message_play, std::variant_size_v<ClientMessage> - 1) ==
              Counter::message_refuse);
static_assert(offset(Counter::refusal_bad_json, static_cast<std::size_t>(Refusal::not_admitted)) ==
              Counter::refusal_not_admitted);
static_assert(offset(Counter::report_unknown, static_cast<std::size_t>(Form::stream)) ==
              Counter::report_stream);

Counter close_counter(std::uint16_t code) noexcept {
  switch (code) {
    case close_code::normal:
      return Counter::close_normal;
    case close_code::going_away:
      return Counter::close_going_away;
    case close_code::protocol_error:
      return Counter::close_protocol_error;
    case close_code::unsupported_data:
      return Counter::close_unsupported_data;
    case close_code::invalid_payload:
      return Counter::close_invalid_payload;
    case close_code::policy_violation:
      return Counter::close_policy_violation;
    case close_code::too_big:
      return Counter::close_too_big;
    case close_code::internal_error:
      return Counter::close_internal_error;
    case close_code::session_ended:
      return Counter::close_session_ended;
    case close_code::connected_elsewhere:
      return Counter::close_connected_elsewhere;
    case close_code::too_slow:
      return Counter::close_too_slow;
    case close_code::removed:
      return Counter::close_removed;
    case close_code::turned_away:
      return Counter::close_turned_away;
    case close_code::too_many_messages:
      return Counter::close_too_many_messages;
    default:
      return Counter::close_other;
  }
}

double wall_clock_s() noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

template <class... Arguments>
void append(std::string& out, fmt::format_string<Arguments...> pattern, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(out), pattern, std::forward<Arguments>(arguments)...);
}

void append_head(std::string& out, std::string_view name, std::string_view type,
                 std::string_view help) {
  append(out, "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

// The folder's size, since Linux 6.2; 0 before. Listing it instead takes a worker 50 ms and more
// for a hundred thousand, and everybody whom that worker serves waits.
std::uint64_t open_descriptors() noexcept {
  struct stat status{};
  if (::stat("/proc/self/fd", &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.st_size);
}

double seconds(std::uint64_t us) noexcept {
  return static_cast<double>(us) / 1e6;
}

}  // namespace

void WorkerMetrics::count_response(unsigned status) noexcept {
  VS_ASSERT(status >= 100 && status <= 599);
  count(offset(Counter::http_1xx, status / 100 - 1));
}

void WorkerMetrics::count_message(const ClientMessage& message) noexcept {
  count(offset(Counter::message_play, message.index()));
}

void WorkerMetrics::count_refusal(Refusal code) noexcept {
  count(offset(Counter::refusal_bad_json, static_cast<std::size_t>(code)));
}

void WorkerMetrics::count_close(std::uint16_t code) noexcept {
  count(close_counter(code));
}

void WorkerMetrics::count_playing(Form form) noexcept {
  count(offset(Counter::report_unknown, static_cast<std::size_t>(form)));
}

void WorkerMetrics::observe(Histogram histogram, std::int64_t duration_us) noexcept {
  const auto bounds = histogram_table[static_cast<std::size_t>(histogram)].bounds_us;
  const std::int64_t us = std::max<std::int64_t>(duration_us, 0);
  std::size_t bucket = 0;
  while (bucket < bounds.size() && us > bounds[bucket])
    ++bucket;
  Samples& samples = histograms_[static_cast<std::size_t>(histogram)];
  bump(samples.buckets[bucket], std::uint64_t{1});
  bump(samples.sum_us, static_cast<std::uint64_t>(us));
}

Metrics::Metrics(std::size_t workers, std::string version)
    : worker_count_(workers),
      workers_(std::make_unique<WorkerMetrics[]>(workers)),
      version_(std::move(version)),
      start_time_s_(wall_clock_s()) {
  VS_ASSERT(workers >= 1);
}

WorkerMetrics& Metrics::worker(std::size_t index) noexcept {
  VS_ASSERT(index < worker_count_);
  return workers_[index];
}

std::uint64_t Metrics::total(Counter counter) const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < worker_count_; ++i) {
    const auto& cell = workers_[i].counters_[static_cast<std::size_t>(counter)];
    sum += cell.load(std::memory_order_relaxed);
  }
  return sum;
}

std::int64_t Metrics::total(Gauge gauge) const noexcept {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < worker_count_; ++i) {
    sum += workers_[i].gauges_[static_cast<std::size_t>(gauge)].load(std::memory_order_relaxed);
  }
  return sum;
}

std::string Metrics::render(bool is_store_shared) const {
  std::string out;
  out.reserve(16 * 1024);
  render_counters(out);
  render_gauges(out);
  for (std::size_t i = 0; i < std::size(histogram_table); ++i) {
    if (histogram_table[i].is_of_nodes && !is_store_shared) continue;
    render_histogram(out, static_cast<Histogram>(i));
  }
  render_process(out);
  return out;
}

void Metrics::render_counters(std::string& out) const {
  for (std::size_t i = 0; i < std::size(counter_table); ++i) {
    const CounterInfo& info = counter_table[i];
    const std::string name = fmt::format("videosync_{}_total", info.family);
    if (!info.help.empty()) append_head(out, name, "counter", info.help);
    const std::uint64_t value = total(static_cast<Counter>(i));
    if (info.label.empty()) {
      append(out, "{} {}\n", name, value);
    } else {
      append(out, "{}{{{}=\"{}\"}} {}\n", name, info.label, info.value, value);
    }
  }
}

void Metrics::render_gauges(std::string& out) const {
  for (std::size_t i = 0; i < std::size(gauge_table); ++i) {
    const std::string name = fmt::format("videosync_{}", gauge_table[i].name);
    append_head(out, name, "gauge", gauge_table[i].help);
    // Workers are read one after the other: a member on its way between two may be missed twice.
    append(out, "{} {}\n", name, std::max<std::int64_t>(total(static_cast<Gauge>(i)), 0));
  }
}

void Metrics::render_histogram(std::string& out, Histogram histogram) const {
  const HistogramInfo& info = histogram_table[static_cast<std::size_t>(histogram)];
  const std::string name = fmt::format("videosync_{}", info.name);
  append_head(out, name, "histogram", info.help);
  std::array<std::uint64_t, WorkerMetrics::buckets_max> buckets{};
  std::uint64_t sum_us = 0;
  for (std::size_t i = 0; i < worker_count_; ++i) {
    const auto& samples = workers_[i].histograms_[static_cast<std::size_t>(histogram)];
    for (std::size_t b = 0; b < buckets.size(); ++b)
      buckets[b] += samples.buckets[b].load(std::memory_order_relaxed);
    sum_us += samples.sum_us.load(std::memory_order_relaxed);
  }
  std::uint64_t cumulative = 0;
  for (std::size_t b = 0; b < info.bounds_us.size(); ++b) {
    cumulative += buckets[b];
    append(out, "{}_bucket{{le=\"{}\"}} {}\n", name,
           seconds(static_cast<std::uint64_t>(info.bounds_us[b])), cumulative);
  }
  cumulative += buckets[info.bounds_us.size()];
  append(out, "{}_bucket{{le=\"+Inf\"}} {}\n", name, cumulative);
  append(out, "{}_sum {}\n{}_count {}\n", name, seconds(sum_us), name, cumulative);
}

void Metrics::render_process(std::string& out) const {
  append_head(out, "videosync_build_info", "gauge",
              "Always 1; the label says which build this is.");
  append(out, "videosync_build_info{{version=\"{}\"}} 1\n", version_);
  append_head(out, "videosync_workers", "gauge", "Worker threads.");
  append(out, "videosync_workers {}\n", worker_count_);
  append_head(out, "videosync_log_lines_dropped_total", "counter",
              "Lines of the log that stderr did not take in time, or at all.");
  append(out, "videosync_log_lines_dropped_total {}\n", log_lines_dropped());
  append_head(out, "process_start_time_seconds", "gauge",
              "Start of the process in seconds since the Unix epoch.");
  append(out, "process_start_time_seconds {:.3f}\n", start_time_s_);

  // What cannot be read is left out, as the format asks.
  std::uint64_t virtual_pages = 0;
  std::uint64_t resident_pages = 0;
  if (std::ifstream statm("/proc/self/statm"); statm >> virtual_pages >> resident_pages) {
    append_head(out, "process_resident_memory_bytes", "gauge", "Resident memory.");
    append(out, "process_resident_memory_bytes {}\n",
           resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
  }
  if (const std::uint64_t descriptors = open_descriptors(); descriptors > 0) {
    append_head(out, "process_open_fds", "gauge", "Open file descriptors.");
    append(out, "process_open_fds {}\n", descriptors);
  }
}

}  // namespace videosync
