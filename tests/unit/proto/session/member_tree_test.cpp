#include "proto/session/member_tree.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

using namespace videosync;

namespace {

std::vector<std::uint32_t> ids_in(const MemberTree& tree, std::size_t max = SIZE_MAX) {
  std::vector<std::uint32_t> ids;
  tree.visit([&](const Member& member) {
    ids.push_back(member.id.value);
    return ids.size() < max;
  });
  return ids;
}

std::size_t depth_below(MemberSlab& slab, MemberPlace place) {
  if (place == no_place) return 0;
  const Member& member = slab.at(place);
  return 1 + std::max(depth_below(slab, member.lower), depth_below(slab, member.higher));
}

}  // namespace

Test(member_tree, a_random_walk_agrees_with_a_map) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    std::mt19937 random(seed);
    MemberSlab slab;
    MemberTree tree(slab);
    std::map<std::uint32_t, Member*> model;
    for (int step = 0; step < 3'000; ++step) {
      const auto id = static_cast<std::uint32_t>(1 + random() % 200);
      const auto known = model.find(id);
      Member* found = tree.find(MemberId{id});
      cr_assert_eq(found, known == model.end() ? nullptr : known->second, "seed %u, step %d", seed,
                   step);
      if (found != nullptr) {
        tree.erase(*found);
        slab.give_back(*found);
        model.erase(known);
      } else {
        Member& member = slab.take();
        member.id = MemberId{id};
        tree.insert(member);
        model[id] = &member;
      }
      Member* first = model.empty() ? nullptr : model.begin()->second;
      cr_assert_eq(tree.first(), first, "seed %u, step %d", seed, step);
      cr_assert_eq(tree.size(), model.size());
    }
    std::vector<std::uint32_t> expected;
    for (const auto& [id, member] : model)
      expected.push_back(id);
    cr_assert(ids_in(tree) == expected, "seed %u", seed);
    expected.resize(std::min<std::size_t>(expected.size(), 5));
    cr_assert(ids_in(tree, 5) == expected, "seed %u: a visit ends when it is told to", seed);
  }
}

// Ids are given in order: in a plain search tree each would be one deeper than the one before.
Test(member_tree, ids_in_order_do_not_make_a_list_of_it) {
  MemberSlab slab;
  MemberTree tree(slab);
  for (std::uint32_t id = 1; id <= 20'000; ++id) {
    Member& member = slab.take();
    member.id = MemberId{id};
    tree.insert(member);
  }
  std::set<MemberPlace> roots;
  for (MemberPlace place = 0; place < 20'000; ++place)
    roots.insert(place);
  for (MemberPlace place = 0; place < 20'000; ++place) {
    roots.erase(slab.at(place).lower);
    roots.erase(slab.at(place).higher);
  }
  cr_assert_eq(roots.size(), 1u);
  cr_assert_lt(depth_below(slab, *roots.begin()), 60u);
}
