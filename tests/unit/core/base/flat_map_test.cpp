#include "core/base/flat_map.h"

#include <criterion/criterion.h>

#include <map>
#include <random>

#include "core/base/strong_id.h"

using namespace videosync;

namespace {

using Id = StrongId<struct IdTag, std::uint32_t>;

// Ids of a few dense ranges, as members' are, so that entries meet and push each other on.
Id some_id(std::mt19937& random) {
  return Id{static_cast<std::uint32_t>(1 + random() % 3 * 0x10000 + random() % 40)};
}

}  // namespace

Test(flat_map, an_empty_one_finds_nothing) {
  FlatMap<Id, int> map;
  cr_assert(map.empty() && map.find(Id{1}) == map.end() && map.begin() == map.end());
}

Test(flat_map, a_random_walk_agrees_with_a_map) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    FlatMap<Id, int> map;
    std::map<Id, int> model;
    for (int step = 0; step < 4'000; ++step) {
      const Id id = some_id(random);
      const auto found = map.find(id);
      cr_assert_eq(found != map.end(), model.contains(id), "seed %u, step %d", seed, step);
      if (random() % 2 == 0) {
        map[id] = model[id] = step;
      } else if (found != map.end()) {
        cr_assert_eq(found->second, model[id], "seed %u, step %d", seed, step);
        map.erase(found);
        model.erase(id);
      }
      cr_assert_eq(map.size(), model.size(), "seed %u, step %d", seed, step);
    }
    std::map<Id, int> seen;
    for (const auto& [id, value] : map)
      seen[id] = value;
    cr_assert(seen == model, "seed %u: an iteration meets each once", seed);
  }
}
