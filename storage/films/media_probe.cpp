#include "storage/films/media_probe.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <span>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/base/unique_fd.h"
#include "storage/files/child_process.h"

namespace videosync {

namespace {

constexpr std::size_t output_bytes_max = 256 << 10;
constexpr std::uint64_t memory_bytes_max = std::uint64_t{2} << 30;
constexpr std::uint64_t file_bytes_max = 1 << 20;
constexpr int stop_check_ms = 100;

// The first line of what ffprobe printed, as seconds; "N/A" and the like are no answer.
std::optional<double> parse_duration(std::string_view text) {
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc{} || rest == end || *rest != '\n') return std::nullopt;
  if (!std::isfinite(seconds) || seconds <= 0) return std::nullopt;
  return seconds;
}

enum class ReadEnd : std::uint8_t { complete, timed_out, stopped };

// Reads until the writer is gone, the text is full, time is up or `stop` is requested.
ReadEnd read_output(int fd, std::int64_t limit_ms, const BreakOff& stop, std::string& text) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + std::chrono::milliseconds(limit_ms);
  std::array<char, 4'096> chunk;
  while (text.size() < output_bytes_max) {
    if (stop.is_due()) return ReadEnd::stopped;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return ReadEnd::timed_out;
    pollfd waited{fd, POLLIN, 0};
    const int wait_ms = static_cast<int>(std::min<std::int64_t>(left.count(), stop_check_ms));
    if (::poll(&waited, 1, wait_ms) <= 0) continue;
    const ssize_t n =
        ::read(fd, chunk.data(), std::min(chunk.size(), output_bytes_max - text.size()));
    if (n == 0) break;
    if (n > 0) text.append(chunk.data(), static_cast<std::size_t>(n));
  }
  return ReadEnd::complete;
}

}  // namespace

// Only local files: a playlist must not make this machine call others.
std::vector<std::string> MediaProbe::measure_arguments(const std::string& input) const {
  return {programs_.measuring,
          "-v",
          "error",
          "-protocol_whitelist",
          "file,crypto,data",
          "-show_entries",
          "format=duration",
          "-of",
          "default=noprint_wrappers=1:nokey=1",
          input};
}

MediaProbe::Answer MediaProbe::ask(const Question& question, std::int64_t limit_ms,
                                   const BreakOff& stop) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return {Verdict::cannot_run, {}, std::strerror(errno)};
  }
  const UniqueFd ours(ends[0]);
  UniqueFd childs(ends[1]);
  std::string text;
  ReadEnd end = ReadEnd::complete;
  {
    // Whoever closed its output has said all it will say; whoever has not is out of time. The
    // complete line is the answer, so the exit status adds nothing, and the child ends here.
    const Result<ChildProcess> child =
        ChildProcess::start(desk_.spawner(), {.words = question.arguments,
                                              .output = childs.get(),
                                              .input = question.input,
                                              .reads = question.folder,
                                              .precedence = Precedence::aside,
                                              .memory_bytes_max = memory_bytes_max,
                                              .file_bytes_max = file_bytes_max});
    childs.reset();
    if (!child) {
      return {Verdict::cannot_run, {}, std::strerror(child.error().system_errno)};
    }
    end = read_output(ours.get(), limit_ms, stop, text);
  }
  switch (end) {
    case ReadEnd::timed_out:
      return {Verdict::timed_out};
    case ReadEnd::stopped:
      return {Verdict::stopped};
    case ReadEnd::complete:
      break;
  }
  return {Verdict::answered, std::move(text)};
}

const std::string& MediaProbe::program_for(const VideoEntry& video) const noexcept {
  return video.file && !programs_.describing.empty() ? programs_.describing : programs_.measuring;
}

// The child re-opens the very file that is open here; only a playlist, which names others beside
// it, is found by its path.
MediaProbe::Answer MediaProbe::ask_about(const VideoEntry& video, std::int64_t limit_ms,
                                         const BreakOff& stop) {
  if (!video.file) {
    const std::string path =
        fmt::format("file:{}/{}", video.playlist.folder->path(), video.playlist.path);
    const int folder = video.playlist.folder->fd();
    return ask({.arguments = measure_arguments(path), .folder = folder}, limit_ms, stop);
  }
  const auto file = desk_.open(video.file.folder, video.file.path);
  if (!file) {
    const bool is_stopped = stop.is_due() || file.error().code == ErrorCode::timed_out;
    return {is_stopped ? Verdict::stopped : Verdict::unreadable};
  }
  const std::string path = fmt::format("/dev/fd/{}", ChildProcess::input_fd);
  const int input = (*file)->fd();
  if (!programs_.describing.empty()) {
    Answer answer = ask(
        {{programs_.describing, "describe", path, "--parent", std::to_string(::getpid())}, input},
        limit_ms, stop);
    if (answer.verdict != Verdict::cannot_run) return answer;
    warnings_.push_back(
        fmt::format("{} cannot be run ({}): videos are served as they are, in no other form",
                    programs_.describing, answer.problem));
    programs_.describing.clear();
  }
  return ask({measure_arguments("file:" + path), input}, limit_ms, stop);
}

std::shared_ptr<const MediaLibrary> MediaProbe::recall(
    const std::shared_ptr<const MediaLibrary>& library) const {
  std::vector<LearnedFilm> learned;
  bool adds = false;
  for (const VideoEntry& video : library->videos()) {
    const auto known = known_.find(video.version());
    learned.push_back(known != known_.end() ? known->second : video.learned);
    adds = adds || learned.back() != video.learned;
  }
  return adds ? library->with_learned(learned) : library;
}

bool MediaProbe::learn_next(const std::shared_ptr<const MediaLibrary>& library,
                            const BreakOff& stop) {
  const std::span<const VideoEntry> videos = library->videos();
  if (asked_of_.lock() != library) {
    asked_of_ = library;
    next_ = 0;
    forget_others(*library);
  }
  const auto is_asked = [this](const FileVersion& version) {
    return known_.contains(version) || late_.contains(version);
  };
  while (next_ < videos.size() && is_asked(videos[next_].version()))
    ++next_;
  if (next_ >= videos.size() || stop.is_due()) return false;
  const VideoEntry& video = videos[next_];
  if (!keep(video, ask_about(video, limit_ms_, stop), 0)) return false;
  ++next_;
  return true;
}

bool MediaProbe::learn_late(const MediaLibrary& library, const BreakOff& stop) {
  const std::span<const VideoEntry> videos = library.videos();
  if (late_.empty() || videos.empty() || stop.is_due()) return false;
  for (std::size_t looked = 0; looked < videos.size(); ++looked) {
    const VideoEntry& video = videos[(next_late_ + looked) % videos.size()];
    const auto late = late_.find(video.version());
    if (late == late_.end()) continue;
    next_late_ = (next_late_ + looked) % videos.size();
    const int doublings = late->second + 1;
    if (!keep(video, ask_about(video, limit_ms_ << doublings, stop), doublings)) return false;
    ++next_late_;
    return true;
  }
  return false;
}

bool MediaProbe::keep(const VideoEntry& video, Answer answer, int doublings) {
  VS_ASSERT(doublings <= limit_doublings);
  switch (answer.verdict) {
    case Verdict::stopped:
      return false;
    case Verdict::cannot_run:
      warnings_.push_back(fmt::format("{} cannot be run ({}): videos go without durations",
                                      programs_.measuring, answer.problem));
      return false;
    case Verdict::timed_out:
      warn_late(video, doublings);
      if (doublings < limit_doublings) {
        late_.insert_or_assign(video.version(), doublings);
        return true;
      }
      break;
    case Verdict::answered:
      break;
    case Verdict::unreadable:
      late_.erase(video.version());
      return true;  // the next scan tells whether it is there
  }
  late_.erase(video.version());
  LearnedFilm learned{.duration_s = parse_duration(answer.text)};
  if (answer.text.starts_with('{')) {
    if (auto facts = parse_film_facts(trim(answer.text, "\n"))) {
      learned = learned_of(std::move(*facts));
    }
  }
  known_.emplace(video.version(), std::move(learned));
  return true;
}

// What is away may come back: a drive, a folder that was renamed. But not for ever.
void MediaProbe::forget_others(const MediaLibrary& library) {
  constexpr std::size_t others_max = 10'000;
  if (late_.size() > library.videos().size() + others_max) late_.clear();
  if (known_.size() <= library.videos().size() + others_max) return;
  Known known;
  for (const VideoEntry& video : library.videos()) {
    if (auto found = known_.extract(video.version())) known.insert(std::move(found));
  }
  known_ = std::move(known);
}

// At the first time and at the last.
void MediaProbe::warn_late(const VideoEntry& video, int doublings) {
  const bool is_last = doublings == limit_doublings;
  if (doublings > 0 && !is_last) return;
  warnings_.push_back(fmt::format("{} took more than {} ms for \"{}\": {}", program_for(video),
                                  limit_ms_ << doublings, video.title(),
                                  is_last ? "no duration" : "it is asked again later"));
}

}  // namespace videosync
