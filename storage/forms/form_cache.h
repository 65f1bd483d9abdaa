// FormCache: made files of films' forms, in a folder, up to a size.
//
// FILM/RENDITION/NAME, FILM being a name of the film's version: what changes becomes another film.
// What was used least recently goes first; what was used within the last minute stays, unless
// nothing else is left to go. RENDITION "plan" is small, and dear: it counts as used much later.
// May be deleted at any time while the program does not run.
//
// One thread's. Its disk may be slow; what hangs there hangs this thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/error.h"
#include "core/base/unique_fd.h"

namespace videosync {

class FormCache {
 public:
  FormCache(std::string folder, std::uint64_t bytes_max) noexcept
      : folder_(std::move(folder)), bytes_max_(bytes_max), limit_bytes_(bytes_max) {}

  // Makes the folder, learns what is there, and removes what was left half made: what a process
  // that is there is making may be another server's, that this one takes over from. What another
  // version of videosync-media made goes, but for that. `is_shared`: such a server is there, and
  // its empty folders stay, too.
  Result<> open(bool is_shared = false);

  const std::string& folder() const noexcept { return folder_; }
  bool has(const std::string& path) const { return entries_.contains(path); }
  // It is used, by another program. False: it is not there (any more), or not to be had now.
  bool touch(const std::string& path, std::int64_t now_ms);
  // None: it is not there (any more), or, where has() it still, it cannot be had now.
  UniqueFd open_file(const std::string& path, std::int64_t now_ms);
  std::string read(const std::string& path, std::int64_t now_ms);  // "": not there
  Result<> write(const std::string& path, std::string_view bytes, std::int64_t now_ms);
  // Of a program that writes there itself: a folder for it, and what it has finished.
  Result<> make_folder(const std::string& path) const;
  void add(const std::string& path, std::uint64_t bytes, std::int64_t now_ms);
  // What was left half made in that folder, under names that end so.
  void drop_half_made(const std::string& folder, std::string_view suffix) const;
  void forget(std::string_view film);  // all of a film's files

  // Removes until there is room again.
  void make_room(std::int64_t now_ms);
  // The disk is full before the limit is reached: the limit becomes what fits, and rises again by
  // and by, for the disk may have been somebody else's for a while.
  void shrink(std::int64_t now_ms);
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  struct Entry {
    std::uint64_t bytes = 0;
    std::int64_t used_ms = 0;
  };
  // Whether the process after which it is named is there: "12.m4s.PID.tmp".
  static bool is_being_made(std::string_view path) noexcept;
  void learn(const std::string& path, std::uint64_t bytes, std::int64_t modified_ms);
  void remove(const std::string& path);
  void sweep() const;
  Result<> drop_other_versions() const;
  void widen(std::int64_t now_ms);

  const std::string folder_;
  const std::uint64_t bytes_max_;
  std::uint64_t limit_bytes_;  // at most bytes_max_: what fits
  std::int64_t limited_ms_ = 0;
  std::uint64_t bytes_ = 0;  // of all entries
  std::unordered_map<std::string, Entry> entries_;
};

// A name of a version of a file, that no other has.
std::string film_key(std::string_view root, std::string_view path, std::uint64_t size,
                     std::int64_t mtime_ns);

}  // namespace videosync
