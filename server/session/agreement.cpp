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
  VS_ASSERT(found->node == node);
  VS_ASSERT(found->is_home == is_home);
  found->sums[SharedSums::bucket_of(key)] += hash;
}

void Impl::collect_sums(std::uint64_t round) noexcept {
  VS_ASSERT(!is_alone());
  VS_ASSERT(effects_.empty());
  std::vector<SharedSums> all;
  std::erase_if(shared_, [&](const Uuid& key) noexcept {
    Residence* residence = find(key);
    if (residence == nullptr) return true;
    if (presence_.is_apart(key)) return false;  // nothing could mend it
    if (residence->is_home()) {
      const Home& home = residence->at_home();
      home.assert_sound();
      for (const Home::Remote& remote : home.remotes)
        if (remote.members > 0) add_sum(all, remote.node, true, key, hash_of(key, home, remote));
      return home.remote_members == 0;
    }
    if (residence->home) return false;
    const Outpost& outpost = residence->away();
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
  VS_ASSERT(bucket < SharedSums::buckets);
  VS_ASSERT(home != self());
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
  VS_ASSERT(list.entries.size() <= node::list_max);
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

// Of what the other node lists: that of this worker's sessions. Of those that are not at home here,
// as whoever lists them may find out, it is told so.
Impl::Listed Impl::read_list(const Uuid& from, const node::DigestList& list) noexcept {
  Listed there;
  for (const node::DigestEntry& entry : list.entries) {
    if (worker_of(entry.key, ports_.workers) != ports_.worker) continue;
    there.emplace(entry.key, entry.hash);
    Residence* residence = find(entry.key);
    if (residence != nullptr && residence->home) continue;
    const std::uint64_t fence = residence != nullptr ? residence->away().fence : 0;
    send(from, entry.key, fence, node::Returned{});
  }
  VS_ASSERT(there.size() <= list.entries.size());
  return there;
}

// Whether the other node, by its list, has this session otherwise. `there`: as it lists it; null:
// it does not.
bool Impl::differs(const Uuid& key, const Home& home, const Home::Remote& remote,
                   const std::uint64_t* there, bool is_list_whole) noexcept {
  if (there == nullptr) return remote.members > 0 && is_list_whole;
  return *there != hash_of(key, home, remote);
}

// Of the sessions at home here that the list is about, or that stand in it, those that the other
// node has otherwise: also those in which nobody there is taken for a member.
std::vector<Uuid> Impl::find_different(const Uuid& from, const node::DigestList& list,
                                       const Listed& there) noexcept {
  std::vector<Uuid> different;
  for (const Uuid& key : shared_) {
    Residence* residence = find(key);
    if (residence == nullptr || !residence->is_home()) continue;
    if (presence_.is_apart(key)) continue;
    const bool is_meant =
        SharedSums::bucket_of(key) == list.bucket && worker_of(key, list.workers) == list.worker;
    if (!is_meant) continue;
    const Home& home = residence->at_home();
    const auto told = there.find(key);
    const std::uint64_t* hash = told != there.end() ? &told->second : nullptr;
    if (differs(key, home, remote_of(home, from), hash, list.is_whole)) different.push_back(key);
  }
  // A home that takes nobody there for a member is no part of shared_.
  for (const auto& [key, hash] : there) {
    const Residence* residence = find(key);
    const bool is_home = residence != nullptr && residence->is_home();
    const bool is_told = presence_.is_apart(key) || shared_.contains(key);
    if (is_home && !is_told) different.push_back(key);
  }
  VS_ASSERT(different.size() <= shared_.size() + there.size());
  return different;
}

// Of this worker's sessions those that the other node has otherwise, or not at all, are told again.
void Impl::compare_list(const Uuid& from, const node::DigestList& list) noexcept {
  VS_ASSERT(!is_alone());
  VS_ASSERT(effects_.empty());
  if (list.workers == 0) return;
  const Listed there = read_list(from, list);
  bool is_too_soon = false;
  for (const Uuid& key : find_different(from, list, there)) {
    Residence* residence = find(key);
    VS_ASSERT(residence != nullptr);
    const Home& home = residence->at_home();
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
