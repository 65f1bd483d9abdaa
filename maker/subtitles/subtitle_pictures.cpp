#include "maker/subtitles/subtitle_pictures.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "maker/film/decoder.h"
#include "maker/forms/picture_filter.h"

extern "C" {
#include <libavutil/base64.h>
#include <libavutil/mathematics.h>
}

namespace videosync {

namespace {

constexpr std::int64_t back_ms = 20'000;
constexpr std::int64_t ahead_ms = 30'000;
constexpr std::size_t images_bytes_max = 12 << 20;  // of a stretch
constexpr std::int64_t image_pixels_max = 8 << 20;

struct PlaneSize {
  int width = 0;
  int height = 0;
};

struct Place {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
  bool operator==(const Place&) const = default;
};

struct PictureCue {
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;
  bool is_open = false;  // nobody has said yet when it ends
  Place place{};
  std::string image{};  // PNG, base64
};

std::string base64_of(const AVPacket& bytes) {
  std::string text(AV_BASE64_SIZE(static_cast<std::size_t>(bytes.size)), '\0');
  av_base64_encode(text.data(), static_cast<int>(text.size()), bytes.data, bytes.size);
  text.resize(text.find('\0'));
  return text;
}

// "": it cannot be made.
std::string png_of(const AVSubtitleRect& rect) {
  if (rect.w <= 0 || rect.h <= 0 || std::int64_t{rect.w} * rect.h > image_pixels_max) return {};
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
  if (codec == nullptr) throw Fault("this libavcodec writes no PNG");
  AvCodec encoder(needed(avcodec_alloc_context3(codec)));
  encoder->width = rect.w;
  encoder->height = rect.h;
  encoder->pix_fmt = AV_PIX_FMT_PAL8;
  encoder->time_base = milliseconds;
  check(avcodec_open2(encoder.get(), codec, nullptr), "the encoder of PNG");
  const AvFrame frame = make_frame();
  frame->width = rect.w;
  frame->height = rect.h;
  frame->format = AV_PIX_FMT_PAL8;
  check(av_frame_get_buffer(frame.get(), 0), "memory for a picture");
  for (int row = 0; row < rect.h; ++row) {
    std::copy_n(rect.data[0] + std::ptrdiff_t{row} * rect.linesize[0], rect.w,
                frame->data[0] + std::ptrdiff_t{row} * frame->linesize[0]);
  }
  std::copy_n(rect.data[1], AVPALETTE_SIZE, frame->data[1]);
  const AvPacket packet = make_packet();
  if (avcodec_send_frame(encoder.get(), frame.get()) < 0) return {};
  if (avcodec_receive_packet(encoder.get(), packet.get()) < 0) return {};
  return base64_of(*packet);
}

// One track's pictures, in the order in which they come.
class DrawnTrack {
 public:
  explicit DrawnTrack(const AVStream& stream) : stream_(stream), decoder_(stream, 1) {}

  void feed(AVPacket& packet, std::int64_t zero_ms) {
    if (packet.pts == AV_NOPTS_VALUE) return;
    AVSubtitle subtitle{};
    int has_one = 0;
    if (avcodec_decode_subtitle2(&decoder_.context(), &subtitle, &has_one, &packet) < 0) return;
    if (has_one == 0) return;
    const std::int64_t at = av_rescale_q(packet.pts, stream_.time_base, milliseconds) - zero_ms;
    const std::int64_t from = at + subtitle.start_display_time;
    end_all(from);
    const bool says_end = subtitle.end_display_time > subtitle.start_display_time &&
                          subtitle.end_display_time != UINT32_MAX;
    const std::int64_t to = says_end ? at + subtitle.end_display_time : from;
    for (unsigned i = 0; i < subtitle.num_rects; ++i)
      add(*subtitle.rects[i], from, to, !says_end);
    avsubtitle_free(&subtitle);
  }

  // Those that nobody has ended are shown until then.
  void end_all(std::int64_t at_ms) {
    for (PictureCue& cue : cues_) {
      if (cue.is_open || cue.to_ms > at_ms) cue.to_ms = std::max(cue.from_ms, at_ms);
      cue.is_open = false;
    }
  }
  bool has_open() const {
    return std::ranges::any_of(cues_, [](const PictureCue& cue) { return cue.is_open; });
  }
  const std::vector<PictureCue>& cues() const noexcept { return cues_; }
  PlaneSize plane() {
    const AVCodecContext& context = decoder_.context();
    return {context.width, context.height};
  }

 private:
  void add(const AVSubtitleRect& rect, std::int64_t from, std::int64_t to, bool is_open) {
    if (rect.type != SUBTITLE_BITMAP || images_bytes_ > images_bytes_max) return;
    std::string image = png_of(rect);
    if (image.empty()) return;
    const Place place{rect.x, rect.y, rect.w, rect.h};
    // Streams say the same once more for who begins in the middle.
    const auto same = std::ranges::find_if(cues_, [&](const PictureCue& cue) {
      return cue.to_ms == from && cue.place == place && cue.image == image;
    });
    if (same != cues_.end()) {
      same->to_ms = to;
      same->is_open = is_open;
      return;
    }
    images_bytes_ += image.size();
    cues_.push_back({from, to, is_open, place, std::move(image)});
  }

  const AVStream& stream_;
  Decoder decoder_;
  std::vector<PictureCue> cues_;
  std::size_t images_bytes_ = 0;
};

// The grid that covers the picture alone, and where its corner is on the subtitles' own. They are
// made for the whole screen: of a film whose black bars were cut away the rest is its middle.
struct Grid {
  int width = 0;
  int height = 0;
  int x = 0;
  int y = 0;
};

// How wide a pixel of the plane is, being 1 high. What is made for the picture as it is stored has
// the picture's pixels; else only the planes of DVDs and of old television have some that are not
// square, and are shown as 4:3 or 16:9.
double pixel_of(PlaneSize plane, const AVStream& video) noexcept {
  const AVCodecParameters& track = *video.codecpar;
  const double pixel = pixel_shape(video);
  const bool is_small = plane.width <= 720 && (plane.height == 480 || plane.height == 576);
  const bool is_as_stored =
      plane.width == track.width || (is_small && plane.height == track.height);
  if (pixel != 1 && is_as_stored) return pixel;
  if (!is_small || plane.width < 700) return 1;
  const double shown = pixel * track.width / std::max(track.height, 1);
  constexpr double between = 1.5;  // 4:3 and 16:9
  return (shown < between ? 4.0 / 3 : 16.0 / 9) * plane.height / plane.width;
}

Grid grid_of(PlaneSize plane, const AVStream& video) {
  const AVCodecParameters& track = *video.codecpar;
  if (plane.width <= 0 || plane.height <= 0) plane = {track.width, track.height};
  Grid grid{plane.width, plane.height};
  const double pixel = pixel_of(plane, video);
  const double shape = plane.height / (plane.width * pixel);
  const double wanted = track.height / std::max(track.width * pixel_shape(video), 1.0);
  constexpr double alike = 0.02;
  if (wanted <= 0 || std::abs(shape / wanted - 1) < alike) return grid;
  if (shape > wanted) {
    grid.height = static_cast<int>(std::lround(plane.width * pixel * wanted));
    grid.y = (plane.height - grid.height) / 2;
  } else {
    grid.width = static_cast<int>(std::lround(plane.height / wanted / pixel));
    grid.x = (plane.width - grid.width) / 2;
  }
  return grid;
}

std::string json_of(const std::vector<PictureCue>& cues, const Grid& grid, std::int64_t begin,
                    std::int64_t end) {
  std::string json =
      fmt::format("{{\"width\":{},\"height\":{},\"cues\":[", grid.width, grid.height);
  for (const PictureCue& cue : cues) {
    if (cue.to_ms <= begin || cue.from_ms >= end || cue.to_ms <= cue.from_ms) continue;
    if (json.back() != '[') json += ',';
    fmt::format_to(std::back_inserter(json),
                   "{{\"from\":{},\"to\":{},\"x\":{},\"y\":{},\"w\":{},\"h\":{},\"image\":\"{}\"}}",
                   std::max<std::int64_t>(cue.from_ms, 0), cue.to_ms, cue.place.x - grid.x,
                   cue.place.y - grid.y, cue.place.width, cue.place.height, cue.image);
  }
  return json + "]}";
}

// By the picture, whose times tell how far the reading is: subtitles may be minutes apart.
void seek(AVFormatContext& input, const AVStream& by, std::int64_t at_ms) {
  const std::int64_t target = av_rescale_q(at_ms, milliseconds, by.time_base);
  if (at_ms > 0 && av_seek_frame(&input, by.index, target, AVSEEK_FLAG_BACKWARD) >= 0) return;
  if (avformat_seek_file(&input, -1, INT64_MIN, INT64_MIN, INT64_MAX, 0) >= 0) return;
  check(av_seek_frame(&input, -1, 0, AVSEEK_FLAG_BYTE), "the file cannot be sought");
}

void make_minute(Film& film, const AVStream& stream, std::size_t number,
                 const SegmentFolder& folder) {
  AVFormatContext& input = film.input();
  const AVStream& video = film.needed_video();
  const std::int64_t zero = film.zero_in(milliseconds);
  const auto begin = static_cast<std::int64_t>(number) * picture_span_ms;
  const std::int64_t end = begin + picture_span_ms;
  seek(input, video, begin - back_ms + zero);
  DrawnTrack track(stream);
  const AvPacket packet = make_packet();
  std::int64_t at = begin;
  while (film.read_any(*packet)) {
    const AVStream& from = *input.streams[packet->stream_index];
    const std::int64_t time = packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts;
    const bool is_wanted = from.index == stream.index;
    if (time != AV_NOPTS_VALUE) at = av_rescale_q(time, from.time_base, milliseconds) - zero;
    if (is_wanted) track.feed(*packet, zero);
    if (at >= end + ahead_ms || (at >= end && !track.has_open())) break;
  }
  // Those still open are the last ones that the film has, or stay for long.
  track.end_all(std::max(at, end));
  folder.save(fmt::format("{}.json", number),
              json_of(track.cues(), grid_of(track.plane(), video), begin, end));
}

}  // namespace

bool is_picture_subtitles(const AVStream& stream) noexcept {
  const AVCodecDescriptor* codec = avcodec_descriptor_get(stream.codecpar->codec_id);
  return stream.codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE && codec != nullptr &&
         (codec->props & AV_CODEC_PROP_BITMAP_SUB) != 0 &&
         avcodec_find_decoder(stream.codecpar->codec_id) != nullptr;
}

void make_subtitle_pictures(Film& film, int track, const Stretch& stretch,
                            const SegmentFolder& folder) {
  const AVStream& chosen = film.stream(track);
  if (!is_picture_subtitles(chosen)) throw Fault("the track has no subtitles that are pictures");
  AVFormatContext& input = film.input();
  const AVStream& video = film.needed_video();
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    const bool is_read = input.streams[i] == &chosen || input.streams[i] == &video;
    input.streams[i]->discard = is_read ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  }
  for (std::size_t i = 0; i < stretch.count; ++i)
    make_minute(film, chosen, stretch.from + i, folder);
}

}  // namespace videosync
