#include "tests/sim/kernel/web/service_world.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "tests/sim/kernel/web/site.h"

namespace videosync::sim {

namespace {

Config make_config(std::size_t workers) {
  Config config;
  config.workers = static_cast<std::uint32_t>(workers);
  config.drain_us = 0;
  return config;
}

}  // namespace

ServiceWorld::ServiceWorld(SimulatedKernel& kernel, std::size_t workers)
    : kernel_(kernel),
      config_(make_config(workers)),
      store_(kernel),
      metrics_(workers, "simulated"),
      service_(new Service{
          .config = config_,
          .clock = kernel,
          .store = store_,
          .metrics = metrics_,
          .pages = the_site().pages,
          .origins = *OriginPolicy::create({}),
          .session_limits = {},
          .session_limiter = RateLimiter({}),
          .code_limiter = RateLimiter({}),
          .per_address = ConnectionCounter(0),
          .workers = {},
      }) {
  std::vector<Reactor*> reactors;
  for (std::size_t i = 0; i < workers; ++i) {
    auto reactor = Reactor::create(kernel, i, workers);
    VS_ASSERT(reactor.has_value());
    reactors.push_back(reactor->get());
    workers_.push_back(
        std::make_unique<Worker>(*service_, std::move(*reactor), the_site().catalog, nullptr));
    service_->workers.push_back(workers_.back().get());
    listeners_.push_back(kernel.add_listener());
    workers_.back()->listen(UniqueFd(listeners_.back()), false);
  }
  for (const auto& worker : workers_) {
    if (workers > 1) worker->reactor().connect(reactors);
    worker->open_sessions();
  }
  for (const auto& worker : workers_)
    VS_ASSERT(worker->start().has_value());
}

ServiceWorld::~ServiceWorld() = default;

// One of those that would be running; none: who wakes first.
Worker& ServiceWorld::pick() {
  std::size_t found = 0;
  Worker* chosen = nullptr;
  for (const auto& worker : workers_) {
    const int ring = worker->reactor().ring().descriptor();
    const bool is_awake =
        kernel_.has_news(ring) || kernel_.asleep_until_us(ring) <= kernel_.monotonic_us();
    if (is_awake && kernel_.dice().below(++found) == 0) chosen = worker.get();
  }
  if (chosen != nullptr) return *chosen;
  return **std::ranges::min_element(workers_, {}, [this](const auto& worker) {
    return kernel_.asleep_until_us(worker->reactor().ring().descriptor());
  });
}

void ServiceWorld::turn_until(const std::function<bool()>& is_met, std::int64_t at_most_us,
                              const std::function<std::string()>& describe) {
  const std::int64_t end_us = kernel_.monotonic_us() + at_most_us;
  while (!is_met()) {
    pick().reactor().turn(1'000);
    ++turns_;
    if (kernel_.monotonic_us() < end_us) continue;
    report_finding("stuck", describe() + "; in flight: " + kernel_.describe());
  }
}

void ServiceWorld::end() {
  kernel_.become_kind();
  kernel_.end_waiting();
  turn_until(
      [this] {
        return std::ranges::none_of(
            workers_, [](const auto& worker) { return worker->reactor().has_streams(); });
      },
      180'000'000, [] { return std::string("all have gone, and connections are left"); });
  for (const auto& worker : workers_)
    worker->begin_drain();
  kernel_.turn_alone();
  for (const auto& worker : workers_)
    worker->run();
  while (kernel_.in_flight() > 0) {
    for (const auto& worker : workers_)
      worker->reactor().turn(1);
  }
  service_->workers.clear();
  workers_.clear();
}

}  // namespace videosync::sim
