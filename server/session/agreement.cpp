// Whether this node and others agree on the sessions that they share, also where nobody says
// anything: sums of hashes are compared a few times a second (see server/nodes/digest_exchange.h),
// and of what differs the home tells anew who is home, whereupon the other node enrolls.
#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

namespace {

// The state, the host and the settings need not be in it: each change of them is part of a cast, or
// has a number of its own where nobody was thought to hear it (Home::has_untold), and an outpost
// that misses a number does not agree before it has been told everything.
std::uint64_t session_hash(const Uuid& key, std::uint64_t fence, std::uint64_t casts,
                           std::uint64_t members_sum) noexcept {
  std::uint64_t hash = std::hash<Uuid>{}(key);
  for (const std::uint64_t part : {fence, casts, members_sum})
    hash = mix(hash + 0x9e3779b97f4a7c15 + part);
  return hash;
}

std::uint64_t hash_of(const Uuid& key, const Home& home, const Home::Remote& remote) noexcept {
  return session_hash(key, home.version.fence, home.casts, remote.members_sum);
}

std::uint64_t hash_of(const Uuid& key, const Outpost& outpost) noexcept {
  // That it has missed something is to be seen, whatever became of its enrolling.
  const std::uint64_t casts = outpost.has_missed ? 0 : outpost.casts;
  return session_hash(key, outpost.fence, casts, outpost.members_sum);
}

bool is_shared_outpost(const Residence& residence) noexcept {
  return !residence.home && !residence.outpost->members.empty() &&
         residence.outpost->phase == Outpost::Phase::settled;
}

}  // namespace

void Impl::add_sum(std::vector<SharedSums>& all, const Uuid& node, bool is_home, const Uuid& key,
                   std::uint64_t hash) noexcept {
  auto found = std::ranges::find_if(all, [&](const SharedSums& sums) noexcept {
    return sums.node == node && sums.is_home == is_home;
  });
  if (found == all.end()) found = all.insert(found, {.node = node, .is_home = is_home});
  found->sums[SharedSums::bucket_of(key)] += hash;
}

void Impl::collect_sums(std::uint64_t round) noexcept {
  std::vector<SharedSums> all;
  std::erase_if(shared_, [&](const Uuid& key) noexcept {
    const Residence* residence = find(key);
    if (residence == nullptr) return true;
    if (residence->is_home()) {
      const Home& home = *residence->home;
      for (const Home::Remote& remote : home.remotes)
        if (remote.members > 0) add_sum(all, remote.node, true, key, hash_of(key, home, remote));
      return home.remote_members == 0;
    }
    if (residence->home) return false;
    const Outpost& outpost = *residence->outpost;
    if (is_shared_outpost(*residence)) {
      add_sum(all, outpost.home, false, key, hash_of(key, outpost));
    }
    return outpost.members.empty();
  });
  to_nodes([round, all = std::move(all)](NodePort& nodes) mutable noexcept {
    nodes.add_sums(round, std::move(all));
  });
}

// To the home: what the sum is made of.
void Impl::list_shared(const Uuid& home, std::int64_t gathered_us, std::size_t bucket) noexcept {
  node::DigestList list{.gathered_us = gathered_us,
                        .bucket = static_cast<std::uint32_t>(bucket),
                        .worker = static_cast<std::uint32_t>(ports_.worker),
                        .workers = static_cast<std::uint32_t>(ports_.workers),
                        .is_whole = true,
                        .entries = {}};
  for (const Uuid& key : shared_) {
    const Residence* residence = find(key);
    if (residence == nullptr || SharedSums::bucket_of(key) != bucket) continue;
    if (!is_shared_outpost(*residence) || residence->outpost->home != home) continue;
    list.is_whole = list.entries.size() < node::list_max;
    if (!list.is_whole) break;
    list.entries.push_back({key, hash_of(key, *residence->outpost)});
  }
  send(home, Uuid{}, 0, std::move(list));
}

const Home::Remote& Impl::remote_of(const Home& home, const Uuid& node) noexcept {
  static const Home::Remote nobody{};
  const auto found = std::ranges::find(home.remotes, node, &Home::Remote::node);
  return found != home.remotes.end() ? *found : nobody;
}

// The other node need not have heard it when it listed, nor what goes with a change that the store
// may refuse, to be said without it then: it is compared the next time.
bool Impl::may_be_on_its_way(const Home& home, const Home::Remote& remote,
                             std::int64_t gathered_us) const noexcept {
  if (home.change > changes_answered_) return true;
  return std::max(home.cast_us, remote.changed_us) >= gathered_us;
}

// Of this worker's sessions those that the other node has otherwise, or not at all, are told again.
void Impl::compare_list(const Uuid& from, const node::DigestList& list) noexcept {
  if (list.workers == 0) return;
  std::unordered_map<Uuid, std::uint64_t> there;
  for (const node::DigestEntry& entry : list.entries) {
    if (worker_of(entry.key, ports_.workers) != ports_.worker) continue;
    there.emplace(entry.key, entry.hash);
    const Residence* residence = find(entry.key);
    // It is not at home here, as whoever lists it may find out.
    if (residence == nullptr || !residence->home) {
      send(from, entry.key, residence != nullptr ? residence->outpost->fence : 0, node::Returned{});
    }
  }
  bool is_too_soon = false;
  for (const Uuid& key : std::vector<Uuid>(shared_.begin(), shared_.end())) {
    Residence* residence = find(key);
    if (residence == nullptr || !residence->is_home()) continue;
    const bool is_meant =
        SharedSums::bucket_of(key) == list.bucket && worker_of(key, list.workers) == list.worker;
    if (!is_meant) continue;
    const Home& home = *residence->home;
    const Home::Remote& remote = remote_of(home, from);
    const auto told = there.find(key);
    const bool is_listed = told != there.end();
    if (!is_listed && (remote.members == 0 || !list.is_whole)) continue;
    if (is_listed && told->second == hash_of(key, home, remote)) continue;
    if (may_be_on_its_way(home, remote, list.gathered_us)) {
      is_too_soon = true;
      continue;
    }
    ports_.metrics.count(Counter::sessions_mended);
    tell_who_is_home(from, *residence);
  }
  // A home that takes nobody there for a member is no part of shared_.
  for (const auto& [key, hash] : there) {
    Residence* residence = find(key);
    if (residence == nullptr || !residence->is_home() || shared_.contains(key)) continue;
    const Home& home = *residence->home;
    if (may_be_on_its_way(home, remote_of(home, from), list.gathered_us)) {
      is_too_soon = true;
      continue;
    }
    ports_.metrics.count(Counter::sessions_mended);
    tell_who_is_home(from, *residence);
  }
  if (is_too_soon) to_nodes([from](NodePort& nodes) noexcept { nodes.compare_again(from); });
}

}  // namespace videosync
