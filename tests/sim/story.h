// Story: what has happened in a run, one line each, for a person. Written only where somebody is
// going to read it: on the second run of a seed that failed; and at once, because a run may end in
// an assertion. And Finding: how a run failed. One thread.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "tests/sim/scheduler.h"

namespace videosync::sim {

struct Finding {
  std::string check;  // the promise's name: the same fault has the same name
  std::string words;
};

class Story {
 public:
  // `out`: null where nobody listens.
  Story(const Scheduler& scheduler, std::FILE* out) noexcept : scheduler_(scheduler), out_(out) {}

  template <class... Values>
  void tell(fmt::format_string<Values...> format, Values&&... values) {
    if (out_ == nullptr) return;
    const double time_ms = static_cast<double>(scheduler_.now_us()) / 1e3;
    fmt::print(out_, "{:11.3f} ms  {}\n", time_ms,
               fmt::format(format, std::forward<Values>(values)...));
    std::fflush(out_);
  }
  bool is_told() const noexcept { return out_ != nullptr; }

 private:
  const Scheduler& scheduler_;
  std::FILE* const out_;
};

}  // namespace videosync::sim
