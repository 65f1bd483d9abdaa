// What libav* hands out, owned: each ends with its owner. And how its complaints become a Fault.
//
// The media program does one thing and ends. So here, and on this floor alone, whatever goes wrong
// is thrown, and main tells it in one line: there is nobody on the way who could do better.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>
}

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>

namespace videosync {

// What the person is told who wonders why a film does not play.
struct Fault : std::runtime_error {
  using runtime_error::runtime_error;
};

// What the film is read from gives nothing now: no fault of the film.
struct SourceFault : Fault {
  using Fault::Fault;
};

inline std::string words_of(int error) {
  char words[AV_ERROR_MAX_STRING_SIZE] = "";
  av_strerror(error, words, sizeof words);
  return words;
}

// The result of a libav call; a negative one is thrown, as "`what`: what libav says".
inline int check(int result, const char* what) {
  if (result >= 0) return result;
  if (result == AVERROR(ENOMEM)) throw std::bad_alloc();
  throw Fault(std::string(what) + ": " + words_of(result));
}

// What libav hands out as null where there is no memory.
template <class T>
T* needed(T* one) {
  if (one == nullptr) throw std::bad_alloc();
  return one;
}

template <auto close>
struct AvCloser {
  template <class T>
  void operator()(T* one) const noexcept {
    close(&one);
  }
};

using AvIo = std::unique_ptr<AVIOContext, AvCloser<avio_closep>>;
using AvInput = std::unique_ptr<AVFormatContext, AvCloser<avformat_close_input>>;
using AvCodec = std::unique_ptr<AVCodecContext, AvCloser<avcodec_free_context>>;
using AvParameters = std::unique_ptr<AVCodecParameters, AvCloser<avcodec_parameters_free>>;
using AvPacket = std::unique_ptr<AVPacket, AvCloser<av_packet_free>>;
using AvFrame = std::unique_ptr<AVFrame, AvCloser<av_frame_free>>;
using AvResampler = std::unique_ptr<SwrContext, AvCloser<swr_free>>;
using AvGraph = std::unique_ptr<AVFilterGraph, AvCloser<avfilter_graph_free>>;

inline AvPacket make_packet() {
  return AvPacket(needed(av_packet_alloc()));
}
inline AvFrame make_frame() {
  return AvFrame(needed(av_frame_alloc()));
}

// Options for a call that takes what it knows of them.
class AvOptions {
 public:
  AvOptions() = default;
  ~AvOptions() { av_dict_free(&options_); }
  AvOptions(const AvOptions&) = delete;
  AvOptions& operator=(const AvOptions&) = delete;

  AvOptions& set(const char* name, const std::string& value) {
    check(av_dict_set(&options_, name, value.c_str(), 0), name);
    return *this;
  }
  AVDictionary** get() noexcept { return &options_; }

 private:
  AVDictionary* options_ = nullptr;
};

// How a picture is to be turned: ffmpeg 6.1 moved this from the stream to its parameters. Empty: as
// it is.
inline std::span<const std::uint8_t> display_matrix(const AVStream& stream) noexcept {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
  const AVCodecParameters& track = *stream.codecpar;
  const AVPacketSideData* found = av_packet_side_data_get(
      track.coded_side_data, track.nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  return found == nullptr ? std::span<const std::uint8_t>() : std::span(found->data, found->size);
#else
  std::size_t size = 0;
  const std::uint8_t* data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return {data, data == nullptr ? 0 : size};
#endif
}

inline void set_display_matrix(AVStream& stream, std::span<const std::uint8_t> matrix) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
  AVCodecParameters& track = *stream.codecpar;
  AVPacketSideData* made =
      needed(av_packet_side_data_new(&track.coded_side_data, &track.nb_coded_side_data,
                                     AV_PKT_DATA_DISPLAYMATRIX, matrix.size(), 0));
  std::ranges::copy(matrix, made->data);
#else
  auto* made = needed(av_stream_new_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, matrix.size()));
  std::ranges::copy(matrix, made);
#endif
}

// By its own word, which 6.1 has made one of its flags.
inline bool has_fields(const AVFrame& frame) noexcept {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 29, 100)
  return (frame.flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
  return frame.interlaced_frame != 0;
#endif
}

// Times of segments, as playlists and the files have them.
inline constexpr AVRational ticks{1, 90'000};
inline constexpr AVRational milliseconds{1, 1'000};

}  // namespace videosync
