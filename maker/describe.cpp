#include "maker/describe.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

#include "core/base/json_text.h"
#include "core/base/utf8.h"
#include "maker/film/codec_names.h"
#include "maker/film/key_frames.h"
#include "maker/forms/picture.h"
#include "maker/forms/picture_filter.h"
#include "maker/forms/sound.h"
#include "maker/subtitles/subtitle_pictures.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace videosync {

namespace {

// A JSON object that grows by members. Text is mended to UTF-8.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  ~Members() { out_ += '}'; }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  void text(std::string_view name, std::string_view value) {
    begin(name);
    out_ += '"';
    append_json_text(out_, to_utf8(value));
    out_ += '"';
  }
  template <class T>
  void value(std::string_view name, const T& value) {
    begin(name);
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }
  void begin(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    fmt::format_to(std::back_inserter(out_), "\"{}\":", name);
  }

 private:
  std::string& out_;
};

std::string tag_of(const AVStream& stream, const char* name) {
  const AVDictionaryEntry* entry = av_dict_get(stream.metadata, name, nullptr, 0);
  return entry == nullptr ? "" : entry->value;
}

void append_language(Members& track, const AVStream& stream) {
  const std::string lang = tag_of(stream, "language");
  track.text("lang", lang.empty() ? "und" : lang);
  track.text("label", tag_of(stream, "title"));
}

double fps_of(const AVStream& video) {
  const AVRational rate = video.avg_frame_rate.num > 0 ? video.avg_frame_rate : video.r_frame_rate;
  return rate.num > 0 && rate.den > 0 ? std::round(av_q2d(rate) * 1000) / 1000 : 0;
}

bool is_interlaced(const AVCodecParameters& track) {
  return track.field_order != AV_FIELD_PROGRESSIVE && track.field_order != AV_FIELD_UNKNOWN;
}

void append_video(std::string& out, const AVStream& video, bool copyable) {
  const PictureSize size = shown_size(video);
  Members track(out);
  track.value("index", video.index);
  track.text("codec", codec_name(*video.codecpar));
  track.value("width", size.width);
  track.value("height", size.height);
  track.value("fps", fps_of(video));
  track.value("hdr", is_high_dynamic_range(video.codecpar->color_trc));
  track.value("rotation", turn_of(video).degrees);
  track.value("interlaced", is_interlaced(*video.codecpar));
  track.value("copyable", copyable);
}

void append_audio(std::string& out, const AVStream& audio) {
  const int rate = sound_rate_of(audio);
  Members track(out);
  track.value("index", audio.index);
  track.text("codec", codec_name(*audio.codecpar));
  track.value("channels", audio.codecpar->ch_layout.nb_channels);
  track.value("rate", rate);
  track.value("segmentSamples", sound_segment_samples(rate));
  append_language(track, audio);
  track.value("default", (audio.disposition & AV_DISPOSITION_DEFAULT) != 0);
}

bool is_text(AVCodecID id) {
  const AVCodecDescriptor* codec = avcodec_descriptor_get(id);
  return codec != nullptr && (codec->props & AV_CODEC_PROP_TEXT_SUB) != 0;
}

void append_subtitles(std::string& out, const AVStream& subtitles) {
  Members track(out);
  track.value("index", subtitles.index);
  track.text("codec", avcodec_get_name(subtitles.codecpar->codec_id));
  append_language(track, subtitles);
  track.value("forced", (subtitles.disposition & AV_DISPOSITION_FORCED) != 0);
  track.value("text", is_text(subtitles.codecpar->codec_id));
  if (is_picture_subtitles(subtitles)) track.value("spanMs", picture_span_ms);
}

template <class Append>
void append_all(Members& film, std::string& out, std::string_view name,
                const std::vector<AVStream*>& streams, Append append) {
  film.begin(name);
  out += '[';
  for (const AVStream* stream : streams) {
    if (out.back() != '[') out += ',';
    append(out, *stream);
  }
  out += ']';
}

// Cuts whose picture is not in the file any more are dropped.
bool drop_what_is_missing(Plan& plan, std::uint64_t bytes) {
  const std::size_t before = plan.cuts.size();
  while (plan.cuts.size() > 1 && plan.cuts.back().position >= static_cast<std::int64_t>(bytes))
    plan.cuts.pop_back();
  return plan.cuts.size() < before;
}

// Of mov, whose index names each picture's place.
bool is_cut_short(const Film& film) {
  AVStream& video = film.needed_video();
  const int count = avformat_index_get_entries_count(&video);
  const AVIndexEntry* last = avformat_index_get_entry(&video, count - 1);
  return last != nullptr && last->pos + last->size > static_cast<std::int64_t>(film.bytes());
}

struct Ends {
  std::int64_t video = 0;  // 0: none was read
  std::int64_t film = 0;
};

// Reads the film from this cut on.
Ends read_ends(Film& film, const Cut& first) {
  AVFormatContext& input = film.input();
  const AVStream& video = film.needed_video();
  film.seek_before(video, first.mark);
  for (const AVStream* audio : film.all(AVMEDIA_TYPE_AUDIO))
    input.streams[audio->index]->discard = AVDISCARD_DEFAULT;
  Ends ends;
  const std::int64_t zero = film.zero_in(ticks);
  const AvPacket packet = make_packet();
  while (film.read_any(*packet)) {
    const AVStream& from = *input.streams[packet->stream_index];
    // The half of a picture is none.
    if (packet->pts != AV_NOPTS_VALUE && (packet->flags & AV_PKT_FLAG_CORRUPT) == 0) {
      const std::int64_t end = packet->pts + std::max<std::int64_t>(packet->duration, 1);
      const std::int64_t at = av_rescale_q(end, from.time_base, ticks) - zero;
      ends.film = std::max(ends.film, at);
      if (from.index == video.index) ends.video = std::max(ends.video, at);
    }
  }
  return ends;
}

// Reads the film from its last cut on whose picture is there, and drops those behind it. Where the
// last ones are not, it is looked for in steps that grow, so that no part is read again and again.
Ends find_ends(Film& film, Plan& plan) {
  std::size_t step = 1;
  std::size_t from = plan.cuts.size() - 1;
  Ends ends = read_ends(film, plan.cuts[from]);
  while (ends.video <= plan.cuts[from].start && from > 0) {
    from -= std::min(from, step);
    step *= 2;
    ends = read_ends(film, plan.cuts[from]);
  }
  while (plan.cuts.size() > 1 && plan.cuts.back().start >= ends.video)
    plan.cuts.pop_back();
  return ends;
}

}  // namespace

Survey survey(Film& film) {
  Survey found;
  found.film_end = film.end();
  if (film.video() == nullptr) return found;
  found.plan = plan_by_index(film);
  // avi does not say when pictures are due, and without that they cannot be told to a player.
  found.is_copyable = is_copyable(*film.video()->codecpar) && !film.is("avi") &&
                      begin_with_refreshes(film, found.plan ? &*found.plan : nullptr);
  if (!found.plan) return found;
  Plan& plan = *found.plan;
  found.ends_early = drop_what_is_missing(plan, film.bytes());
  if (film.is("mov") && !found.ends_early && !is_cut_short(film)) return found;
  const std::size_t cuts = plan.cuts.size();
  const Ends ends = find_ends(film, plan);
  if (ends.film <= 0) return found;
  found.ends_early = found.ends_early || plan.cuts.size() < cuts ||
                     ends.film + early_end < found.film_end.value_or(0);
  plan.end = std::max(ends.video, plan.cuts.back().start + 1);
  found.film_end = std::max(ends.film, plan.end);
  return found;
}

std::string describe(const Film& film, const Survey& survey) {
  std::string out;
  {
    Members members(out);
    members.text("container", film.input().iformat->name);
    members.value("bytes", film.bytes());
    members.value("startMs", film.zero_in(milliseconds) + film.cut_off_in(milliseconds));
    if (survey.film_end) members.value("durationMs", (*survey.film_end + 45) / 90);
    members.value("endsEarly", survey.ends_early);
    if (survey.plan) members.value("segments", survey.plan->cuts.size());
    if (const AVStream* video = film.video()) {
      members.begin("video");
      append_video(out, *video, survey.is_copyable);
    }
    append_all(members, out, "audio", film.all(AVMEDIA_TYPE_AUDIO), append_audio);
    append_all(members, out, "subtitles", film.all(AVMEDIA_TYPE_SUBTITLE), append_subtitles);
    for (const AVStream* stream : film.all(AVMEDIA_TYPE_VIDEO)) {
      if ((stream->disposition & AV_DISPOSITION_ATTACHED_PIC) == 0) continue;
      members.value("cover", stream->index);
      break;
    }
    members.value("pictureSegmentTicks", picture_segment);
  }
  return out;
}

}  // namespace videosync
