#include "tests/sim/time_walk.h"

#include "tests/sim/time_world.h"

namespace videosync::sim {

namespace {

constexpr int acts_max = 12;

void act(TimeWorld& world) {
  switch (world.between(0, 6)) {
    case 0:
      return world.redis.step(world.between(-20 * second, 20 * second));
    case 1:
      return world.redis.step(world.between(-40 * ms, 40 * ms));
    case 2:
      return world.redis.run_at(world.now_us(), world.between(-500, 500));
    case 3:
      world.stored = {};
      return;
    case 4:
      return world.restart_redis();
    case 5:
      world.add(world.between(-100, 100));
      return;
    default:
      if (world.nodes.size() > 2) world.remove_eldest();
  }
}

}  // namespace

std::optional<Finding> walk_time(std::uint64_t seed) {
  TimeWorld world(static_cast<unsigned>(seed));
  for (int i = 0; i < 3; ++i) {
    world.add(world.between(-100, 100));
    world.run(world.between(0, second));
  }
  world.run(5 * second);
  for (std::int64_t left = world.between(1, acts_max); left > 0 && !world.finding; --left) {
    act(world);
    world.run(world.between(0, 4 * second));
  }
  world.run(5 * second);
  if (!world.finding) return std::nullopt;
  return Finding{"one time", *world.finding};
}

}  // namespace videosync::sim
