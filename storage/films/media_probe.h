// MediaProbe: learns what videos are by asking videosync-media, and of playlists, and where that is
// not to be had, how long they are by asking ffprobe. Slow; for a background thread.
//
// One thread owns it. What it learned is kept by (place, size, modification time), so a rescan only
// asks about new files, and is given to the next process by its owner. Each question runs one child
// process without a shell, for a limited time, and reads at most 256 KiB of its output.
//
// Time that runs out says little of the film: the machine may be busy. So it is asked about again,
// after all the others, with twice the time, and given up for this process after limit_doublings.
//
// Usage: publish the scanned library with what recall() adds at once; then learn_next() and
// recall() by turns until learn_next() finds nothing to do; then, where nothing else is to be done,
// learn_late() likewise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/files/break_off.h"
#include "storage/files/file_desk.h"
#include "storage/library/media_library.h"

namespace videosync {

class MediaProbe {
 public:
  // Nothing learned: asked, and there is no answer.
  using Known = std::map<FileVersion, LearnedFilm>;
  // Each is looked up in PATH unless it has a slash.
  struct Programs {
    std::string measuring = "ffprobe";
    std::string describing{};  // videosync-media; "": there is none
  };
  static constexpr int limit_doublings = 4;

  // `desk` outlives it. limit_ms: of the first question about a video.
  MediaProbe(FileDesk& desk, Programs programs, std::int64_t limit_ms = 10'000)
      : desk_(desk), programs_(std::move(programs)), limit_ms_(limit_ms) {}

  // The library with what is known already; the given one where that adds nothing.
  std::shared_ptr<const MediaLibrary> recall(
      const std::shared_ptr<const MediaLibrary>& library) const;

  // Asks about one video that was not asked about. False: there is none, or no program can be
  // run, or `stop` is due: then it returns within 100 ms.
  bool learn_next(const std::shared_ptr<const MediaLibrary>& library, const BreakOff& stop);
  // The same with one whose time ran out; which `stop` breaks off keeps its turn.
  bool learn_late(const MediaLibrary& library, const BreakOff& stop);

  // One line each, since the last call.
  std::vector<std::string> take_warnings() { return std::exchange(warnings_, {}); }

  const Known& known() const noexcept { return known_; }
  // Of an earlier process, before the first question.
  void remember(Known known) { known_ = std::move(known); }

 private:
  enum class Verdict : std::uint8_t { answered, timed_out, unreadable, stopped, cannot_run };
  struct Answer {
    Verdict verdict = Verdict::answered;
    std::string text{};     // of answered: what the program printed
    std::string problem{};  // of cannot_run
  };
  struct Question {
    std::vector<std::string> arguments;
    int input = -1;
    int folder = -1;  // with files that the input names
  };

  // What is asked with which time; the answer is still to be kept.
  Answer ask(const Question& question, std::int64_t limit_ms, const BreakOff& stop);
  std::vector<std::string> measure_arguments(const std::string& input) const;
  Answer ask_about(const VideoEntry& video, std::int64_t limit_ms, const BreakOff& stop);
  const std::string& program_for(const VideoEntry& video) const noexcept;
  // False: it tells nothing of the video.
  bool keep(const VideoEntry& video, Answer answer, int doublings);
  void warn_late(const VideoEntry& video, int doublings);
  void forget_others(const MediaLibrary& library);

  FileDesk& desk_;
  Programs programs_;
  const std::int64_t limit_ms_;
  Known known_;
  // Time ran out, which was doubled so often; none of them is in known_.
  std::map<FileVersion, int> late_;
  std::vector<std::string> warnings_;
  std::weak_ptr<const MediaLibrary> asked_of_;  // the library of the last question
  std::size_t next_ = 0;                        // the first of its videos that may be unknown
  std::size_t next_late_ = 0;  // of a library: where the search for late ones goes on
};

}  // namespace videosync
