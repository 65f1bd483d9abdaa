// File helpers for a test, and the library's calls that need them.
#pragma once

#include <criterion/criterion.h>
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include "storage/files/file_desk.h"
#include "storage/files/file_helpers.h"
#include "storage/files/open_files.h"
#include "storage/library/media_library.h"
#include "tests/support/temp_folder.h"

namespace videosync::test {

// The process's own; they end with it.
inline FileHelpers& helpers() {
  static const std::unique_ptr<FileHelpers> started = [] {
    auto result = FileHelpers::start();
    cr_assert(result.has_value(), "%s", result ? "" : result.error().message.c_str());
    return std::move(*result);
  }();
  return *started;
}

inline std::unique_ptr<FileDesk> make_desk(FileHelpers::Lane lane = FileHelpers::Lane::scanning) {
  auto desk = FileDesk::create(helpers(), lane);
  cr_assert(desk.has_value());
  return std::move(*desk);
}

// Stops all of them, so that they hang, or lets them go on.
inline void signal_helpers(int number) {
  helpers();
  std::ifstream children(fmt::format("/proc/self/task/{}/children", ::gettid()));
  int count = 0;
  for (pid_t pid = 0; children >> pid; ++count)
    ::kill(pid, number);
  cr_assert_geq(count, 10, "the helpers are children of this thread");
}

using Library = std::shared_ptr<const MediaLibrary>;

// As a scan after others, which this is the memory of; without one as the first of a process.
inline MediaLibrary::Scan scan(const TempFolder& folder, MediaLibrary::Options options,
                               MediaLibrary::Memory& memory) {
  options.directories = {folder.path()};
  return MediaLibrary::scan(options, *make_desk(), memory).value();
}

inline Result<MediaLibrary::Scan> try_to_scan(const MediaLibrary::Options& options) {
  MediaLibrary::Memory memory;
  return MediaLibrary::scan(options, *make_desk(), memory);
}

inline MediaLibrary::Scan scan(const TempFolder& folder, MediaLibrary::Options options = {}) {
  MediaLibrary::Memory memory;
  return scan(folder, std::move(options), memory);
}

inline Library library_of(const TempFolder& folder, MediaLibrary::Options options = {}) {
  return scan(folder, std::move(options)).library;
}

inline Result<MediaFileRef> open(const MediaLibrary::Place& place) {
  if (place.file != nullptr) return place.file;
  auto opened = make_desk()->open(place.folder, place.path);
  if (opened) opened = place.files->keep(*place.folder, std::move(*opened));
  return opened;
}

// What a request for the path gets, as a worker would find it.
inline Result<MediaFileRef> resolve(const MediaLibrary& library, std::string_view path) {
  const auto place = library.find_place(path);
  if (!place) return fail(ErrorCode::not_found, "no such place");
  return open(*place);
}

// Descriptors of this process once those that are to be closed are.
inline std::size_t settled_descriptors() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (helpers().closes_pending() > 0) {
    cr_assert(std::chrono::steady_clock::now() < end, "descriptors are not closed");
    std::this_thread::yield();
  }
  return open_descriptors();
}

}  // namespace videosync::test
