// Fragments: one track as an init segment and media segments of fMP4 (CMAF), for HLS.
//
// Times are the caller's to the tick. The muxer of libavformat would rather move a track so that it
// starts at 0, and lets no picture be shown before it is decoded; both are turned off here: edit
// lists are not written, and decoding times are given `lead` early, which the muxer takes away
// again by negative composition offsets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "maker/film/av.h"

namespace videosync {

// What of a form is made: `count` segments from number `from` on, as far as there are any; with a
// count of 0 the init segment alone.
struct Stretch {
  std::size_t from = 0;
  std::size_t count = 1;
  std::size_t end() const noexcept { return from + count; }
};

class Fragments {
 public:
  // `first` is the number of the first segment that will be written: with it segments of different
  // runs are the same byte for byte. `shown_as`: where a picture comes from that is copied, for
  // what its container alone says: how it is turned, and how wide its pixels are.
  Fragments(const AVCodecParameters& track, AVRational time_base, std::size_t first,
            const AVStream* shown_as = nullptr);
  Fragments(const Fragments&) = delete;
  Fragments& operator=(const Fragments&) = delete;

  const std::string& init() const noexcept { return init_; }
  // Times in the time base given. In decoding order; `packet` is left blank.
  void add(AVPacket& packet, std::int64_t pts, std::int64_t dts, std::int64_t duration);
  // What was added since the last call, as a media segment.
  std::string take_segment();

 private:
  struct Closer {
    void operator()(AVFormatContext* output) const noexcept;
  };

  std::string take_bytes();

  std::unique_ptr<AVFormatContext, Closer> output_;  // with a buffer that grows as its file
  const AVRational time_base_;
  const std::int64_t lead_;
  std::string init_;
};

// What was made could not be written: no fault of the film.
struct OutputFault : Fault {
  // `reason`: errno.
  OutputFault(const std::string& what, int reason);
  bool is_for_want_of_room = false;
};
// What was said on standard output has arrived there, or OutputFault.
void flush_output();

// Makes segments appear in a folder whole, and says so on standard output: "NAME BYTES".
class SegmentFolder {
 public:
  explicit SegmentFolder(std::string directory) : directory_(std::move(directory)) {}
  void save(const std::string& name, const std::string& bytes) const;
  void save_segment(std::size_t number, const std::string& bytes) const;

 private:
  const std::string directory_;
};

}  // namespace videosync
