#include "maker/subtitles/subtitles.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <thread>

#include "core/base/unique_fd.h"
#include "maker/film/decoder.h"
#include "maker/subtitles/charset.h"
#include "maker/subtitles/webvtt.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace videosync {

namespace {

constexpr std::int64_t bytes_a_second = 80 << 20;
constexpr std::size_t file_bytes_max = 32 << 20;

// One track on its way to WebVTT.
class TextTrack {
 public:
  TextTrack(const AVStream& stream, std::int64_t zero_ms)
      : stream_(stream), zero_ms_(zero_ms), decoder_(stream, 1), webvtt_(styles()) {}

  void feed(AVPacket& packet) {
    if (packet.pts == AV_NOPTS_VALUE) return;
    AVSubtitle subtitle{};
    int has_one = 0;
    if (avcodec_decode_subtitle2(&decoder_.context(), &subtitle, &has_one, &packet) < 0) return;
    if (has_one == 0) return;
    const std::int64_t at = av_rescale_q(packet.pts, stream_.time_base, milliseconds) - zero_ms_;
    const std::int64_t length = av_rescale_q(packet.duration, stream_.time_base, milliseconds);
    const bool says_end = subtitle.end_display_time > subtitle.start_display_time &&
                          subtitle.end_display_time != UINT32_MAX;
    const std::int64_t to = at + (length > 0 || !says_end ? length : subtitle.end_display_time);
    for (unsigned i = 0; i < subtitle.num_rects; ++i) {
      if (subtitle.rects[i]->ass != nullptr) {
        webvtt_.add(at + subtitle.start_display_time, to, subtitle.rects[i]->ass);
      }
    }
    has_shown_ = true;
    avsubtitle_free(&subtitle);
  }

  bool has_shown() const noexcept { return has_shown_; }
  std::string text() const { return webvtt_.text(); }

 private:
  AssStyles styles() {
    const AVCodecContext& context = decoder_.context();
    if (context.subtitle_header == nullptr) return {};
    return AssStyles::of({reinterpret_cast<const char*>(context.subtitle_header),
                          static_cast<std::size_t>(context.subtitle_header_size)});
  }

  const AVStream& stream_;
  const std::int64_t zero_ms_;
  Decoder decoder_;
  WebVtt webvtt_;
  bool has_shown_ = false;
};

bool is_text(const AVStream& stream) {
  const AVCodecDescriptor* codec = avcodec_descriptor_get(stream.codecpar->codec_id);
  const bool is = codec != nullptr && (codec->props & AV_CODEC_PROP_TEXT_SUB) != 0;
  return is && avcodec_find_decoder(stream.codecpar->codec_id) != nullptr;
}

// Viewers read from the same disk.
class Throttle {
 public:
  void pass(std::int64_t bytes) {
    using std::chrono::steady_clock;
    if (bytes < next_) return;
    next_ = bytes + (4 << 20);
    const auto due = begin_ + std::chrono::microseconds(bytes * 1'000'000 / bytes_a_second);
    if (due > steady_clock::now()) std::this_thread::sleep_until(due);
  }

 private:
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::int64_t next_ = 0;
};

// A text in memory that libavformat reads as a file.
class MemoryFile {
 public:
  explicit MemoryFile(std::string text) : text_(std::move(text)) {
    constexpr int buffer_bytes = 4'096;
    auto* buffer = static_cast<unsigned char*>(needed(av_malloc(buffer_bytes)));
    io_ = needed(avio_alloc_context(buffer, buffer_bytes, 0, this, &MemoryFile::read, nullptr,
                                    &MemoryFile::seek));
  }
  ~MemoryFile() {
    av_freep(static_cast<void*>(&io_->buffer));
    avio_context_free(&io_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  AvInput open() {
    AVFormatContext* raw = needed(avformat_alloc_context());
    raw->pb = io_;
    AvOptions options;
    options.set("format_whitelist", "srt,ass,webvtt,microdvd,mpl2,sami,subviewer,vplayer");
    if (avformat_open_input(&raw, nullptr, nullptr, options.get()) < 0) {
      throw Fault("this is no kind of subtitles that is known");
    }
    return AvInput(raw);
  }

 private:
  static int read(void* self, std::uint8_t* buffer, int size) {
    auto& file = *static_cast<MemoryFile*>(self);
    const std::size_t count =
        std::min(static_cast<std::size_t>(size), file.text_.size() - file.at_);
    if (count == 0) return AVERROR_EOF;
    std::memcpy(buffer, file.text_.data() + file.at_, count);
    file.at_ += count;
    return static_cast<int>(count);
  }
  static std::int64_t seek(void* self, std::int64_t offset, int whence) {
    auto& file = *static_cast<MemoryFile*>(self);
    const auto size = static_cast<std::int64_t>(file.text_.size());
    if (whence == AVSEEK_SIZE) return size;
    if (whence == SEEK_CUR) offset += static_cast<std::int64_t>(file.at_);
    if (whence == SEEK_END) offset += size;
    if (offset < 0 || offset > size) return AVERROR(EINVAL);
    file.at_ = static_cast<std::size_t>(offset);
    return offset;
  }

  const std::string text_;
  std::size_t at_ = 0;
  AVIOContext* io_ = nullptr;
};

std::string read_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string bytes;
  std::array<char, 64 * 1024> part;
  ssize_t n = file ? 1 : -1;
  while (n > 0 && bytes.size() <= file_bytes_max) {
    n = ::read(file.get(), part.data(), part.size());
    if (n > 0) bytes.append(part.data(), static_cast<std::size_t>(n));
  }
  if (n < 0) throw SourceFault(std::string("the file cannot be read: ") + std::strerror(errno));
  if (bytes.size() > file_bytes_max) throw Fault("the file is too large for subtitles");
  if (bytes.empty()) throw Fault("the file is empty");
  return bytes;
}

// Its signature (the specification's 4.1), and a time, for what is cut off behind that shows
// nothing.
bool is_webvtt(std::string_view text) {
  constexpr std::string_view signature = "WEBVTT";
  if (!text.starts_with(signature)) return false;
  const std::string_view rest = text.substr(signature.size());
  const bool is_whole = rest.empty() || std::string_view(" \t\r\n").contains(rest.front());
  return is_whole && rest.contains(" --> ");
}

}  // namespace

void make_subtitles(Film& film, const SegmentFolder& folder) {
  std::map<int, TextTrack> tracks;
  AVFormatContext& input = film.input();
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    AVStream& stream = *input.streams[i];
    const bool is_wanted = stream.codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE && is_text(stream);
    stream.discard = is_wanted ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    if (!is_wanted) continue;
    tracks.try_emplace(stream.index, stream, film.zero_in(milliseconds));
  }
  if (tracks.empty()) throw Fault("the film has no subtitles that are text");
  Throttle throttle;
  const AvPacket packet = make_packet();
  while (film.read(*packet)) {
    if (const auto found = tracks.find(packet->stream_index); found != tracks.end()) {
      found->second.feed(*packet);
    }
    throttle.pass(avio_tell(input.pb));
  }
  for (const auto& [index, track] : tracks)
    folder.save(fmt::format("{}.vtt", index), track.text());
}

std::string convert_subtitles(const std::string& path, std::string_view lang) {
  std::string whole = recognised_text(read_file(path), lang);
  if (is_webvtt(whole)) return whole;
  MemoryFile file(std::move(whole));
  const AvInput input = file.open();
  check(avformat_find_stream_info(input.get(), nullptr), "the subtitles cannot be read");
  if (input->nb_streams == 0) throw Fault("the file has no subtitles");
  TextTrack track(*input->streams[0], 0);
  const AvPacket packet = make_packet();
  while (av_read_frame(input.get(), packet.get()) >= 0) {
    track.feed(*packet);
    av_packet_unref(packet.get());
  }
  if (!track.has_shown()) throw Fault("the file has no line that could be shown");
  return track.text();
}

}  // namespace videosync
