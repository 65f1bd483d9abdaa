#include "maker/film/plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

#include "maker/film/fragments.h"
#include "maker/film/key_frames.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace videosync {

namespace {

// Shorter segments cost requests, longer ones time before the first picture.
constexpr std::int64_t segment_min = 4 * 90'000;
// Key frames are not further apart than this in films that are worth cutting.
constexpr std::int64_t segment_max = 20 * 90'000;
// So long a last picture is shown where nothing says how long.
constexpr std::int64_t last_picture = 90'000 / 25;
// So far is read on to see whether a picture ends.
constexpr std::int64_t end_bytes_max = std::int64_t{1} << 30;

// Takes key frames in their order, and keeps those that are far enough apart.
void add_cut(Plan& plan, Cut cut) {
  cut.start = std::max<std::int64_t>(cut.start, 0);
  if (plan.cuts.empty()) {
    cut.start = 0;
  } else if (cut.start - plan.cuts.back().start < segment_min) {
    return;
  }
  plan.cuts.push_back(cut);
}

// mov's index has decoding times: of each picture, so also of the one that the film starts with,
// which an edit list may have put behind a key frame that is not shown.
std::int64_t zero_of_index(const Film& film, const AVStream& video) {
  if (!film.is("mov")) return film.zero_in(video.time_base);
  const int count = avformat_index_get_entries_count(&video);
  for (int i = 0; i < count; ++i) {
    const AVIndexEntry* entry = avformat_index_get_entry(const_cast<AVStream*>(&video), i);
    if ((entry->flags & AVINDEX_DISCARD_FRAME) == 0) return entry->timestamp;
  }
  return 0;
}

// Matroska without cues knows the few key frames that it has passed: so whether the picture ends
// soon behind this one, as the container has it or, where its length is none of the picture's, as
// reading on for as long shows.
bool is_last(Film& film, const AVStream& video, const Cut& cut, std::int64_t promised_end) {
  if (promised_end > 0 && promised_end - cut.start < segment_max) return true;
  film.seek_before(video, cut.mark);
  const std::int64_t far = cut.mark + av_rescale_q(segment_max, ticks, video.time_base);
  const std::int64_t bytes_far = avio_tell(film.input().pb) + end_bytes_max;
  const AvPacket packet = make_packet();
  while (film.read(*packet)) {
    const bool is_far = packet->dts != AV_NOPTS_VALUE && packet->dts >= far;
    if (!is_far && avio_tell(film.input().pb) < bytes_far) continue;
    film.seek_before(video, cut.mark);
    return false;
  }
  return true;
}

std::int64_t picture_end(const Film& film, const AVStream& video) {
  if (film.is("mov") && video.duration > 0 && video.start_time != AV_NOPTS_VALUE) {
    return av_rescale_q(video.duration, video.time_base, ticks);
  }
  return film.end().value_or(0);
}

}  // namespace

std::optional<Plan> plan_by_index(Film& film) {
  if (!film.is("mov") && !film.is("matroska")) return std::nullopt;
  AVStream& video = film.needed_video();
  const std::int64_t begin = video.start_time == AV_NOPTS_VALUE ? 0 : video.start_time;
  // Makes matroska read its cues.
  av_seek_frame(&film.input(), video.index, begin, AVSEEK_FLAG_BACKWARD);
  const std::int64_t zero = zero_of_index(film, video);
  Plan plan;
  plan.marks_are_dts = film.is("mov");
  const int count = avformat_index_get_entries_count(&video);
  for (int i = 0; i < count; ++i) {
    const AVIndexEntry* entry = avformat_index_get_entry(&video, i);
    if ((entry->flags & AVINDEX_KEYFRAME) == 0) continue;
    const std::int64_t start = av_rescale_q(entry->timestamp - zero, video.time_base, ticks);
    // Of several before the first picture that is shown, the last one leads to it.
    if (start <= 0 && !plan.cuts.empty()) plan.cuts.clear();
    add_cut(plan, {entry->timestamp, entry->pos, start});
  }
  const std::int64_t end = picture_end(film, video);
  if (plan.cuts.empty()) return std::nullopt;
  const Cut& last = plan.cuts.back();
  const bool says_end = film.is("mov") ? end > 0 : film.input().duration > 0;
  const bool is_whole = says_end && (film.is("mov") || is_last(film, video, last, end));
  if (!is_whole) return std::nullopt;
  plan.end = std::max(end, last.start + last_picture);
  return plan;
}

Plan plan_by_reading(Film& film, std::int64_t& film_end) {
  const AVStream& video = film.needed_video();
  for (unsigned i = 0; i < film.input().nb_streams; ++i) {
    const AVMediaType type = film.input().streams[i]->codecpar->codec_type;
    const bool counts = static_cast<int>(i) == video.index || type == AVMEDIA_TYPE_AUDIO;
    film.input().streams[i]->discard = counts ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  }
  Plan plan;
  const AvPacket packet = make_packet();
  const std::int64_t zero = film.zero_in(ticks);
  while (film.read(*packet)) {
    const AVStream& from = *film.input().streams[packet->stream_index];
    // What opening the film has read comes whatever was discarded since.
    if (from.discard == AVDISCARD_ALL || packet->pts == AV_NOPTS_VALUE) continue;
    const std::int64_t at = av_rescale_q(packet->pts, from.time_base, ticks) - zero;
    const std::int64_t length = av_rescale_q(packet->duration, from.time_base, ticks);
    film_end = std::max(film_end, at + length);
    if (from.index != video.index) continue;
    plan.end = std::max(plan.end, at + std::max(length, std::int64_t{1}));
    const bool is_key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    if (is_key && (plan.cuts.empty() || refreshes(*video.codecpar, *packet))) {
      add_cut(plan, {packet->pts, packet->pos, at});
    }
  }
  if (plan.cuts.empty()) throw Fault("no picture was found that a player could begin with");
  plan.end = std::max(plan.end, plan.cuts.back().start + last_picture);
  // What the demuxer itself would have liked to know: it has just learnt it.
  for (Cut& cut : plan.cuts) {
    AVStream& stream = *film.video();
    const AVIndexEntry* entry =
        avformat_index_get_entry_from_timestamp(&stream, cut.mark, AVSEEK_FLAG_BACKWARD);
    if (entry != nullptr && entry->timestamp == cut.mark) cut.position = entry->pos;
  }
  return plan;
}

std::string write_plan(const Plan& plan) {
  std::string text = fmt::format("{} {}\n", plan.marks_are_dts ? 1 : 0, plan.end);
  for (const Cut& cut : plan.cuts) {
    fmt::format_to(std::back_inserter(text), "{} {} {}\n", cut.mark, cut.position, cut.start);
  }
  return text;
}

Plan read_plan(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw OutputFault("the plan cannot be read", errno);
  Plan plan;
  file >> plan.marks_are_dts >> plan.end;
  for (Cut cut{}; file >> cut.mark >> cut.position >> cut.start;)
    plan.cuts.push_back(cut);
  if (file.bad()) throw OutputFault("the plan cannot be read", EIO);
  if (plan.cuts.empty()) throw Fault("the plan cannot be read: " + path);
  return plan;
}

void teach_index(Film& film, const Plan& plan) {
  if (!film.is("matroska")) return;  // the others find their way by themselves, or by reading
  AVStream& video = film.needed_video();
  for (const Cut& cut : plan.cuts) {
    if (cut.position >= 0) {
      av_add_index_entry(&video, cut.position, cut.mark, 0, 0, AVINDEX_KEYFRAME);
    }
  }
}

}  // namespace videosync
