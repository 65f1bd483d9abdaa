#include "maker/film/film.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

extern "C" {
#include <libavutil/avstring.h>
#include <libavutil/mathematics.h>
#include <libavutil/parseutils.h>
}

#include "core/base/film_formats.h"

namespace videosync {

namespace {

constexpr const char* protocols = "file,crypto,data";
constexpr const char* text_formats = "srt,ass,webvtt,microdvd,mpl2,sami,subviewer,vplayer";
// A seek goes back so far behind where it should land, one after the other.
constexpr std::array<std::int64_t, 5> seek_steps_s{0, 1, 5, 30, 300};

std::uint64_t size_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    throw SourceFault("the file cannot be read: " + std::string(std::strerror(errno)));
  }
  return static_cast<std::uint64_t>(status.st_size);
}

AvIo open_io(const std::string& path) {
  AVIOContext* raw = nullptr;
  AvOptions options;
  options.set("protocol_whitelist", protocols);
  const int opened =
      avio_open2(&raw, ("file:" + path).c_str(), AVIO_FLAG_READ, nullptr, options.get());
  if (opened == AVERROR(ENOMEM)) throw std::bad_alloc();
  if (opened < 0) throw SourceFault("the file cannot be opened: " + words_of(opened));
  return AvIo(raw);
}

// Demuxers take what could not be read for the end of the film, or for a fault of it.
void check_source(const AVIOContext& io) {
  if (io.error >= 0 || io.error == AVERROR_EOF) return;
  throw SourceFault("the file cannot be read: " + words_of(io.error));
}

AvInput open_input(AVIOContext& io, const std::string& path) {
  AVFormatContext* raw = needed(avformat_alloc_context());
  raw->pb = &io;
  AvOptions options;
  const std::string formats = std::string(film_formats) + ',' + text_formats;
  options.set("protocol_whitelist", protocols).set("format_whitelist", formats.c_str());
  const int opened = avformat_open_input(&raw, ("file:" + path).c_str(), nullptr, options.get());
  if (opened < 0) check_source(io);
  if (opened == AVERROR_INVALIDDATA || opened == AVERROR(EINVAL)) {
    throw Fault("this is no film, or the part of it that describes it is missing (cut short?)");
  }
  check(opened, "the file cannot be opened");
  return AvInput(raw);
}

bool is_picture(const AVStream& stream) noexcept {
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
         (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) == 0;
}

// What the length of a film is made of. Subtitles go on behind its end, or say any length at all.
bool counts_for_length(const AVStream& stream) noexcept {
  return is_picture(stream) || stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
}

// What writers of Matroska tell of a single track, microseconds; 0: nothing.
std::int64_t tagged_length(const AVStream& stream) noexcept {
  const AVDictionaryEntry* tag =
      av_dict_get(stream.metadata, "DURATION", nullptr, AV_DICT_IGNORE_SUFFIX);
  std::int64_t length = 0;
  const bool is_said = tag != nullptr && av_parse_time(&length, tag->value, 1) >= 0;
  return is_said ? std::max<std::int64_t>(length, 0) : 0;
}

std::int64_t time_of(const AVPacket& packet) noexcept {
  return packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
}

}  // namespace

Film::Film(const std::string& path) {
  bytes_ = size_of(path);
  if (bytes_ == 0) throw Fault("the file is empty");
  io_ = open_io(path);
  input_ = open_input(*io_, path);
  const int found = avformat_find_stream_info(input_.get(), nullptr);
  check_source(*io_);
  check(found, "its tracks cannot be read");
  for (unsigned i = 0; i < input_->nb_streams && video_ < 0; ++i) {
    const AVStream& one = *input_->streams[i];
    if (is_picture(one) && one.codecpar->codec_id != AV_CODEC_ID_NONE) video_ = one.index;
  }
}

bool Film::is(const char* format) const noexcept {
  return av_match_name(format, input_->iformat->name) != 0;
}

AVStream* Film::video() const noexcept {
  return video_ < 0 ? nullptr : input_->streams[video_];
}

AVStream& Film::needed_video() const {
  if (video_ < 0) throw Fault("the file has no picture");
  return *input_->streams[video_];
}

AVStream& Film::stream(int index) const {
  const bool is_there = index >= 0 && static_cast<unsigned>(index) < input_->nb_streams;
  if (!is_there) throw Fault("the file has no track " + std::to_string(index));
  return *input_->streams[index];
}

std::vector<AVStream*> Film::all(AVMediaType type) const {
  std::vector<AVStream*> found;
  for (unsigned i = 0; i < input_->nb_streams; ++i) {
    if (input_->streams[i]->codecpar->codec_type == type) found.push_back(input_->streams[i]);
  }
  return found;
}

// avi tells of pictures when they are decoded. They are shown when the decoder hands them out,
// which with B frames is so many pictures later; the sound beside them is written for that.
std::int64_t Film::decoding_delay_in(AVRational unit) const noexcept {
  const AVStream* first = video();
  if (!is("avi") || first == nullptr || first->avg_frame_rate.num <= 0) return 0;
  return av_rescale_q(first->codecpar->video_delay, av_inv_q(first->avg_frame_rate), unit);
}

std::int64_t Film::cut_off_in(AVRational unit) const noexcept {
  AVStream* first = video();
  const AVIndexEntry* begin = first != nullptr ? avformat_index_get_entry(first, 0) : nullptr;
  if (!is("mov") || begin == nullptr) return 0;
  const AVIndexEntry* entry = begin;
  for (int i = 1; entry != nullptr && (entry->flags & AVINDEX_DISCARD_FRAME) != 0; ++i)
    entry = avformat_index_get_entry(first, i);
  if (entry == nullptr) return 0;
  return av_rescale_q(entry->timestamp - begin->timestamp, first->time_base, unit);
}

std::int64_t Film::zero_in(AVRational unit) const noexcept {
  const AVStream* first = video();
  if (first != nullptr && first->start_time != AV_NOPTS_VALUE) {
    return av_rescale_q(first->start_time, first->time_base, unit) + decoding_delay_in(unit);
  }
  // The container's own begin may be that of subtitles.
  std::int64_t begin = AV_NOPTS_VALUE;
  for (const AVStream* sound : all(AVMEDIA_TYPE_AUDIO)) {
    if (sound->start_time == AV_NOPTS_VALUE) continue;
    const std::int64_t at = av_rescale_q(sound->start_time, sound->time_base, unit);
    begin = begin == AV_NOPTS_VALUE ? at : std::min(begin, at);
  }
  if (begin != AV_NOPTS_VALUE) return begin;
  if (input_->start_time == AV_NOPTS_VALUE) return 0;
  return av_rescale_q(input_->start_time, AV_TIME_BASE_Q, unit);
}

// Matroska has one length for all tracks. Where there are subtitles, what is said of picture and
// sound alone bounds it; where nothing is, it is no answer.
std::optional<std::int64_t> Film::matroska_end() const noexcept {
  std::int64_t length = input_->duration;
  std::int64_t tagged = 0;
  bool has_others = false;
  for (unsigned i = 0; i < input_->nb_streams; ++i) {
    const AVStream& one = *input_->streams[i];
    has_others = has_others || one.codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE;
    if (counts_for_length(one)) tagged = std::max(tagged, tagged_length(one));
  }
  if (has_others && tagged == 0 && video() != nullptr) return std::nullopt;
  if (has_others && tagged > 0) length = std::min(length, tagged);
  // Some writers count it from 0, some from the first time.
  const std::int64_t zero = zero_in(AV_TIME_BASE_Q);
  const bool has_zero = length > zero && zero > 0;
  return av_rescale_q(length - (has_zero ? zero : 0), AV_TIME_BASE_Q, ticks);
}

std::optional<std::int64_t> Film::end() const noexcept {
  if (is("matroska") && input_->duration > 0) return matroska_end();
  std::int64_t end = 0;
  for (unsigned i = 0; i < input_->nb_streams; ++i) {
    const AVStream& one = *input_->streams[i];
    if (!counts_for_length(one) || one.duration <= 0 || one.start_time == AV_NOPTS_VALUE) continue;
    end = std::max(end, av_rescale_q(one.start_time + one.duration, one.time_base, ticks));
  }
  if (end > 0) return std::max<std::int64_t>(end - zero_in(ticks), 0);
  // A guess from bit rates is none.
  const bool is_known = input_->duration != AV_NOPTS_VALUE && input_->duration > 0 &&
                        input_->duration_estimation_method != AVFMT_DURATION_FROM_BITRATE;
  if (!is_known) return std::nullopt;
  const std::int64_t start = input_->start_time == AV_NOPTS_VALUE ? 0 : input_->start_time;
  end = av_rescale_q(start + input_->duration, AV_TIME_BASE_Q, ticks);
  return std::max<std::int64_t>(end - zero_in(ticks), 0);
}

void Film::choose(const AVStream& stream) noexcept {
  chosen_ = stream.index;
  for (unsigned i = 0; i < input_->nb_streams; ++i) {
    const bool is_chosen = static_cast<int>(i) == chosen_;
    input_->streams[i]->discard = is_chosen ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  }
}

void Film::seek_before(const AVStream& chosen, std::int64_t pts) {
  choose(chosen);
  if (&chosen == video()) pts -= decoding_delay_in(chosen.time_base);
  for (const std::int64_t back_s : seek_steps_s) {
    if (lands_before(chosen, pts, back_s)) return;
  }
  // From the start, as it is after opening: what cannot be sought is read.
  has_pending_ = false;
  if (avformat_seek_file(input_.get(), -1, INT64_MIN, INT64_MIN, INT64_MAX, 0) >= 0) return;
  check_source(*io_);
  check(av_seek_frame(input_.get(), -1, 0, AVSEEK_FLAG_BYTE), "the file cannot be sought");
}

// Matroska has an index of the picture alone, and without one a seek reads all of the file.
bool Film::lands_before(const AVStream& chosen, std::int64_t pts, std::int64_t back_s) {
  const AVStream* by = is("mov") || video() == nullptr ? &chosen : video();
  std::int64_t target = av_rescale_q(pts, chosen.time_base, by->time_base);
  target -= av_rescale_q(back_s, {1, 1}, by->time_base);
  has_pending_ = false;
  if (av_seek_frame(input_.get(), by->index, target, AVSEEK_FLAG_BACKWARD) < 0) return false;
  // Where a container has no index a seek lands between key frames: decoding begins at the next.
  const bool needs_key = &chosen == video();
  do {
    if (!read_chosen(*pending_)) return false;
  } while (needs_key && (pending_->flags & AV_PKT_FLAG_KEY) == 0 && time_of(*pending_) <= pts);
  has_pending_ = time_of(*pending_) == AV_NOPTS_VALUE || time_of(*pending_) <= pts;
  return has_pending_;
}

bool Film::read_on(AVPacket& packet) {
  av_packet_unref(&packet);
  const int result = av_read_frame(input_.get(), &packet);
  check_source(*io_);
  if (result == AVERROR(ENOMEM)) throw std::bad_alloc();
  return result >= 0;
}

bool Film::read_chosen(AVPacket& packet) {
  do {
    if (!read_on(packet)) return false;
  } while (chosen_ >= 0 && packet.stream_index != chosen_);
  return true;
}

bool Film::take_pending(AVPacket& packet) {
  if (!has_pending_) return false;
  av_packet_unref(&packet);
  av_packet_move_ref(&packet, pending_.get());
  has_pending_ = false;
  return true;
}

bool Film::read(AVPacket& packet) {
  return take_pending(packet) || read_chosen(packet);
}

bool Film::read_any(AVPacket& packet) {
  return take_pending(packet) || read_on(packet);
}

}  // namespace videosync
