// Film: a file that is read, with film time in the place of its container's clock.
//
// Film time starts at 0 at the first picture, whatever the container says; where there is no
// picture, at the first sound. Only local files of known formats are opened: a playlist named .mp4
// must not make this machine call others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "maker/film/av.h"

namespace videosync {

class Film {
 public:
  // Throws what is wrong with the file, for a person.
  explicit Film(const std::string& path);

  AVFormatContext& input() const noexcept { return *input_; }
  bool is(const char* format) const noexcept;     // "mov", "matroska", ...
  AVStream* video() const noexcept;               // null: there is no picture
  AVStream& needed_video() const;                 // throws where there is none
  AVStream& stream(int index) const;              // throws where there is none
  std::vector<AVStream*> all(AVMediaType) const;  // in the file's order
  std::uint64_t bytes() const noexcept { return bytes_; }

  // Film time 0 on the container's clock, in that unit.
  std::int64_t zero_in(AVRational unit) const noexcept;
  // What the file has before that of pictures which are not to be shown: an edit list has cut them
  // off. Firefox shows them nevertheless, and so it shows all others by as much too late.
  std::int64_t cut_off_in(AVRational unit) const noexcept;
  // Where the longest track of picture or sound ends, in film time, as the container has it.
  // Nullopt: it does not say.
  std::optional<std::int64_t> end() const noexcept;

  // From now on read() gives packets of this stream alone.
  void choose(const AVStream& stream) noexcept;
  // So that the next packet is at or before `pts` (of the chosen stream, in its unit), and near it
  // where the file has an index. Where it is seekable at all, and else from the start.
  void seek_before(const AVStream& chosen, std::int64_t pts);
  // False: the end, or where the file is damaged beyond reading. Throws where storage gives
  // nothing.
  bool read(AVPacket& packet);
  // Of every stream that is not discarded.
  bool read_any(AVPacket& packet);

 private:
  std::int64_t decoding_delay_in(AVRational unit) const noexcept;
  std::optional<std::int64_t> matroska_end() const noexcept;
  bool lands_before(const AVStream& chosen, std::int64_t pts, std::int64_t back_s);
  bool read_on(AVPacket& packet);
  bool read_chosen(AVPacket& packet);
  bool take_pending(AVPacket& packet);

  AvIo io_;
  AvInput input_;
  int video_ = -1;
  int chosen_ = -1;
  std::uint64_t bytes_ = 0;
  AvPacket pending_ = make_packet();  // read already, by a seek
  bool has_pending_ = false;
};

}  // namespace videosync
