#include "maker/film/codec_names.h"

#include <fmt/core.h>

#include <array>
#include <bit>
#include <optional>
#include <string_view>
#include <utility>

#include "maker/film/fragments.h"

namespace videosync {

namespace {

using Octets = std::basic_string_view<unsigned char>;

// The inside of the box of that name in an init segment: what the muxer made of the codec's
// headers, in one form, whatever container they came from.
std::optional<Octets> find_box(const std::string& init, std::string_view name, std::size_t least) {
  const std::size_t at = init.find(name);
  if (at == std::string::npos || init.size() - at < name.size() + least) return std::nullopt;
  const auto* bytes = reinterpret_cast<const unsigned char*>(init.data());
  return Octets(bytes + at + name.size(), init.size() - at - name.size());
}

std::string init_of(const AVCodecParameters& track) {
  try {
    return Fragments(track, ticks, 0).init();
  } catch (const Fault&) {
    return {};  // MP4 does not know the codec
  }
}

std::string avc_name(const AVCodecParameters& track) {
  const std::string init = init_of(track);
  if (const auto box = find_box(init, "avcC", 4)) {
    return fmt::format("avc1.{:02x}{:02x}{:02x}", (*box)[1], (*box)[2], (*box)[3]);
  }
  return fmt::format("avc1.{:02x}00{:02x}", track.profile & 0xff, track.level & 0xff);
}

std::uint32_t reversed(std::uint32_t bits) {
  std::uint32_t out = 0;
  for (int i = 0; i < 32; ++i)
    out |= ((bits >> i) & 1U) << (31 - i);
  return out;
}

// ISO/IEC 14496-15, annex E.
std::string hevc_name(const AVCodecParameters& track) {
  const std::string init = init_of(track);
  const auto found = find_box(init, "hvcC", 13);
  if (!found) return "hvc1";
  const Octets box = *found;
  const std::uint32_t compatible = std::uint32_t{box[2]} << 24 | std::uint32_t{box[3]} << 16 |
                                   std::uint32_t{box[4]} << 8 | box[5];
  constexpr std::array<std::string_view, 4> spaces{"", "A", "B", "C"};
  std::string name = fmt::format("hvc1.{}{}.{:x}.{}{}", spaces[box[1] >> 6], box[1] & 0x1f,
                                 reversed(compatible), (box[1] & 0x20) != 0 ? 'H' : 'L', box[12]);
  std::size_t last = 11;
  while (last >= 6 && box[last] == 0)
    --last;
  for (std::size_t i = 6; i <= last; ++i)
    fmt::format_to(std::back_inserter(name), ".{:x}", box[i]);
  return name;
}

std::string vp9_name(const AVCodecParameters& track) {
  const std::string init = init_of(track);
  const auto box = find_box(init, "vpcC", 7);
  if (!box) return "vp9";
  const unsigned level = (*box)[5] == 0 ? 10U : (*box)[5];
  return fmt::format("vp09.{:02}.{:02}.{:02}", (*box)[4], level, (*box)[6] >> 4);
}

std::string av1_name(const AVCodecParameters& track) {
  const std::string init = init_of(track);
  const auto box = find_box(init, "av1C", 3);
  if (!box) return "av01.0.08M.08";
  const bool is_high_depth = ((*box)[2] & 0x40) != 0;
  const int depth = !is_high_depth ? 8 : ((*box)[2] & 0x20) != 0 ? 12 : 10;
  return fmt::format("av01.{}.{:02}{}.{:02}", (*box)[1] >> 5, (*box)[1] & 0x1f,
                     ((*box)[2] & 0x80) != 0 ? 'H' : 'M', depth);
}

std::string aac_name(const AVCodecParameters& track) {
  if (track.profile == FF_PROFILE_AAC_HE) return "mp4a.40.5";
  if (track.profile == FF_PROFILE_AAC_HE_V2) return "mp4a.40.29";
  return "mp4a.40.2";
}

constexpr std::array<std::pair<AVCodecID, std::string_view>, 9> plain_names{{
    {AV_CODEC_ID_MPEG4, "mp4v.20.240"},
    {AV_CODEC_ID_MPEG2VIDEO, "mp4v.61"},
    {AV_CODEC_ID_MPEG1VIDEO, "mp4v.6a"},
    {AV_CODEC_ID_AC3, "ac-3"},
    {AV_CODEC_ID_EAC3, "ec-3"},
    {AV_CODEC_ID_DTS, "dtsc"},
    {AV_CODEC_ID_TRUEHD, "mlpa"},
    {AV_CODEC_ID_MP3, "mp4a.6b"},
    {AV_CODEC_ID_MP2, "mp4a.69"},
}};

}  // namespace

std::string codec_name(const AVCodecParameters& track) {
  if (track.codec_id == AV_CODEC_ID_H264) return avc_name(track);
  if (track.codec_id == AV_CODEC_ID_HEVC) return hevc_name(track);
  if (track.codec_id == AV_CODEC_ID_VP9) return vp9_name(track);
  if (track.codec_id == AV_CODEC_ID_AV1) return av1_name(track);
  if (track.codec_id == AV_CODEC_ID_AAC) return aac_name(track);
  for (const auto& [id, name] : plain_names) {
    if (track.codec_id == id) return std::string(name);
  }
  return avcodec_get_name(track.codec_id);
}

bool is_copyable(const AVCodecParameters& track) noexcept {
  return track.codec_id == AV_CODEC_ID_H264 || track.codec_id == AV_CODEC_ID_HEVC ||
         track.codec_id == AV_CODEC_ID_VP9 || track.codec_id == AV_CODEC_ID_AV1;
}

}  // namespace videosync
