#include "maker/film/fragments.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/unique_fd.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace videosync {

namespace {

constexpr std::int64_t lead_s = 10;
constexpr const char* flags =
    "frag_custom+empty_moov+default_base_moof+negative_cts_offsets+frag_discont+skip_trailer";

// Parameter sets outside of the pictures ("hvc1") are what Apple's players insist on.
std::uint32_t tag_of(const AVCodecParameters& track) {
  return track.codec_id == AV_CODEC_ID_HEVC ? MKTAG('h', 'v', 'c', '1') : 0;
}

AVStream* add_stream(AVFormatContext* output, const AVCodecParameters& track, AVRational base) {
  AVStream* stream = needed(avformat_new_stream(output, nullptr));
  check(avcodec_parameters_copy(stream->codecpar, &track), "the track's parameters");
  stream->codecpar->codec_tag = tag_of(track);
  stream->time_base = base;
  return stream;
}

void show_as(AVStream& stream, const AVStream& source) {
  if (source.sample_aspect_ratio.num > 0) {
    stream.sample_aspect_ratio = source.sample_aspect_ratio;
    stream.codecpar->sample_aspect_ratio = source.sample_aspect_ratio;
  }
  if (const auto turn = display_matrix(source); !turn.empty()) set_display_matrix(stream, turn);
}

// False: errno says why. Some storage tells only when the file is closed.
bool write_whole(const std::string& path, const std::string& bytes) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return false;
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return file.close();
}

}  // namespace

Fragments::Fragments(const AVCodecParameters& track, AVRational time_base, std::size_t first,
                     const AVStream* shown_as)
    : time_base_(time_base), lead_(av_rescale_q(lead_s, {1, 1}, time_base)) {
  AVFormatContext* raw = nullptr;
  check(avformat_alloc_output_context2(&raw, nullptr, "mp4", nullptr), "the muxer");
  output_.reset(raw);
  AVStream* stream = add_stream(raw, track, time_base);
  if (shown_as != nullptr) show_as(*stream, *shown_as);
  check(avio_open_dyn_buf(&output_->pb), "a buffer");
  AvOptions options;
  options.set("movflags", flags)
      .set("use_editlist", "0")
      .set("avoid_negative_ts", "disabled")
      .set("fragment_index", std::to_string(first + 1))
      .set("video_track_timescale", std::to_string(time_base.den));
  check(avformat_write_header(raw, options.get()), "this track cannot be put into MP4");
  init_ = take_bytes();
}

void Fragments::Closer::operator()(AVFormatContext* output) const noexcept {
  std::uint8_t* bytes = nullptr;
  avio_close_dyn_buf(output->pb, &bytes);
  av_free(bytes);
  avformat_free_context(output);
}

void Fragments::add(AVPacket& packet, std::int64_t pts, std::int64_t dts, std::int64_t duration) {
  const AVRational to = output_->streams[0]->time_base;
  const std::int64_t decoded = av_rescale_q(dts - lead_, time_base_, to);
  packet.pts = av_rescale_q(pts, time_base_, to);
  packet.dts = decoded;
  packet.duration = av_rescale_q(dts - lead_ + duration, time_base_, to) - decoded;
  packet.stream_index = 0;
  check(av_write_frame(output_.get(), &packet), "a picture or sound cannot be put into MP4");
  av_packet_unref(&packet);
}

std::string Fragments::take_segment() {
  check(av_write_frame(output_.get(), nullptr), "a segment cannot be finished");
  return take_bytes();
}

std::string Fragments::take_bytes() {
  avio_flush(output_->pb);
  std::uint8_t* bytes = nullptr;
  const int size = avio_close_dyn_buf(output_->pb, &bytes);
  std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  av_free(bytes);
  check(avio_open_dyn_buf(&output_->pb), "a buffer");
  return text;
}

OutputFault::OutputFault(const std::string& what, int reason)
    : Fault(what + ": " + std::strerror(reason)),
      is_for_want_of_room(reason == ENOSPC || reason == EDQUOT || reason == EFBIG) {}

void flush_output() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  throw OutputFault("standard output cannot be written", errno != 0 ? errno : EIO);
}

void SegmentFolder::save(const std::string& name, const std::string& bytes) const {
  const std::string path = directory_ + "/" + name;
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  if (!write_whole(temporary, bytes) || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    throw OutputFault(path + " cannot be written", reason);
  }
  std::printf("%s %zu\n", name.c_str(), bytes.size());
  flush_output();
}

void SegmentFolder::save_segment(std::size_t number, const std::string& bytes) const {
  save(fmt::format("{}.m4s", number), bytes);
}

}  // namespace videosync
