#include "proto/session/viewer_reports.h"

#include <algorithm>
#include <cmath>

#include "core/base/assert.h"

namespace videosync {

namespace {

bool is_worse(const ViewerReport& a, const ViewerReport& b) noexcept {
  if (a.cannot_play != b.cannot_play) return a.cannot_play;
  if (a.buffering != b.buffering) return a.buffering;
  const double drift_a = std::abs(a.drift_ms), drift_b = std::abs(b.drift_ms);
  if (drift_a != drift_b) return drift_a > drift_b;
  return a.id < b.id;
}

}  // namespace

void ViewerReports::note(Member& member, std::int64_t now_us, std::int64_t interval_us) {
  VS_ASSERT(member.connected);
  VS_ASSERT(member.reported);
  if (!member.is_listed && listed_.size() < considered_max) {
    member.is_listed = true;
    listed_.push_back(member.id);
  }
  make_due(now_us, interval_us);
}

void ViewerReports::note_shown(std::int64_t now_us, std::int64_t interval_us) {
  if (!listed_.empty()) make_due(now_us, interval_us);
}

void ViewerReports::make_due(std::int64_t now_us, std::int64_t interval_us) {
  if (due_us_ != INT64_MAX) return;
  due_us_ = last_us_ == INT64_MIN ? now_us : std::max(now_us, last_us_ + interval_us);
  VS_ASSERT(due_us_ >= now_us);
}

std::vector<ViewerReport> ViewerReports::take_list(Roster& roster, const ReadyMembers& ready,
                                                   std::int64_t now_us) {
  VS_ASSERT(listed_.size() <= considered_max);
  std::vector<ViewerReport> list;
  for (const MemberId id : listed_) {
    Member* member = roster.find(id);
    if (member == nullptr) continue;
    member->is_listed = false;
    if (!member->reported) continue;
    VS_ASSERT(!(member->cannot_play && member->buffering));
    list.push_back({id, member->drift_ms, member->rtt_ms, member->buffering, member->form,
                    member->cannot_play, ready.is_ready(*member)});
  }
  const std::size_t shown = std::min(list.size(), member_list_max);
  std::partial_sort(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(shown), list.end(),
                    is_worse);
  list.resize(shown);
  listed_.clear();
  for (const ViewerReport& report : list) {
    roster.known(report.id).is_listed = true;
    listed_.push_back(report.id);
  }
  due_us_ = INT64_MAX;
  last_us_ = now_us;
  return list;
}

}  // namespace videosync
