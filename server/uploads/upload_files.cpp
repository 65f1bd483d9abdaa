#include "server/uploads/upload_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <vector>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "storage/names/library_names.h"

namespace videosync {

namespace {

constexpr std::array hidden_folders{".partial", ".nodes"};
// A node that has not been noted for so long has it no more, or is gone.
constexpr std::int64_t node_age_s_max = 30;
constexpr mode_t folder_mode = 0755;
constexpr mode_t file_mode = 0644;
constexpr int names_tried_max = 100;

bool is_session_name(std::string_view name) noexcept {
  std::array<std::uint8_t, 16> bytes;
  return parse_hex(name, bytes);
}

bool is_partial_name(std::string_view name) noexcept {
  return name.size() == 65 && name[32] == '.' && is_session_name(name.substr(0, 32)) &&
         is_session_name(name.substr(33));
}

std::string partial_name(const Upload& upload) {
  return to_hex(upload.session.bytes) + '.' + to_hex(upload.id.bytes);
}

std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  UniqueFd listing(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listing) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(listing.get()), &::closedir);
  if (!stream) return names;
  static_cast<void>(listing.release());
  while (const dirent* entry = ::readdir(stream.get()))
    names.emplace_back(entry->d_name);
  return names;
}

// Films lie in it and nothing else: a folder in it is nobody's doing of ours, and stays.
void remove_films(int parent, const std::string& name) noexcept {
  const UniqueFd folder(
      ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!folder) return;
  for (const std::string& film : names_in(folder.get()))
    ::unlinkat(folder.get(), film.c_str(), 0);
  ::unlinkat(parent, name.c_str(), AT_REMOVEDIR);
}

// When it was last written to; now, for what is not there.
std::int64_t written_s(int folder, const std::string& name) noexcept {
  struct stat status{};
  const int known = ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW);
  return known == 0 ? status.st_mtim.tv_sec : INT64_MAX / 2;
}

std::string numbered(const std::string& name, int number) {
  if (number == 1) return name;
  return fmt::format("{} ({}).{}", stem_of(name), number, extension_of(name));
}

bool names_one_of(const std::vector<Uuid>& sessions, std::string_view name) noexcept {
  Uuid key;
  return parse_hex(name, key.bytes) && std::ranges::find(sessions, key) != sessions.end();
}

}  // namespace

Result<UploadFiles> UploadFiles::open(const std::string& path) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail_errno("open the folder " + path, errno);
  std::array<UniqueFd, 2> inner;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    const char* name = hidden_folders[i];
    if (::mkdirat(folder.get(), name, folder_mode) != 0 && errno != EEXIST) {
      return fail_errno("make a folder in " + path, errno);
    }
    inner[i] =
        UniqueFd(::openat(folder.get(), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!inner[i] || ::faccessat(inner[i].get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
      return fail_errno("write in " + path + "/" + name, errno);
    }
  }
  return UploadFiles(std::move(folder), std::move(inner[0]), std::move(inner[1]));
}

void UploadFiles::clear(const std::vector<Uuid>& living,
                        const std::vector<Upload>& unfinished) noexcept {
  std::vector<std::string> parts;
  for (const Upload& upload : unfinished)
    parts.push_back(partial_name(upload));
  for (const std::string& name : names_in(partial_.get())) {
    const bool is_needed = std::ranges::find(parts, name) != parts.end();
    if (is_partial_name(name) && !is_needed) ::unlinkat(partial_.get(), name.c_str(), 0);
  }
  for (const std::string& name : names_in(folder_.get()))
    if (is_session_name(name) && !names_one_of(living, name)) remove_films(folder_.get(), name);
}

Result<> UploadFiles::create(const Upload& upload) noexcept {
  const UniqueFd file(::openat(partial_.get(), partial_name(upload).c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file_mode));
  if (!file) return fail_errno("make a file for an upload", errno);
  return {};
}

UploadFiles::Written UploadFiles::append(const Upload& upload, std::string_view bytes) noexcept {
  UniqueFd& file = open_[partial_name(upload)];
  if (!file) {
    file = UniqueFd(
        ::openat(partial_.get(), partial_name(upload).c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  }
  if (!file) return {0, errno};
  Written written;
  while (written.bytes < bytes.size()) {
    const ssize_t some =
        ::pwrite(file.get(), bytes.data() + written.bytes, bytes.size() - written.bytes,
                 static_cast<off_t>(upload.offset + written.bytes));
    if (some < 0 && errno == EINTR) continue;
    if (some <= 0) {
      written.system_errno = some < 0 ? errno : EIO;
      break;
    }
    written.bytes += static_cast<std::uint64_t>(some);
  }
  return written;
}

bool UploadFiles::close(const Upload& upload) noexcept {
  auto file = open_.extract(partial_name(upload));
  return file.empty() || file.mapped().close();
}

Result<std::string> UploadFiles::finish(const Upload& upload) {
  VS_ASSERT(!open_.contains(partial_name(upload)));
  const std::string session = to_hex(upload.session.bytes);
  if (::mkdirat(folder_.get(), session.c_str(), folder_mode) != 0 && errno != EEXIST) {
    return fail_errno("make a folder for a session's films", errno);
  }
  for (int number = 1; number <= names_tried_max; ++number) {
    const std::string place = session + '/' + numbered(upload.name, number);
    // Nobody else makes names there, and not every storage has a rename that replaces nothing.
    if (::faccessat(folder_.get(), place.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) continue;
    const std::string part = partial_name(upload);
    if (::renameat(partial_.get(), part.c_str(), folder_.get(), place.c_str()) != 0) break;
    return place;
  }
  return fail_errno("put a film in its place", errno);
}

void UploadFiles::remove(const Upload& upload) noexcept {
  close(upload);
  if (!upload.place.empty()) {
    ::unlinkat(folder_.get(), upload.place.c_str(), 0);
    // Where it was the last one.
    ::unlinkat(folder_.get(), to_hex(upload.session.bytes).c_str(), AT_REMOVEDIR);
  }
  ::unlinkat(partial_.get(), partial_name(upload).c_str(), 0);
}

void UploadFiles::remove_all_of(const Uuid& session) noexcept {
  const std::string key = to_hex(session.bytes);
  remove_films(folder_.get(), key);
  for (const std::string& name : names_in(partial_.get()))
    if (is_partial_name(name) && name.starts_with(key)) ::unlinkat(partial_.get(), name.c_str(), 0);
}

void UploadFiles::note_node(const Uuid& node) noexcept {
  const UniqueFd file(::openat(nodes_.get(), to_hex(node.bytes).c_str(),
                               O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, file_mode));
  struct stat status{};
  if (!file || ::futimens(file.get(), nullptr) != 0 || ::fstat(file.get(), &status) != 0) return;
  now_s_ = status.st_mtim.tv_sec;
}

void UploadFiles::remove_node(const Uuid& node) noexcept {
  ::unlinkat(nodes_.get(), to_hex(node.bytes).c_str(), 0);
}

std::size_t UploadFiles::count_nodes() const noexcept {
  std::size_t count = 0;
  for (const std::string& name : names_in(nodes_.get())) {
    if (!is_session_name(name)) continue;
    const std::int64_t age_s = now_s_ - written_s(nodes_.get(), name);
    if (age_s <= node_age_s_max) ++count;
    if (age_s > 10 * node_age_s_max) ::unlinkat(nodes_.get(), name.c_str(), 0);
  }
  return count;
}

std::vector<Uuid> UploadFiles::sessions() const {
  std::vector<Uuid> found;
  const auto add = [&](std::string_view name) {
    Uuid key;
    if (parse_hex(name, key.bytes)) found.push_back(key);
  };
  for (const std::string& name : names_in(folder_.get()))
    add(name);
  for (const std::string& name : names_in(partial_.get()))
    if (is_partial_name(name)) add(std::string_view(name).substr(0, 32));
  std::ranges::sort(found);
  const auto same = std::ranges::unique(found);
  found.erase(same.begin(), same.end());
  return found;
}

void UploadFiles::remove_parts_older_than(std::int64_t age_s) noexcept {
  for (const std::string& name : names_in(partial_.get())) {
    const bool is_old = is_partial_name(name) && now_s_ - written_s(partial_.get(), name) > age_s;
    if (is_old && !open_.contains(name)) ::unlinkat(partial_.get(), name.c_str(), 0);
  }
}

}  // namespace videosync
