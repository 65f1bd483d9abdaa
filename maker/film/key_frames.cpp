#include "maker/film/key_frames.h"

#include <cstdint>

extern "C" {
#include <libavutil/mathematics.h>
}

namespace videosync {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr int refresh_unit = 5;  // of ISO/IEC 14496-10, table 7-1
constexpr std::int64_t looked_through_s = 20;
constexpr std::int64_t bytes_looked_through = 64 << 20;
constexpr int keys_wanted = 2;

bool is_refresh(std::uint8_t head) noexcept {
  return (head & 0x1f) == refresh_unit;
}

// Units that each have their length in front, in so many bytes.
bool has_refresh(Bytes packet, std::size_t length_bytes) noexcept {
  while (packet.size() > length_bytes) {
    std::size_t length = 0;
    for (const std::uint8_t byte : packet.first(length_bytes))
      length = length << 8 | byte;
    packet = packet.subspan(length_bytes);
    if (is_refresh(packet.front())) return true;
    if (length == 0 || length > packet.size()) return false;
    packet = packet.subspan(length);
  }
  return false;
}

// Units that begin behind 0, 0, 1.
bool has_refresh_behind_mark(Bytes packet) noexcept {
  for (std::size_t i = 0; i + 3 < packet.size(); ++i) {
    const bool is_mark = packet[i] == 0 && packet[i + 1] == 0 && packet[i + 2] == 1;
    if (is_mark && is_refresh(packet[i + 3])) return true;
  }
  return false;
}

// The next packet of the picture that is a key frame is one, too, that refreshes; true where none
// comes soon.
bool next_refreshes(Film& film, const AVStream& video) {
  const AvPacket packet = make_packet();
  std::int64_t bytes = 0;
  std::int64_t begin = AV_NOPTS_VALUE;
  while (bytes < bytes_looked_through && film.read(*packet)) {
    bytes += packet->size;
    if (packet->stream_index != video.index) continue;
    if ((packet->flags & AV_PKT_FLAG_KEY) != 0) return refreshes(*video.codecpar, *packet);
    if (packet->dts == AV_NOPTS_VALUE) continue;
    if (begin == AV_NOPTS_VALUE) begin = packet->dts;
    const std::int64_t read = av_rescale_q(packet->dts - begin, video.time_base, {1, 1});
    if (read > looked_through_s) return true;
  }
  return true;
}

}  // namespace

bool refreshes(const AVCodecParameters& track, const AVPacket& key) {
  if (track.codec_id != AV_CODEC_ID_H264) return true;
  const Bytes packet(key.data, static_cast<std::size_t>(key.size));
  const bool has_lengths = track.extradata_size > 4 && track.extradata[0] == 1;
  if (!has_lengths) return has_refresh_behind_mark(packet);
  return has_refresh(packet, (track.extradata[4] & 3U) + 1);
}

bool begin_with_refreshes(Film& film, const Plan* plan) {
  const AVStream& video = film.needed_video();
  if (video.codecpar->codec_id != AV_CODEC_ID_H264) return true;
  for (std::size_t i = 0; i < keys_wanted; ++i) {
    if (plan != nullptr && i >= plan->cuts.size()) return true;
    if (plan != nullptr) film.seek_before(video, plan->cuts[i].mark);
    if (!next_refreshes(film, video)) return false;
  }
  return true;
}

}  // namespace videosync
