// The table of settings: each one's name, help, and how it goes in and out of a Config.
//
// Immutable; used by load_config alone, in main, before threads start.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "server/config/config.h"

namespace videosync {

struct Setting {
  std::string_view group;  // a heading of --help
  std::string_view name;   // "host-grace": --host-grace, VIDEOSYNC_HOST_GRACE, host-grace = ...
  std::string_view type;   // what the value is, for --help; "": none is needed, it is yes or no
  std::string_view help;
  bool repeatable = false;
  // REQUIRES at least one value, and exactly one unless repeatable. Replaces what stood there.
  std::move_only_function<Result<>(Config&, std::span<const std::string>) const> apply;
  // The values in the form that apply takes; none where unset.
  std::move_only_function<std::vector<std::string>(const Config&) const> show;
};

const std::vector<Setting>& all_settings();

// What no setting can judge alone.
Result<> check_together(const Config& config);

}  // namespace videosync
