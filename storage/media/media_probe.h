// MediaProbe: learns the durations of videos by asking ffprobe. Slow; for a background thread.
//
// One thread owns it. What it learned is kept by (name, size, modification time), so a rescan only
// asks about new files; what is no longer in the library is forgotten. Each question runs one child
// process without a shell, for at most limit_ms, and reads at most 256 bytes of its output.
//
// Usage: publish the scanned library with what recall() adds at once, then replace it by fill()'s
// when that comes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "storage/media/media_library.h"

namespace videosync {

class MediaProbe {
 public:
  struct Outcome {
    std::shared_ptr<const MediaLibrary> library;  // the given one where nothing was learned
    std::vector<std::string> warnings;            // one line each
  };

  // `program`: looked up in PATH unless it has a slash.
  explicit MediaProbe(std::string program = "ffprobe", std::int64_t limit_ms = 10'000)
      : program_(std::move(program)), limit_ms_(limit_ms) {}

  // The library with the durations that are known already; the given one where that adds nothing.
  std::shared_ptr<const MediaLibrary> recall(
      const std::shared_ptr<const MediaLibrary>& library) const;

  // Returns within 100 ms once `stop` is requested, with what it knows by then.
  Outcome fill(const std::shared_ptr<const MediaLibrary>& library, const std::stop_token& stop);

 private:
  enum class Verdict : std::uint8_t { answered, timed_out, stopped, cannot_run };
  struct Answer {
    Verdict verdict = Verdict::answered;
    std::optional<double> duration_s;
    std::string problem;  // of cannot_run
  };

  Answer ask(int fd, const std::string& input, const std::stop_token& stop) const;
  Answer ask_about(const MediaLibrary& library, const VideoEntry& video,
                   const std::stop_token& stop) const;
  std::string warning_of(const Answer& answer, const VideoEntry& video) const;

  const std::string program_;
  const std::int64_t limit_ms_;
  std::map<FileVersion, std::optional<double>> known_;  // nullopt: asked, and there is no answer
};

}  // namespace videosync
