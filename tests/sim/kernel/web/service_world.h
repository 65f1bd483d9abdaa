// ServiceWorld: the whole service but its program on a simulated kernel: workers with their
// listeners, sessions in the embedded store, pages and films of the site.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "server/service.h"
#include "server/worker.h"
#include "storage/memory_store.h"
#include "tests/sim/kernel/simulated_kernel.h"

namespace videosync::sim {

class ServiceWorld {
 public:
  // The kernel outlives it.
  ServiceWorld(SimulatedKernel& kernel, std::size_t workers);
  ~ServiceWorld();
  ServiceWorld(const ServiceWorld&) = delete;
  ServiceWorld& operator=(const ServiceWorld&) = delete;

  const std::vector<int>& listeners() const noexcept { return listeners_; }
  // Turns workers until that is so, or a finding: what `describe` says, after so long.
  void turn_until(const std::function<bool()>& is_met, std::int64_t at_most_us,
                  const std::function<std::string()>& describe);
  // All who came have gone: ends as a drain does.
  void end();
  std::uint64_t turns() const noexcept { return turns_; }

 private:
  Worker& pick();

  SimulatedKernel& kernel_;
  Config config_;
  MemoryStore store_;
  Metrics metrics_;
  std::unique_ptr<Service> service_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<int> listeners_;
  std::uint64_t turns_ = 0;
};

}  // namespace videosync::sim
