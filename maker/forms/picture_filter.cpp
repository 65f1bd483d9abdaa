#include "maker/forms/picture_filter.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
}

namespace videosync {

namespace {

int even(double length) noexcept {
  return std::max(2, static_cast<int>(std::lround(length / 2)) * 2);
}

bool is_interlaced(const AVStream& video, const AVFrame& frame) noexcept {
  const AVFieldOrder order = video.codecpar->field_order;
  return has_fields(frame) || (order != AV_FIELD_PROGRESSIVE && order != AV_FIELD_UNKNOWN);
}

std::string turning(Turn turn) {
  std::string filters;
  if (turn.is_mirrored) filters += "hflip,";
  if (turn.degrees == 90) filters += "transpose=clock,";
  if (turn.degrees == 180) filters += "hflip,vflip,";
  if (turn.degrees == 270) filters += "transpose=cclock,";
  return filters;
}

// Files say numbers that nobody knows, and zscale refuses those.
bool is_known(AVColorPrimaries primaries) noexcept {
  const bool is_in_row = primaries >= AVCOL_PRI_BT470M && primaries <= AVCOL_PRI_SMPTE432;
  return primaries == AVCOL_PRI_BT709 || primaries == AVCOL_PRI_EBU3213 || is_in_row;
}
bool is_known(AVColorSpace matrix) noexcept {
  const bool is_in_row = matrix >= AVCOL_SPC_FCC && matrix <= AVCOL_SPC_BT2020_CL;
  return matrix == AVCOL_SPC_RGB || matrix == AVCOL_SPC_BT709 || is_in_row;
}

// What the frame says of its colours, or what such a frame would mean; in libav's numbers, which
// are those of zscale. Television's transfers are one, whatever they are called.
std::string colours_of(const AVFrame& frame) {
  const bool is_high = is_high_dynamic_range(frame.color_trc);
  const bool is_wide = is_high || frame.color_primaries == AVCOL_PRI_BT2020;
  const auto primaries = is_known(frame.color_primaries) ? frame.color_primaries
                         : is_wide                       ? AVCOL_PRI_BT2020
                                                         : AVCOL_PRI_BT709;
  const auto matrix = is_known(frame.colorspace) ? frame.colorspace
                      : is_wide                  ? AVCOL_SPC_BT2020_NCL
                                                 : AVCOL_SPC_SMPTE170M;
  return fmt::format("tin={}:pin={}:min={}:rin={}",
                     static_cast<int>(is_high ? frame.color_trc : AVCOL_TRC_BT709),
                     static_cast<int>(primaries), static_cast<int>(matrix),
                     frame.color_range == AVCOL_RANGE_JPEG ? "full" : "limited");
}

// Where nothing is said, players take pictures for BT.709 from 720 lines on, and else for BT.601.
const char* matrix_of(const AVFrame& frame) noexcept {
  switch (frame.colorspace) {
    case AVCOL_SPC_BT709:
      return "bt709";
    case AVCOL_SPC_FCC:
      return "fcc";
    case AVCOL_SPC_SMPTE240M:
      return "smpte240m";
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return "bt2020";
    case AVCOL_SPC_UNSPECIFIED:
      return frame.height < 720 ? "bt601" : "bt709";
    default:
      return "bt601";
  }
}

// Scaled, and to BT.709. Smaller first: what follows works in floating point.
std::string colouring(const AVFrame& like, PictureSize size) {
  const std::string sides = fmt::format("{}:{}", size.width, size.height);
  if (is_high_dynamic_range(like.color_trc)) {
    return fmt::format(
        "zscale={}:{}:t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,"
        "tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=limited,",
        sides, colours_of(like));
  }
  const bool has_others =
      like.color_primaries != AVCOL_PRI_UNSPECIFIED && like.color_primaries != AVCOL_PRI_BT709;
  if (has_others && like.colorspace != AVCOL_SPC_RGB) {
    return fmt::format("zscale={}:{}:t=bt709:p=bt709:m=bt709:r=limited,", sides, colours_of(like));
  }
  return fmt::format(
      "scale={}:flags=bicubic+accurate_rnd+full_chroma_int:in_color_matrix={}:in_range={}:"
      "out_color_matrix=bt709:out_range=tv,",
      sides, matrix_of(like), like.color_range == AVCOL_RANGE_JPEG ? "pc" : "auto");
}

std::string chain_for(const AVStream& video, const AVFrame& like, PictureSize size) {
  std::string chain;
  if (is_interlaced(video, like)) chain += "yadif=mode=send_frame:deint=interlaced,";
  const Turn turn = turn_of(video);
  const bool is_on_its_side = turn.degrees % 180 != 0;
  const int width = is_on_its_side ? size.height : size.width;
  const int height = is_on_its_side ? size.width : size.height;
  return chain + colouring(like, {width, height}) + turning(turn) + "format=yuv420p,setsar=1";
}

AVFilterContext* add(AVFilterGraph* graph, const char* kind, const std::string& arguments) {
  AVFilterContext* context = nullptr;
  check(avfilter_graph_create_filter(&context, avfilter_get_by_name(kind), kind, arguments.c_str(),
                                     nullptr, graph),
        "the picture's filters");
  return context;
}

std::string source_arguments(const AVStream& video, const AVFrame& like) {
  return fmt::format("video_size={}x{}:pix_fmt={}:time_base={}/{}:pixel_aspect={}/{}", like.width,
                     like.height, like.format, video.time_base.num, video.time_base.den,
                     like.sample_aspect_ratio.num, std::max(1, like.sample_aspect_ratio.den));
}

void connect(AVFilterGraph* graph, AVFilterContext* source, AVFilterContext* sink,
             const std::string& chain) {
  AVFilterInOut* outputs = needed(avfilter_inout_alloc());
  AVFilterInOut* inputs = needed(avfilter_inout_alloc());
  outputs->name = av_strdup("in");
  outputs->filter_ctx = source;
  inputs->name = av_strdup("out");
  inputs->filter_ctx = sink;
  const int parsed = avfilter_graph_parse_ptr(graph, chain.c_str(), &inputs, &outputs, nullptr);
  avfilter_inout_free(&inputs);
  avfilter_inout_free(&outputs);
  check(parsed, "the picture's filters");
  check(avfilter_graph_config(graph, nullptr), "the picture's filters");
}

}  // namespace

bool is_high_dynamic_range(AVColorTransferCharacteristic transfer) noexcept {
  return transfer == AVCOL_TRC_SMPTE2084 || transfer == AVCOL_TRC_ARIB_STD_B67;
}

Turn turn_of(const AVStream& video) noexcept {
  const auto data = display_matrix(video);
  std::int32_t matrix[9];
  if (data.size() < sizeof matrix) return {};
  std::memcpy(matrix, data.data(), sizeof matrix);
  const double determinant =
      static_cast<double>(matrix[0]) * matrix[4] - static_cast<double>(matrix[1]) * matrix[3];
  Turn turn;
  turn.is_mirrored = determinant < 0;
  if (turn.is_mirrored) av_display_matrix_flip(matrix, 1, 0);
  const double counter_clockwise = av_display_rotation_get(matrix);
  if (std::isnan(counter_clockwise)) return {};
  turn.degrees = (static_cast<int>(std::lround(-counter_clockwise / 90)) % 4 + 4) % 4 * 90;
  return turn;
}

double pixel_shape(const AVStream& video) noexcept {
  AVRational pixel = video.sample_aspect_ratio;
  if (pixel.num <= 0 || pixel.den <= 0) pixel = video.codecpar->sample_aspect_ratio;
  return pixel.num > 0 && pixel.den > 0 ? av_q2d(pixel) : 1;
}

PictureSize shown_size(const AVStream& video) noexcept {
  const AVCodecParameters& track = *video.codecpar;
  constexpr double width_max = 1e6;  // pixels may be said to be as wide as anybody likes
  const double width = std::min(track.width * pixel_shape(video), width_max);
  PictureSize size{static_cast<int>(std::lround(width)), track.height};
  if (turn_of(video).degrees % 180 != 0) std::swap(size.width, size.height);
  return size;
}

PictureSize fitted(PictureSize shown, int height_max) noexcept {
  const double width = std::max(1, shown.width);
  const double height = std::max(1, shown.height);
  const double long_side = std::max(width, height);
  const double short_side = std::min(width, height);
  const double room = std::min(height_max * 16.0 / 9 / long_side, height_max / short_side);
  const double factor = std::min(1.0, room);
  return {even(width * factor), even(height * factor)};
}

PictureFilter::PictureFilter(const AVStream& video, const AVFrame& like, PictureSize size)
    : graph_(needed(avfilter_graph_alloc())) {
  graph_->nb_threads = 1;
  source_ = add(graph_.get(), "buffer", source_arguments(video, like));
  sink_ = add(graph_.get(), "buffersink", "");
  connect(graph_.get(), source_, sink_, chain_for(video, like, size));
}

void PictureFilter::feed(AVFrame* frame) {
  check(av_buffersrc_add_frame_flags(source_, frame, AV_BUFFERSRC_FLAG_KEEP_REF),
        "the picture's filters");
}

bool PictureFilter::take(AVFrame& frame) {
  av_frame_unref(&frame);
  return av_buffersink_get_frame(sink_, &frame) >= 0;
}

AVRational PictureFilter::time_base() const noexcept {
  return av_buffersink_get_time_base(sink_);
}

}  // namespace videosync
