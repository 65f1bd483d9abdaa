#include "storage/forms/form_playlists.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "core/base/assert.h"
#include "core/base/json_text.h"

namespace videosync {

namespace {

constexpr std::string_view made_sound = "mp4a.40.2";
// What videosync-media has x264 keep to.
constexpr std::string_view made_picture = "avc1.64002a";

template <class... Parts>
void append(std::string& out, fmt::format_string<Parts...> format, Parts&&... parts) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Parts>(parts)...);
}

// What may stand between a playlist's quotes.
std::string quotable(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += c == '"' || c == '\n' || c == '\r' ? ' ' : c;
  return out;
}

std::string name_of(const SoundTrack& track, std::set<std::string>& taken) {
  std::string name = quotable(!track.label.empty() ? track.label : track.lang);
  if (!taken.insert(name).second) {
    name = fmt::format("{} ({})", name, track.index);
    taken.insert(name);
  }
  return name;
}

void append_renditions(std::string& out, const FilmFacts& facts) {
  std::set<std::string> taken;
  for (const SoundTrack& track : facts.sound) {
    const bool is_default = &track == facts.default_sound();
    append(out,
           "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"{}\",LANGUAGE=\"{}\",DEFAULT={},"
           "AUTOSELECT=YES,CHANNELS=\"2\",URI=\"sound-{}/index.m3u8\"\n",
           name_of(track, taken), quotable(track.lang), is_default ? "YES" : "NO", track.index);
  }
}

std::string with_sound(std::string_view picture, const FilmFacts& facts) {
  return facts.sound.empty() ? std::string(picture) : fmt::format("{},{}", picture, made_sound);
}

std::string begin_master(const FilmFacts& facts) {
  std::string out = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n";
  append_renditions(out, facts);
  return out;
}

struct Variant {
  std::int64_t bits_a_second;
  int width;
  int height;
  std::string codecs;
  std::string folder;
};

void append_variant(std::string& out, const FilmFacts& facts, const Variant& variant) {
  append(out, "#EXT-X-STREAM-INF:BANDWIDTH={},RESOLUTION={}x{},CODECS=\"{}\"",
         variant.bits_a_second, variant.width, variant.height, quotable(variant.codecs));
  if (facts.picture->fps > 0) append(out, ",FRAME-RATE={:.3f}", facts.picture->fps);
  if (!facts.sound.empty()) out += ",AUDIO=\"sound\"";
  append(out, "\n{}/index.m3u8\n", variant.folder);
}

// Seconds from start to start, in the order of segments, and what is behind the last one.
std::vector<double> lengths_of(const FilmFacts& facts, const FilmPlan* plan,
                               const Rendition& rendition) {
  const std::size_t count = segments_of(facts, plan, rendition);
  const double film_end = static_cast<double>(facts.end_ticks()) / ticks_per_second;
  std::vector<double> starts;
  for (std::size_t i = 0; i < count; ++i)
    starts.push_back(start_s(facts, plan, rendition, i));
  starts.push_back(std::max(film_end, starts.back() + 0.001));
  std::vector<double> lengths;
  for (std::size_t i = 0; i < count; ++i)
    lengths.push_back(starts[i + 1] - starts[i]);
  return lengths;
}

std::size_t rounded_up(std::int64_t part, std::int64_t by) {
  return part <= 0 ? 0 : static_cast<std::size_t>((part + by - 1) / by);
}

void append_string(std::string& json, std::string_view name, std::string_view text) {
  append(json, "\"{}\":\"", name);
  append_json_text(json, text);
  json += '"';
}

void append_picture(std::string& json, const PictureTrack& picture) {
  json += "\"video\":{";
  append_string(json, "codec", picture.codec);
  append(json, ",\"width\":{},\"height\":{},\"fps\":{},\"hdr\":{},\"rotation\":{}}},",
         picture.width, picture.height, picture.fps, picture.hdr, picture.rotation);
}

template <class Track>
void append_languages(std::string& json, const Track& track) {
  if (json.back() != '[') json += ',';
  json += '{';
  if constexpr (requires { track.index; }) append(json, "\"index\":{},", track.index);
  append_string(json, "codec", track.codec);
  json += ',';
  append_string(json, "lang", track.lang);
  json += ',';
  append_string(json, "label", track.label);
}

void append_tracks(std::string& json, const FilmFacts& facts, const FilmPlace& place) {
  json += "\"tracks\":{";
  if (facts.picture) append_picture(json, *facts.picture);
  json += "\"audio\":[";
  for (const SoundTrack& track : facts.sound) {
    append_languages(json, track);
    append(json, ",\"channels\":{},\"default\":{}}}", track.channels,
           &track == facts.default_sound());
  }
  json += "],\"subtitles\":[";
  for (const SubtitleTrack& track : facts.subtitles) {
    append_languages(json, track);
    append(json, ",\"forced\":{}", track.is_forced);
    if (track.is_text && !place.forms_url.empty())
      append(json, ",\"url\":\"{}subtitles/{}.vtt\"", place.forms_url, track.index);
    if (track.span_ms > 0 && !place.forms_url.empty())
      append(json, ",\"pictures\":{{\"url\":\"{}pictures-{}/\",\"spanMs\":{}}}", place.forms_url,
             track.index, track.span_ms);
    json += '}';
  }
  for (const PlacedCaptions& captions : place.captions) {
    append_languages(json, captions);
    append(json, ",\"forced\":{},", captions.kind == "forced");
    append_string(json, "url", captions.url);
    json += '}';
  }
  json += "]}";
}

void append_form(std::string& json, std::string_view form, std::string_view url,
                 std::string_view type, std::string_view codecs) {
  if (json.back() != '[') json += ',';
  append(json, "{{\"form\":\"{}\",", form);
  append_string(json, "url", url);
  json += ',';
  append_string(json, "type", type);
  json += ',';
  append_string(json, "codecs", codecs);
  json += '}';
}

}  // namespace

std::size_t segments_of(const FilmFacts& facts, const FilmPlan* plan, const Rendition& rendition) {
  const bool has_end = facts.end_ticks() > 0;
  switch (rendition.kind) {
    case Rendition::Kind::copy: {
      const bool fits = has_end && plan != nullptr && facts.picture && facts.picture->is_copyable;
      return fits ? plan->starts.size() : 0;
    }
    case Rendition::Kind::picture:
      return facts.picture ? rounded_up(facts.end_ticks(), facts.picture_segment_ticks) : 0;
    case Rendition::Kind::sound: {
      const SoundTrack* track = facts.find_sound(rendition.track);
      const bool fits = track != nullptr && rendition.channels <= std::max(2, track->channels);
      if (!fits) return 0;
      return rounded_up(facts.end_ticks() * track->rate / ticks_per_second, track->segment_samples);
    }
    case Rendition::Kind::pictures: {
      const SubtitleTrack* track = facts.find_subtitles(rendition.track);
      if (track == nullptr || track->span_ms <= 0) return 0;
      return rounded_up(facts.duration_ms.value_or(0), track->span_ms);
    }
    case Rendition::Kind::subtitles:
    case Rendition::Kind::beside:
      return 0;
  }
  return 0;
}

double start_s(const FilmFacts& facts, const FilmPlan* plan, const Rendition& rendition,
               std::size_t segment) {
  const auto number = static_cast<double>(segment);
  switch (rendition.kind) {
    case Rendition::Kind::copy: {
      const bool is_end = segment >= plan->starts.size();
      return static_cast<double>(is_end ? plan->end : plan->starts[segment]) / ticks_per_second;
    }
    case Rendition::Kind::picture:
      return number * static_cast<double>(facts.picture_segment_ticks) / ticks_per_second;
    case Rendition::Kind::sound: {
      const SoundTrack& track = *facts.find_sound(rendition.track);
      return number * static_cast<double>(track.segment_samples) / track.rate;
    }
    case Rendition::Kind::pictures:
      return number * static_cast<double>(facts.find_subtitles(rendition.track)->span_ms) / 1'000;
    case Rendition::Kind::subtitles:
    case Rendition::Kind::beside:
      break;
  }
  return 0;
}

std::vector<int> ladder_of(const PictureTrack& picture, unsigned cores) {
  const int short_side = std::min(picture.width, picture.height);
  if (short_side <= 480) return {480};
  if (cores >= 8 && short_side > 720) return {1'080, 720, 480};
  return {720, 480};
}

std::string copy_master(const FilmFacts& facts) {
  VS_ASSERT(facts.picture);
  std::string out = begin_master(facts);
  const std::int64_t seconds = std::max<std::int64_t>(facts.duration_ms.value_or(0) / 1'000, 1);
  const auto average = static_cast<std::int64_t>(facts.bytes * 8) / seconds;
  append_variant(out, facts,
                 {average * 3 / 2, facts.picture->width, facts.picture->height,
                  with_sound(facts.picture->codec, facts), "copy"});
  return out;
}

std::string transcode_master(const FilmFacts& facts, unsigned cores) {
  VS_ASSERT(facts.picture);
  std::string out = begin_master(facts);
  const PictureTrack& picture = *facts.picture;
  for (const int height : ladder_of(picture, cores)) {
    const double factor = std::min(
        1.0, static_cast<double>(height) / std::max(1, std::min(picture.width, picture.height)));
    const auto side = [&](int length) { return static_cast<int>(std::lround(length * factor)); };
    const std::int64_t bits = height <= 480 ? 1'700'000 : height <= 720 ? 3'700'000 : 7'200'000;
    append_variant(out, facts,
                   {bits, side(picture.width), side(picture.height),
                    with_sound(made_picture, facts), fmt::format("{}p", height)});
  }
  return out;
}

std::string media_playlist(const FilmFacts& facts, const FilmPlan* plan,
                           const Rendition& rendition) {
  VS_ASSERT(segments_of(facts, plan, rendition) > 0);
  const std::vector<double> lengths = lengths_of(facts, plan, rendition);
  std::string out;
  append(out,
         "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-PLAYLIST-TYPE:VOD\n"
         "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-MAP:URI=\"init.mp4\"\n",
         std::lround(std::ceil(std::ranges::max(lengths))));
  for (std::size_t i = 0; i < lengths.size(); ++i)
    append(out, "#EXTINF:{:.6f},\n{}.m4s\n", lengths[i], i);
  out += "#EXT-X-ENDLIST\n";
  return out;
}

void append_film(std::string& json, const FilmFacts& facts, const FilmPlace& place) {
  append_tracks(json, facts, place);
  append(json, ",\"startMs\":{},\"endsEarly\":{}", facts.start_ms, facts.ends_early);
  json += ",\"forms\":[";
  std::string codecs = facts.picture ? facts.picture->codec : "";
  if (const SoundTrack* track = facts.default_sound()) {
    codecs += codecs.empty() ? track->codec : "," + track->codec;
  }
  append_form(json, "file", place.file_url, place.file_type, codecs);
  const bool has_others = facts.picture && !place.forms_url.empty();
  if (has_others && facts.picture->is_copyable) {
    append_form(json, "copy", place.forms_url + "copy.m3u8", playlist_type,
                with_sound(facts.picture->codec, facts));
  }
  if (has_others) {
    append_form(json, "transcode", place.forms_url + "transcode.m3u8", playlist_type,
                with_sound(made_picture, facts));
  }
  json += ']';
}

}  // namespace videosync
