#include "server/nodes/digest_exchange.h"

#include <algorithm>
#include <iterator>
#include <memory>

#include "core/base/assert.h"
#include "server/nodes/nodes.h"
#include "server/session/session_directory.h"

namespace videosync {

namespace {

constexpr std::int64_t tell_every_us = 1'000'000;
// So long after the last change of what either has told, what the other one contradicts is told
// with each tick. Afterwards it is no lost message that keeps the two apart.
constexpr std::int64_t insist_us = 2'000'000;
constexpr std::int64_t forget_us = 5'000'000;

}  // namespace

void DigestExchange::tick() noexcept {
  // Also with the round that is under way: others may keep rounds going all the time.
  is_telling_ = true;
  if (awaited_ == 0) begin_round();
}

void DigestExchange::tell_again(const Uuid& node) noexcept {
  const auto other = others_.find(node);
  if (other != others_.end()) other->second.told_us = INT64_MIN / 2;
}

void DigestExchange::begin_round() noexcept {
  VS_ASSERT(awaited_ == 0);
  VS_ASSERT(comparing_.empty());
  VS_ASSERT(ports_.workers > 0);
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
  VS_ASSERT(awaited_ <= ports_.workers);
  if (--awaited_ == 0) end_round();
}

void DigestExchange::end_round() noexcept {
  VS_ASSERT(awaited_ == 0);
  for (const Asked& asked : std::exchange(comparing_, {}))
    compare(asked);
  VS_ASSERT(awaited_ == 0);
  VS_ASSERT(comparing_.empty());  // nobody has begun another one
  if (std::exchange(is_telling_, false)) tell_all();
  if (!waiting_.empty()) begin_round();
}

void DigestExchange::compare(const Asked& asked) noexcept {
  const auto& [from, digest] = asked;
  const auto found = views_.find(from);
  const View view = found != views_.end() ? found->second : View{};
  const SharedSums::Sums& mine = digest.is_home ? view.outpost : view.home;
  VS_ASSERT(awaited_ == 0);
  VS_ASSERT(digest.sums.size() == mine.size());
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
  VS_ASSERT(awaited_ == 0);
  for (const auto& [node, view] : views_)
    others_.try_emplace(node);
  for (auto other = others_.begin(); other != others_.end();)
    other = attend(other->first, other->second) ? std::next(other) : others_.erase(other);
  VS_ASSERT(others_.size() >= views_.size());
}

// Tells it what it should know, and says whether it is to be remembered. Where nothing is shared
// any more, that, too, is told.
bool DigestExchange::attend(const Uuid& node, Other& other) noexcept {
  VS_ASSERT(awaited_ == 0);
  VS_ASSERT(node != ports_.self);
  const std::int64_t now_us = ports_.clock.monotonic_us();
  const auto found = views_.find(node);
  const bool is_shared = found != views_.end();
  const View view = is_shared ? found->second : View{};
  const bool is_changed = view != other.told;
  if (is_changed) other.changed_us = now_us;
  const bool is_due = is_shared && now_us - other.told_us >= tell_every_us;
  const bool may_be_lost = now_us - other.changed_us < insist_us;
  const auto tell_part = [&](bool is_home, auto part) noexcept {
    const bool is_news = view.*part != other.told.*part;
    const bool is_contradicted = may_be_lost && view.*part != other.heard.*part;
    if (is_due || is_news || is_contradicted) tell(node, is_home, view.*part);
  };
  tell_part(true, &View::home);
  tell_part(false, &View::outpost);
  other.told = view;
  if (is_due || is_changed) other.told_us = now_us;
  return is_shared || (other.heard != View{} && now_us - other.heard_us < forget_us);
}

void DigestExchange::tell(const Uuid& node, bool is_home, const SharedSums::Sums& sums) noexcept {
  VS_ASSERT(node != ports_.self);
  VS_ASSERT(round_ > 0);
  node::Digest digest{
      .is_home = is_home, .gathered_us = gathered_us_, .sums = {sums.begin(), sums.end()}};
  const std::string bytes =
      encode(node::Envelope{.from = ports_.self, .key = {}, .message = std::move(digest)});
  // Who is dead is noticed so, though nobody has anything to say to it.
  ports_.store.publish(Channel::of_node(node), BufferRef::copy_of(bytes),
                       [&nodes = nodes_, node](const Result<std::uint32_t>& receivers) noexcept {
                         if (!receivers) return;
                         if (*receivers == 0) return nodes.report_deaf(node);
                         nodes.report_hearing(node);
                       });
}

void DigestExchange::on_digest(const Uuid& from, const node::Digest& digest) noexcept {
  if (digest.sums.size() != SharedSums::buckets) return;
  note_heard(from, digest);
  std::erase_if(waiting_, [&](const Asked& asked) noexcept {
    return asked.first == from && asked.second.is_home == digest.is_home;
  });
  VS_ASSERT(from != ports_.self);
  waiting_.emplace_back(from, digest);
  if (awaited_ == 0) begin_round();
}

void DigestExchange::note_heard(const Uuid& from, const node::Digest& digest) noexcept {
  VS_ASSERT(digest.sums.size() == SharedSums::buckets);
  VS_ASSERT(from != ports_.self);
  Other& other = others_[from];
  other.heard_us = ports_.clock.monotonic_us();
  SharedSums::Sums& heard = digest.is_home ? other.heard.outpost : other.heard.home;
  if (std::ranges::equal(heard, digest.sums)) return;
  std::ranges::copy(digest.sums, heard.begin());
  other.changed_us = other.heard_us;
}

void DigestExchange::on_list(const Uuid& from, node::DigestList list) noexcept {
  VS_ASSERT(from != ports_.self);
  const auto shared = std::make_shared<const node::DigestList>(std::move(list));
  for (std::size_t i = 0; i < ports_.workers; ++i) {
    SessionDirectory* directory = &ports_.around.directory_of(i);
    ports_.around.post(
        i, [directory, from, shared]() noexcept { directory->compare_list(from, *shared); });
  }
}

}  // namespace videosync
