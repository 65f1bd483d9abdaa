// What sessions this worker has, for operators.
#include <algorithm>
#include <numeric>

#include "server/session/directory_impl.h"
#include "server/session/survey.h"

namespace videosync {

namespace {

std::uint32_t members_here(const Residence& residence) noexcept {
  const auto& by_worker =
      residence.home ? residence.home->members_on : residence.outpost->members_on;
  return std::reduce(by_worker.begin(), by_worker.end(), std::uint32_t{0});
}

SurveyedSession surveyed(const Residence& residence, std::size_t worker) {
  SurveyedSession seen{.key = residence.key, .worker = worker, .nodes = {}, .state = {}};
  seen.members_here = members_here(residence);
  if (residence.home) {
    const Home& home = *residence.home;
    seen.is_home = residence.is_home();
    seen.members = home.machine->member_count();
    seen.state = home.machine->state();
    seen.queued = home.machine->queue().items().size();
    for (const Home::Remote& remote : home.remotes)
      if (remote.members > 0) seen.nodes.push_back(remote.node);
    return seen;
  }
  const Outpost& outpost = *residence.outpost;
  seen.members = static_cast<std::uint32_t>(
      std::max<std::size_t>(outpost.everybody.size(), seen.members_here));
  if (outpost.home != Uuid{}) seen.nodes.push_back(outpost.home);
  seen.state.epoch = outpost.told_epoch;
  seen.state.seq = outpost.told_seq;
  seen.state.video = outpost.video;
  seen.queued = outpost.queue.items().size();
  return seen;
}

}  // namespace

// All are counted, and only the largest looked at: a worker may have a hundred thousand.
void SessionDirectory::Impl::survey(SessionSurvey& survey) const {
  struct Sized {
    std::uint32_t members;
    const Residence* residence;
  };
  std::vector<Sized> all;
  all.reserve(residences_.size());
  for (const auto& [key, residence] : residences_) {
    all.push_back({members_here(*residence), residence.get()});
    survey.members += all.back().members;
  }
  survey.sessions += all.size();
  const auto more = [](const auto& a, const auto& b) { return a.members > b.members; };
  const auto count = static_cast<std::ptrdiff_t>(std::min(survey.limit, all.size()));
  std::partial_sort(all.begin(), all.begin() + count, all.end(), more);
  for (auto it = all.begin(); it != all.begin() + count; ++it)
    survey.largest.push_back(surveyed(*it->residence, ports_.worker));
  std::ranges::stable_sort(
      survey.largest, [](const auto& a, const auto& b) { return a.members_here > b.members_here; });
  if (survey.largest.size() > survey.limit) survey.largest.resize(survey.limit);
}

}  // namespace videosync
