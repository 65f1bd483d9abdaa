// A run is a function of its seed: else a failure could not be run again.
#include "tests/sim/world.h"

#include <criterion/criterion.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/base/log.h"
#include "tests/sim/plan.h"

using namespace videosync;
using namespace videosync::sim;

namespace {

// The whole story, to the last line.
std::string story_of(std::uint64_t seed) {
  log_settings.level = LogLevel::error;
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = ::open_memstream(&text, &size);
  cr_assert_not_null(out);
  {
    World world(make_plan(seed), out);
    world.run();
  }
  std::fclose(out);
  std::string story(text, size);
  std::free(text);
  return story;
}

}  // namespace

Test(world, the_same_seed_has_the_same_story) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const std::string story = story_of(seed);
    cr_assert_gt(story.size(), 1'000);
    cr_assert(story == story_of(seed), "seed %d", static_cast<int>(seed));
  }
}

Test(world, another_seed_has_another_story) {
  cr_assert(story_of(1) != story_of(2));
}
