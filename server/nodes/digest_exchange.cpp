#include "server/nodes/digest_exchange.h"

#include <algorithm>
#include <memory>

#include "core/base/assert.h"
#include "server/nodes/nodes.h"
#include "server/session/session_directory.h"

namespace videosync {

namespace {

constexpr std::int64_t tell_every_us = 1'000'000;

}  // namespace

void DigestExchange::tick() noexcept {
  if (awaited_ > 0) return;
  is_telling_ = true;
  begin_round();
}

void DigestExchange::tell_again(const Uuid& node) noexcept {
  if (const auto told = told_.find(node); told != told_.end()) told->second.told_us = INT64_MIN / 2;
}

void DigestExchange::begin_round() noexcept {
  VS_ASSERT(awaited_ == 0);
  ++round_;
  gathered_us_ = ports_.clock.monotonic_us();
  awaited_ = ports_.workers;
  views_.clear();
  comparing_ = std::exchange(waiting_, {});
  for (std::size_t i = 0; i < ports_.workers; ++i) {
    SessionDirectory* directory = &ports_.around.directory_of(i);
    ports_.around.post(i,
                       [directory, round = round_]() noexcept { directory->collect_sums(round); });
  }
}

void DigestExchange::add(std::uint64_t round, std::vector<SharedSums> sums) noexcept {
  if (round != round_) return;
  VS_ASSERT(awaited_ > 0);
  for (const SharedSums& part : sums) {
    View& view = views_[part.node];
    SharedSums::Sums& into = part.is_home ? view.home : view.outpost;
    for (std::size_t i = 0; i < into.size(); ++i)
      into[i] += part.sums[i];
  }
  if (--awaited_ == 0) end_round();
}

void DigestExchange::end_round() noexcept {
  for (const Asked& asked : std::exchange(comparing_, {}))
    compare(asked);
  if (std::exchange(is_telling_, false)) tell_all();
  if (!waiting_.empty()) begin_round();
}

void DigestExchange::compare(const Asked& asked) noexcept {
  const auto& [from, digest] = asked;
  const View& view = views_[from];
  const SharedSums::Sums& mine = digest.is_home ? view.outpost : view.home;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    if (digest.sums[i] == mine[i]) continue;
    if (!digest.is_home) return tell(from, true, view.home);  // its node lists what differs
    for (std::size_t worker = 0; worker < ports_.workers; ++worker) {
      SessionDirectory* directory = &ports_.around.directory_of(worker);
      ports_.around.post(worker, [directory, node = from, gathered_us = digest.gathered_us,
                                  i]() noexcept { directory->list_shared(node, gathered_us, i); });
    }
  }
}

void DigestExchange::tell_all() noexcept {
  const std::int64_t now_us = ports_.clock.monotonic_us();
  for (const auto& [node, view] : views_) {
    Told& told = told_[node];
    const bool is_due = now_us - told.told_us >= tell_every_us;
    if (is_due || told.view.home != view.home) tell(node, true, view.home);
    if (is_due || told.view.outpost != view.outpost) tell(node, false, view.outpost);
    if (is_due || told.view != view) told = {view, now_us};
  }
  // Nothing is shared any more: that, too, is told once.
  std::erase_if(told_, [&](const auto& told) noexcept {
    if (views_.contains(told.first)) return false;
    tell(told.first, true, {});
    tell(told.first, false, {});
    return true;
  });
}

void DigestExchange::tell(const Uuid& node, bool is_home, const SharedSums::Sums& sums) noexcept {
  node::Digest digest{
      .is_home = is_home, .gathered_us = gathered_us_, .sums = {sums.begin(), sums.end()}};
  const std::string bytes =
      encode(node::Envelope{.from = ports_.self, .key = {}, .message = std::move(digest)});
  // Who is dead is noticed so, though nobody has anything to say to it.
  ports_.store.publish(node, BufferRef::copy_of(bytes),
                       [&nodes = nodes_, node](const Result<std::uint32_t>& receivers) noexcept {
                         if (!receivers) return;
                         if (*receivers == 0) return nodes.report_deaf(node);
                         nodes.report_hearing(node);
                       });
}

void DigestExchange::on_digest(const Uuid& from, const node::Digest& digest) noexcept {
  if (digest.sums.size() != SharedSums::buckets) return;
  std::erase_if(waiting_, [&](const Asked& asked) noexcept {
    return asked.first == from && asked.second.is_home == digest.is_home;
  });
  waiting_.emplace_back(from, digest);
  if (awaited_ == 0) begin_round();
}

void DigestExchange::on_list(const Uuid& from, node::DigestList list) noexcept {
  const auto shared = std::make_shared<const node::DigestList>(std::move(list));
  for (std::size_t i = 0; i < ports_.workers; ++i) {
    SessionDirectory* directory = &ports_.around.directory_of(i);
    ports_.around.post(
        i, [directory, from, shared]() noexcept { directory->compare_list(from, *shared); });
  }
}

}  // namespace videosync
