#include "server/metrics/form_metrics.h"

#include <fmt/core.h>

#include <iterator>
#include <string_view>

#include "server/service.h"
#include "storage/forms/form_counts.h"

namespace videosync {

namespace {

struct FormMetric {
  std::string_view family;
  std::string_view type;
  std::string_view help;   // where the family begins
  std::string_view label;  // with its value; "": none
  FormCounts::Cell FormCounts::* value;
};

// Families with a label have their lines one behind the other, as the format asks.
constexpr FormMetric table[] = {
    {"form_runs", "gauge", "Programs that make forms of films now.", R"(of="pictures")",
     &FormCounts::pictures},
    {"form_runs", "gauge", "", R"(of="others")", &FormCounts::other_runs},
    {"form_asks", "gauge", "Asks for files of forms that wait for an answer.", "",
     &FormCounts::waiting},
    {"form_cache_bytes", "gauge", "Bytes of made files that are kept.", "",
     &FormCounts::cache_bytes},
    {"form_runs_total", "counter", "Programs that were begun for forms of films.", "",
     &FormCounts::runs},
    {"form_runs_displaced_total", "counter", "Of these, those that gave way to who waited.", "",
     &FormCounts::displaced},
    {"form_segments_total", "counter", "Segments made.", "", &FormCounts::segments},
    {"form_files_total", "counter",
     "Made files handed out, by whether they were there or were waited for.", R"(from="cache")",
     &FormCounts::files_kept},
    {"form_files_total", "counter", "", R"(from="run")", &FormCounts::files_made},
    {"form_asks_busy_total", "counter", "Asks that were told to come again: too much is made.", "",
     &FormCounts::told_busy},
    {"form_runs_failed_total", "counter", "Runs that failed, by what was at fault.", R"(of="film")",
     &FormCounts::failed_film},
    {"form_runs_failed_total", "counter", "", R"(of="program")", &FormCounts::failed_program},
    {"form_runs_failed_total", "counter", "", R"(of="storage")", &FormCounts::failed_storage},
    {"form_runs_failed_total", "counter", "", R"(of="cache")", &FormCounts::failed_cache},
};

}  // namespace

std::string render_form_metrics(const Service& service) {
  std::string out;
  if (service.form_counts == nullptr) return out;
  const auto to = std::back_inserter(out);
  for (const FormMetric& one : table) {
    if (!one.help.empty()) {
      fmt::format_to(to, "# HELP videosync_{0} {1}\n# TYPE videosync_{0} {2}\n", one.family,
                     one.help, one.type);
    }
    const std::string label = one.label.empty() ? "" : fmt::format("{{{}}}", one.label);
    fmt::format_to(to, "videosync_{}{} {}\n", one.family, label,
                   (service.form_counts->*one.value).load(std::memory_order_relaxed));
  }
  return out;
}

}  // namespace videosync
