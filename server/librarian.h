// Librarian: keeps the media library up to date on a thread of its own, so that no worker waits for
// a disk, for ffprobe or for ffmpeg.
//
// rescan() asks for a new scan; each outcome (first the scan, then the same with durations, then
// with pictures as they get made) is left in a place that take() empties, and told through the
// eventfd news_descriptor(). rescan and take are any thread's.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "storage/media/media_library.h"
#include "storage/media/media_pictures.h"
#include "storage/media/media_probe.h"

namespace videosync {

class Librarian {
 public:
  // cache_directory: for pictures, "": none. Errors: io, where no eventfd is to be had.
  static Result<std::unique_ptr<Librarian>> create(MediaLibrary::Options options,
                                                   std::string cache_directory,
                                                   std::shared_ptr<const MediaLibrary> first);
  ~Librarian();
  Librarian(const Librarian&) = delete;
  Librarian& operator=(const Librarian&) = delete;

  // Once. Begins with the durations and pictures of what `first` has. Errors: no thread to be had.
  Result<> start();
  void rescan();
  int news_descriptor() const noexcept { return news_.get(); }
  // Null: nothing new.
  std::shared_ptr<const MediaLibrary> take();

 private:
  Librarian(UniqueFd news, MediaLibrary::Options options, std::string cache_directory,
            std::shared_ptr<const MediaLibrary> first);
  void run(const std::stop_token& stop);
  void learn_durations(const std::stop_token& stop);
  void make_pictures(const std::stop_token& stop);
  bool scan_again();
  void publish(std::shared_ptr<const MediaLibrary> library);

  const MediaLibrary::Options options_;
  const UniqueFd news_;
  MediaProbe probe_;
  MediaPictures pictures_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool wants_scan_ = false;                        // under mutex_
  std::stop_source pictures_stop_;                 // under mutex_: a scan or the end is wanted
  std::shared_ptr<const MediaLibrary> published_;  // under mutex_
  std::shared_ptr<const MediaLibrary> library_;    // the thread's
  std::jthread thread_;                            // last: ends before the rest goes
};

}  // namespace videosync
