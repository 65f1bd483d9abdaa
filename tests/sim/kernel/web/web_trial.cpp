#include "tests/sim/kernel/web/web_trial.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "tests/sim/kernel/nastiness.h"
#include "tests/sim/kernel/web/asker.h"
#include "tests/sim/kernel/web/service_world.h"
#include "tests/sim/kernel/web/site.h"
#include "tests/sim/kernel/web/spectator.h"

namespace videosync::sim {

namespace {

// What a thread keeps of random bytes is another seed's.
void forget_kept_random(const SimulatedKernel& kernel) {
  for (const std::uint64_t before = kernel.draws(); kernel.draws() == before;) {
    std::array<std::uint8_t, 1> byte;
    fill_random(byte);
  }
}

unsigned pick_queue(Random dice) noexcept {
  return dice.chance(0.5) ? 1'024 : static_cast<unsigned>(1 + dice.below(16));
}

class WebTrial {
 public:
  explicit WebTrial(std::uint64_t seed)
      : dice_(Random(seed).fork(11)),
        kernel_(dice_.fork(1).next(), make_nastiness(dice_.fork(2)), pick_queue(dice_.fork(3)),
                pick_queue(dice_.fork(4)) * 4) {
    forget_kept_random(kernel_);
    world_ = std::make_unique<ServiceWorld>(kernel_, 1 + dice_.below(3));
    for (std::size_t i = 0, count = dice_.below(16); i < count; ++i) {
      askers_.push_back(std::make_unique<Asker>(
          kernel_, world_->listeners(), static_cast<std::uint32_t>(i), dice_.fork(100 + i)));
      kernel_.add_actor(*askers_.back());
    }
    shows_.resize(1 + dice_.below(3));
    for (std::size_t i = 0, count = dice_.below(16); i < count; ++i) {
      spectators_.push_back(std::make_unique<Spectator>(
          kernel_, world_->listeners(), shows_[i % shows_.size()], i < shows_.size(),
          static_cast<std::uint32_t>(i), dice_.fork(300 + i)));
      kernel_.add_actor(*spectators_.back());
    }
  }

  KernelTotals run() {
    world_->turn_until([this] { return are_all_quiet(); }, time_max_us,
                       [this] { return describe(); });
    // Nobody says anything any more: what was said reaches everybody who reads, soon.
    world_->turn_until([this] { return do_all_agree(); }, settling_us,
                       [this] { return describe(); });
    for (const auto& spectator : spectators_) {
      if (!spectator->is_gone()) spectator->leave();
    }
    world_->end();
    return end();
  }

 private:
  static constexpr std::int64_t time_max_us = 3'600'000'000;
  static constexpr std::int64_t settling_us = 120'000'000;

  bool are_all_quiet() const {
    return std::ranges::all_of(askers_, [](const auto& one) { return one->is_done(); }) &&
           std::ranges::all_of(spectators_, [](const auto& one) {
             return one->is_gone() || (one->is_quiet() && one->is_watching());
           });
  }

  std::string describe() const {
    std::string words;
    for (const auto& asker : askers_) {
      if (!asker->is_done()) words += asker->describe() + "; ";
    }
    for (const auto& spectator : spectators_) {
      if (!spectator->is_gone()) words += spectator->describe() + "; ";
    }
    return words;
  }

  bool do_all_agree() const {
    return std::ranges::all_of(spectators_, [this](const auto& a) {
      return std::ranges::all_of(spectators_, [&](const auto& b) {
        const bool are_beside = a->is_watching() && b->is_watching() && &a->show() == &b->show();
        return !are_beside || a->state() == b->state();
      });
    });
  }

  KernelTotals end() {
    KernelTotals totals{.turns = world_->turns()};
    world_.reset();
    for (const auto& asker : askers_)
      totals.bytes += asker->bytes_read();
    for (const auto& spectator : spectators_)
      totals.bytes += spectator->bytes_read();
    if (kernel_.open_descriptors() > 0) {
      report_finding("leak",
                     fmt::format("{} descriptors are left open", kernel_.open_descriptors()));
    }
    totals.operations = kernel_.counts().operations;
    totals.faults = kernel_.counts().faults;
    totals.trace = kernel_.trace();
    return totals;
  }

  Random dice_;
  SimulatedKernel kernel_;
  std::unique_ptr<ServiceWorld> world_;
  std::vector<std::unique_ptr<Asker>> askers_;
  std::vector<Show> shows_;
  std::vector<std::unique_ptr<Spectator>> spectators_;
};

}  // namespace

void prepare_web() {
  the_site();
  web_exchanges();
}

KernelTotals run_web(std::uint64_t seed) {
  return WebTrial(seed).run();
}

}  // namespace videosync::sim
