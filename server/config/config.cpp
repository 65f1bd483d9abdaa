#include "server/config/config.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/base/text.h"
#include "server/config/reference.h"
#include "server/config/setting_values.h"
#include "server/config/settings.h"
#include "server/version.h"

namespace videosync {

namespace {

// What was said about one setting by the most important place that said anything.
struct Given {
  std::vector<std::string> values;  // empty: nowhere
  std::string place;                // "the command line", "VIDEOSYNC_WORKERS", "a.toml"
};

// Beside the settings: where the file is, and what to do instead of serving.
struct Actions {
  std::vector<std::string> config_file;
  bool check_config = false;
  std::string generate;
};

constexpr std::string_view footer = R"(
Each setting NAME above can also come from the environment, as VIDEOSYNC_NAME in upper case with
underscores (lists with commas), or from the file that --config names, as NAME = "value" or
NAME = ["value", "value"]. The command line wins over the environment, the environment over the
file. TIME: 500ms, 10s, 5m, 24h, 7d or plain seconds. SIZE: bytes, or 64KiB, 1MiB, 20GiB.

Example, behind a reverse proxy on the same machine:
  videosync --listen unix:/run/videosync/videosync.sock --trusted-proxy unix --media /srv/videos
)";

ConfigExit refuse(std::string text) {
  return {1, fmt::format("videosync: {}\n", text)};
}

std::string environment_name(std::string_view setting) {
  std::string name = "VIDEOSYNC_";
  for (const char c : setting)
    name += c == '-' ? '_' : ascii_upper(c);
  return name;
}

std::string joined(const std::vector<std::string>& values) {
  return fmt::format("{}", fmt::join(values, ", "));
}

void add_options(CLI::App& app, const Config& defaults, std::vector<Given>& given,
                 Actions& actions) {
  const auto& settings = all_settings();
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const Setting& setting = settings[i];
    std::string help(setting.help);
    if (const auto shown = setting.show(defaults); !shown.empty()) {
      help += fmt::format(" [{}]", joined(shown));
    }
    if (setting.repeatable) help += " (repeatable)";
    if (setting.type.empty()) {
      app.add_flag("--" + std::string(setting.name), given[i].values, help)
          ->group(std::string(setting.group));
      continue;
    }
    app.add_option("--" + std::string(setting.name), given[i].values, help)
        ->type_name(std::string(setting.type))
        ->group(std::string(setting.group))
        ->expected(1)
        ->allow_extra_args(false)
        ->take_all();
  }
  app.add_option("--config", actions.config_file, "Read settings from this file")
      ->type_name("FILE")
      ->group("Process")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  app.add_flag("--check-config", actions.check_config,
               "Print the settings as they would be used, and end");
  app.add_option("--generate", actions.generate,
                 fmt::format("Print a reference, and end: {}", reference_kinds))
      ->type_name("WHAT");
  app.set_version_flag("--version", version_text(),
                       "Print the version and what it was built with, and end");
  app.set_help_flag("--help,-h", "Print this, and end");
}

// nullopt: go on.
std::optional<ConfigExit> read_command_line(std::span<const char* const> arguments,
                                            const Config& defaults, std::vector<Given>& given,
                                            Actions& actions) {
  try {
    CLI::App app("VideoSync: watch together.", "videosync");
    app.get_formatter()->column_width(34);
    app.footer(std::string(footer));
    add_options(app, defaults, given, actions);
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
      app.parse(std::move(reversed));
    } catch (const CLI::CallForHelp&) {
      return ConfigExit{0, app.help()};
    } catch (const CLI::CallForVersion& call) {
      return ConfigExit{0, call.what()};
    }
  } catch (const std::exception& error) {
    return refuse(fmt::format("{} (see --help)", error.what()));
  }
  if (!actions.generate.empty()) {
    if (auto text = generate_reference(actions.generate)) return ConfigExit{0, std::move(*text)};
    return refuse(fmt::format("--generate: '{}' is none of {}", actions.generate, reference_kinds));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    given[i].place = "the command line";
    // An earlier value of a single setting is overruled: wrappers may append theirs.
    if (!all_settings()[i].repeatable && given[i].values.size() > 1) {
      given[i].values.erase(given[i].values.begin(), given[i].values.end() - 1);
    }
  }
  return std::nullopt;
}

// Variables that are set but empty count as unset.
void read_environment(std::vector<Given>& given, Actions& actions) {
  const auto read = [](std::string_view name) -> std::string {
    const char* value = std::getenv(environment_name(name).c_str());
    return value == nullptr ? "" : value;
  };
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Setting& setting = all_settings()[i];
    const std::string value = read(setting.name);
    if (value.empty() || !given[i].values.empty()) continue;
    given[i].values = setting.repeatable ? CLI::detail::split(value, ',') : std::vector{value};
    given[i].place = environment_name(setting.name);
  }
  if (const std::string file = read("config"); !file.empty() && actions.config_file.empty()) {
    actions.config_file = {file};
  }
}

Result<> merge_file_item(const CLI::ConfigItem& item, const std::string& path,
                         std::vector<Given>& given) {
  if (!item.parents.empty() || item.name == "++" || item.name == "--") {
    return fail(ErrorCode::invalid_argument, fmt::format("{}: sections are not used", path));
  }
  const auto& settings = all_settings();
  const auto found = std::ranges::find(settings, item.name, &Setting::name);
  if (found == settings.end()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: '{}' is no setting (see --help)", path, item.name));
  }
  if (item.inputs.empty() || (item.inputs.size() > 1 && !found->repeatable)) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{}: {} takes {}, not {}", path, item.name,
                    found->repeatable ? "at least one value" : "one value", item.inputs.size()));
  }
  Given& setting = given[static_cast<std::size_t>(found - settings.begin())];
  if (setting.values.empty()) setting = {item.inputs, path};
  return {};
}

Result<> read_file(const std::string& path, std::vector<Given>& given) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return fail(ErrorCode::invalid_argument, fmt::format("'{}' is a directory", path));
  }
  std::ifstream file(path);
  if (!file) return fail_errno(fmt::format("cannot read '{}'", path), errno);
  try {
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(file)) {
      if (auto merged = merge_file_item(item, path, given); !merged) return merged;
    }
  } catch (const std::exception& broken) {
    return fail(ErrorCode::invalid_argument, fmt::format("{}: {}", path, broken.what()));
  }
  return {};
}

// One line a problem, or "".
std::string apply_all(const std::vector<Given>& given, Config& config) {
  std::string problems;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i].values.empty()) continue;
    const Setting& setting = all_settings()[i];
    if (const auto applied = setting.apply(config, given[i].values); !applied) {
      problems += fmt::format("videosync: --{} (from {}): {}\n", setting.name, given[i].place,
                              applied.error().message);
    }
  }
  if (!problems.empty()) return problems;
  const auto together = check_together(config);
  return together ? "" : fmt::format("videosync: {}\n", together.error().message);
}

std::string quoted(const std::string& value) {
  const char quote = value.find('"') == value.npos ? '"' : '\'';
  return fmt::format("{}{}{}", quote, value, quote);
}

// In the form of a file for --config. No setting holds a secret that it shows.
std::string describe(const Config& config) {
  std::string text;
  for (const Setting& setting : all_settings()) {
    std::vector<std::string> values = setting.show(config);
    if (values.empty()) continue;
    std::ranges::transform(values, values.begin(), quoted);
    text += setting.repeatable ? fmt::format("{} = [{}]\n", setting.name, joined(values))
                               : fmt::format("{} = {}\n", setting.name, values.front());
  }
  return text;
}

}  // namespace

Config default_config(const MachineFacts& machine) {
  Config config;
  config.listen = {ListenAddress::parse("127.0.0.1:8080").value()};
  config.admin = ListenAddress::parse("127.0.0.1:9090").value();
  config.workers = std::clamp(machine.cores, 1u, 1'024u);
  config.transcodes_max = std::max(1U, machine.cores / 2);
  config.connections_max = default_connections_max(machine.descriptors_max);
  return config;
}

std::expected<Config, ConfigExit> load_config(std::span<const char* const> arguments,
                                              const MachineFacts& machine) {
  Config config = default_config(machine);
  std::vector<Given> given(all_settings().size());
  Actions actions;
  if (auto exit = read_command_line(arguments, config, given, actions)) {
    return std::unexpected(std::move(*exit));
  }
  read_environment(given, actions);
  if (!actions.config_file.empty()) {
    if (const auto read = read_file(actions.config_file.back(), given); !read) {
      return std::unexpected(refuse("--config: " + read.error().message));
    }
  }
  if (std::string problems = apply_all(given, config); !problems.empty()) {
    return std::unexpected(ConfigExit{1, std::move(problems)});
  }
  if (actions.check_config) return std::unexpected(ConfigExit{0, describe(config)});
  return config;
}

std::uint32_t default_connections_max(std::uint64_t descriptors_max) noexcept {
  const std::uint64_t reserve = std::clamp<std::uint64_t>(descriptors_max / 8, 64, 1'024);
  const std::uint64_t left = descriptors_max > reserve ? descriptors_max - reserve : 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(left, 100'000));
}

}  // namespace videosync
