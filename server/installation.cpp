#include "server/installation.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "core/base/log.h"

namespace videosync {

namespace {

std::filesystem::path own_folder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

}  // namespace

std::string pages_directory(const Config& config) {
  if (!config.www_dir.empty()) return config.www_dir;
  std::error_code error;
  const auto beside = own_folder() / "www";
  return std::filesystem::is_directory(beside, error) ? beside.string() : "www";
}

std::string media_program() {
  constexpr const char* name = "videosync-media";
  std::error_code error;
  const auto beside = own_folder() / name;
  return std::filesystem::exists(beside, error) ? beside.string() : name;
}

std::string cache_directory(const Config& config) {
  if (config.cache_dir == "none") return {};
  if (!config.cache_dir.empty()) return config.cache_dir;
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  if (const std::string given = variable("CACHE_DIRECTORY"); !given.empty()) return given;
  if (const std::string base = variable("XDG_CACHE_HOME"); !base.empty())
    return base + "/videosync";
  if (const std::string home = variable("HOME"); !home.empty()) return home + "/.cache/videosync";
  log_info("media", "no folder for made posters and forms is known (--cache)");
  return {};
}

}  // namespace videosync
