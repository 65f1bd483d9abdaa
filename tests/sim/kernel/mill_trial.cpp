#include "tests/sim/kernel/mill_trial.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "core/base/assert.h"
#include "tests/sim/kernel/customer.h"
#include "tests/sim/kernel/mill.h"
#include "tests/sim/kernel/nastiness.h"
#include "tests/sim/kernel/simulated_kernel.h"

namespace videosync::sim {

namespace {

// Nobody's business takes so long.
constexpr std::int64_t time_max_us = 3'600'000'000;
constexpr std::size_t files = 4;

class MillTrial {
 public:
  explicit MillTrial(std::uint64_t seed)
      : dice_(Random(seed).fork(1)),
        kernel_(Random(seed).fork(2).next(), make_nastiness(Random(seed).fork(3)),
                pick_queue(dice_), pick_queue(dice_) * 4) {
    const std::size_t workers = 1 + dice_.below(3);
    for (std::size_t i = 0; i < files; ++i)
      add_file(i);
    for (std::size_t i = 0; i < workers; ++i)
      add_worker(i, workers);
    const std::size_t customers = 1 + dice_.below(40);
    for (std::size_t i = 0; i < customers; ++i) {
      customers_.push_back(
          std::make_unique<Customer>(world_, static_cast<std::uint32_t>(i), dice_.fork(100 + i)));
      kernel_.add_actor(*customers_.back());
    }
  }

  KernelTotals run() {
    begin();
    turn_until([this] {
      return std::ranges::all_of(customers_, [](const auto& one) { return one->is_done(); });
    });
    kernel_.become_kind();
    kernel_.end_waiting();
    for (Mill* mill : mills_)
      mill->end();
    turn_until([this] {
      return kernel_.in_flight() == 0 &&
             std::ranges::all_of(mills_, [](const Mill* mill) { return mill->is_idle(); });
    });
    return end();
  }

 private:
  static unsigned pick_queue(Random& dice) noexcept {
    return dice.chance(0.5) ? 1'024 : static_cast<unsigned>(1 + dice.below(16));
  }

  void add_file(std::size_t index) {
    const std::int64_t bytes = dice_.between(4'096, index == 0 ? 2'000'000 : 300'000);
    MillFile file;
    file.descriptor = UniqueFd(kernel_.add_file(file_pattern(index), bytes));
    file.bytes = bytes;
    file.owner = std::make_shared<int>(0);
    files_.push_back(std::move(file));
    world_.file_bytes.push_back(bytes);
  }

  void add_worker(std::size_t index, std::size_t count) {
    auto reactor = Reactor::create(kernel_, index, count);
    VS_ASSERT(reactor.has_value());
    reactors_.push_back(std::move(*reactor));
    const int listener = kernel_.add_listener();
    world_.listeners.push_back(listener);
    owned_.push_back(std::make_unique<Mill>(*reactors_.back(), UniqueFd(listener), files_, mills_));
    mills_.push_back(owned_.back().get());
  }

  void begin() {
    std::vector<Reactor*> all;
    for (const auto& reactor : reactors_)
      all.push_back(reactor.get());
    for (const auto& reactor : reactors_) {
      if (all.size() > 1) reactor->connect(all);
      VS_ASSERT(reactor->start().has_value());
    }
    for (Mill* mill : mills_)
      mill->begin();
  }

  template <class Condition>
  void turn_until(Condition&& is_met) {
    while (!is_met()) {
      pick().turn(1'000);
      ++totals_.turns;
      if (kernel_.monotonic_us() < time_max_us) continue;
      std::string words = "nothing comes to an end: " + kernel_.describe();
      for (const auto& customer : customers_) {
        if (!customer->is_done()) words += "; " + customer->describe();
      }
      report_finding("stuck", words);
    }
  }

  // One of those that would be running; none: who wakes first.
  Reactor& pick() {
    std::size_t found = 0;
    Reactor* chosen = nullptr;
    for (const auto& reactor : reactors_) {
      const int ring = reactor->ring().descriptor();
      if (!kernel_.has_news(ring) && kernel_.asleep_until_us(ring) > kernel_.monotonic_us()) {
        continue;
      }
      if (dice_.below(++found) == 0) chosen = reactor.get();
    }
    if (chosen != nullptr) return *chosen;
    return **std::ranges::min_element(reactors_, {}, [this](const auto& reactor) {
      return kernel_.asleep_until_us(reactor->ring().descriptor());
    });
  }

  KernelTotals end() {
    for (const auto& customer : customers_)
      totals_.bytes += customer->bytes_read();
    owned_.clear();
    reactors_.clear();
    files_.clear();
    if (kernel_.open_descriptors() > 0) {
      report_finding("leak",
                     fmt::format("{} descriptors are left open", kernel_.open_descriptors()));
    }
    totals_.operations = kernel_.counts().operations;
    totals_.faults = kernel_.counts().faults;
    totals_.trace = kernel_.trace();
    return totals_;
  }

  Random dice_;
  SimulatedKernel kernel_;
  Customer::World world_{kernel_, {}, {}};
  MillFiles files_;
  std::vector<std::unique_ptr<Reactor>> reactors_;
  std::vector<std::unique_ptr<Mill>> owned_;
  std::vector<Mill*> mills_;
  std::vector<std::unique_ptr<Customer>> customers_;
  KernelTotals totals_;
};

}  // namespace

KernelTotals run_mill(std::uint64_t seed) {
  return MillTrial(seed).run();
}

}  // namespace videosync::sim
