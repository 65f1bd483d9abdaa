#include "storage/forms/form_cache.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <vector>

#include "core/base/assert.h"
#include "core/base/maker_version.h"
#include "core/base/text.h"

namespace videosync {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view half_made_ending = ".tmp";
constexpr std::string_view version_name = "version";
constexpr std::int64_t kept_ms = 60'000;
// A plan costs reading a film once more.
constexpr std::int64_t plan_kept_ms = std::int64_t{30} * 24 * 3'600'000;
constexpr std::size_t read_bytes_max = 16 << 20;
constexpr std::uint64_t bytes_max_min = 1 << 20;
constexpr std::int64_t widened_every_ms = 60'000;

// From where all of this process's times begin, so that what is older is below 0.
// What is of the future, by a clock that was wrong, is new.
std::int64_t age_ms(const fs::directory_entry& entry) {
  std::error_code error;
  const auto written = entry.last_write_time(error);
  if (error) return 0;
  const auto age = fs::file_time_type::clock::now() - written;
  return std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(age).count(),
                                0);
}

}  // namespace

bool FormCache::is_being_made(std::string_view path) noexcept {
  if (!path.ends_with(half_made_ending)) return false;
  path.remove_suffix(half_made_ending.size());
  const auto pid = parse_decimal<pid_t>(path.substr(path.rfind('.') + 1));
  return pid && *pid > 0 && (::kill(*pid, 0) == 0 || errno == EPERM);
}

Result<> FormCache::open(bool is_shared) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return fail_errno("make the folder " + folder_, error.value());
  if (auto dropped = drop_other_versions(); !dropped) return dropped;
  std::vector<std::string> half_made;
  for (fs::recursive_directory_iterator it(folder_, error), end; it != end; it.increment(error)) {
    if (error) break;
    if (!it->is_regular_file(error)) continue;
    const std::string path = it->path().lexically_relative(folder_).string();
    if (path == version_name) continue;
    // A power cut may leave what was renamed, and not what was in it.
    const std::uintmax_t bytes = it->file_size(error);
    if (path.ends_with(half_made_ending) || error || bytes == 0) {
      if (error || !is_being_made(path)) half_made.push_back(path);
      error.clear();
    } else {
      learn(path, bytes, -age_ms(*it));
    }
  }
  for (const std::string& path : half_made)
    ::unlink((folder_ + "/" + path).c_str());
  if (!is_shared) sweep();
  return {};
}

// The version is written when all that has another one is gone: so also who is killed in between
// leaves nothing that is taken for of this version.
Result<> FormCache::drop_other_versions() const {
  const std::string name = fmt::format("{}/{}", folder_, version_name);
  const std::string wanted = fmt::format("{}\n", maker_version);
  std::string found;
  std::getline(std::ifstream(name), found);
  if (found + '\n' == wanted) return {};
  std::error_code error;
  std::vector<fs::path> others;
  for (fs::recursive_directory_iterator it(folder_, error), end; !error && it != end;
       it.increment(error))
    if (!it->is_directory(error) && !is_being_made(it->path().string()))
      others.push_back(it->path());
  for (const fs::path& other : others)
    if (!error) fs::remove(other, error);
  if (error) return fail_errno("empty the folder " + folder_, error.value());
  errno = 0;
  if (std::ofstream file(name); !(file << wanted << std::flush)) {
    return fail_errno("write " + name, errno);
  }
  return {};
}

// Empty folders. Only here: while runs begin, one of theirs may be empty.
void FormCache::sweep() const {
  std::error_code error;
  std::vector<fs::path> folders;
  for (fs::recursive_directory_iterator it(folder_, error), end; it != end; it.increment(error)) {
    if (error) break;
    if (it->is_directory(error)) folders.push_back(it->path());
  }
  // The inner ones come behind those that they are in.
  for (auto it = folders.rbegin(); it != folders.rend(); ++it)
    ::rmdir(it->c_str());
}

void FormCache::learn(const std::string& path, std::uint64_t bytes, std::int64_t used_ms) {
  Entry& entry = entries_[path];
  bytes_ += bytes - entry.bytes;
  entry = {bytes, used_ms};
}

bool FormCache::touch(const std::string& path, std::int64_t now_ms) {
  const auto found = entries_.find(path);
  if (found == entries_.end()) return false;
  if (::access((folder_ + "/" + path).c_str(), R_OK) != 0) {
    if (errno == ENOENT) remove(path);
    return false;
  }
  found->second.used_ms = now_ms;
  return true;
}

UniqueFd FormCache::open_file(const std::string& path, std::int64_t now_ms) {
  const auto found = entries_.find(path);
  if (found == entries_.end()) return {};
  UniqueFd file(::open((folder_ + "/" + path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file) {
    found->second.used_ms = now_ms;
  } else if (errno == ENOENT) {
    remove(path);
  }
  return file;
}

std::string FormCache::read(const std::string& path, std::int64_t now_ms) {
  const UniqueFd file = open_file(path, now_ms);
  std::string text;
  std::array<char, 65'536> chunk;
  while (file && text.size() < read_bytes_max) {
    const ssize_t n = ::read(file.get(), chunk.data(), chunk.size());
    if (n <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(n));
  }
  return text;
}

Result<> FormCache::make_folder(const std::string& path) const {
  std::error_code error;
  fs::create_directories(folder_ + "/" + path, error);
  if (error) return fail_errno("make the folder " + folder_ + "/" + path, error.value());
  return {};
}

Result<> FormCache::write(const std::string& path, std::string_view bytes, std::int64_t now_ms) {
  if (auto made = make_folder(fs::path(path).parent_path().string()); !made) return made;
  const std::string whole = folder_ + "/" + path;
  const std::string temporary = fmt::format("{}.{}.tmp", whole, ::getpid());
  UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  const bool is_written =
      file && ::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  file.reset();
  if (!is_written || ::rename(temporary.c_str(), whole.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    return fail_errno("write " + whole, reason);
  }
  add(path, bytes.size(), now_ms);
  return {};
}

void FormCache::add(const std::string& path, std::uint64_t bytes, std::int64_t now_ms) {
  learn(path, bytes, now_ms);
  widen(now_ms);
  make_room(now_ms);
}

void FormCache::remove(const std::string& path) {
  const auto found = entries_.find(path);
  VS_ASSERT(found != entries_.end());
  ::unlink((folder_ + "/" + path).c_str());
  bytes_ -= found->second.bytes;
  entries_.erase(found);
}

void FormCache::drop_half_made(const std::string& folder, std::string_view suffix) const {
  VS_ASSERT(suffix.ends_with(".tmp"));
  std::error_code error;
  for (fs::directory_iterator it(folder_ + "/" + folder, error), end; it != end;
       it.increment(error)) {
    if (error) return;
    if (it->path().string().ends_with(suffix)) ::unlink(it->path().c_str());
  }
}

void FormCache::forget(std::string_view film) {
  std::vector<std::string> paths;
  for (const auto& [path, entry] : entries_) {
    if (path.starts_with(film) && path.substr(film.size()).starts_with('/')) paths.push_back(path);
  }
  for (const std::string& path : paths)
    remove(path);
  std::error_code error;
  fs::remove_all(folder_ + "/" + std::string(film), error);
}

void FormCache::make_room(std::int64_t now_ms) {
  if (bytes_ <= limit_bytes_) return;
  std::vector<std::pair<std::int64_t, std::string>> by_age;
  for (const auto& [path, entry] : entries_) {
    const bool is_plan = path.find("/plan/") != path.npos;
    by_age.emplace_back(entry.used_ms + (is_plan ? plan_kept_ms : 0), path);
  }
  std::ranges::sort(by_age);
  // Some more than needed, so that not every new file sorts them all again.
  const std::uint64_t wanted = limit_bytes_ - limit_bytes_ / 16;
  const std::uint64_t bound = limit_bytes_ + limit_bytes_ / 8;
  for (const auto& [used_ms, path] : by_age) {
    const bool plays = now_ms - used_ms < kept_ms;
    if (bytes_ <= (plays ? bound : wanted)) break;
    remove(path);
  }
}

void FormCache::shrink(std::int64_t now_ms) {
  const std::uint64_t fits = std::max(bytes_ - bytes_ / 8, bytes_max_min);
  limit_bytes_ = std::min(limit_bytes_, fits);
  limited_ms_ = now_ms;
  make_room(now_ms);
}

void FormCache::widen(std::int64_t now_ms) {
  if (limit_bytes_ == bytes_max_ || now_ms - limited_ms_ < widened_every_ms) return;
  limit_bytes_ = std::min(bytes_max_, limit_bytes_ + limit_bytes_ / 4);
  limited_ms_ = now_ms;
}

std::string film_key(std::string_view root, std::string_view path, std::uint64_t size,
                     std::int64_t mtime_ns) {
  // Two sums of 64 bits (FNV-1a from two seeds): names of other films are not met by chance.
  std::array<std::uint64_t, 2> sums{0xcbf29ce484222325, 0x9ae16a3b2f90404f};
  const std::string text = fmt::format("{}\n{}\n{}\n{}", root, path, size, mtime_ns);
  for (const char c : text) {
    for (std::uint64_t& sum : sums)
      sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return fmt::format("{:016x}{:016x}", sums[0], sums[1]);
}

}  // namespace videosync
