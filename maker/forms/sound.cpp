#include "maker/forms/sound.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "maker/film/decoder.h"
#include "maker/forms/sound_place.h"

extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/mathematics.h>
}

namespace videosync {

namespace {

constexpr int frame_samples = 1'024;
// The encoder starts so many frames early, the decoder so much before that.
constexpr int preroll_frames = 8;
constexpr double decoder_preroll_s = 0.5;
constexpr std::int64_t bits_a_channel = 80'000;
// Silence is made in pieces: a hole in the sound, or behind it, may be of hours.
constexpr std::int64_t silence_samples_max = 64 * frame_samples;

AvCodec open_encoder(int rate, int channels) {
  const AVCodec* aac = avcodec_find_encoder(AV_CODEC_ID_AAC);
  if (aac == nullptr) throw Fault("libavcodec has no AAC encoder");
  AvCodec encoder(needed(avcodec_alloc_context3(aac)));
  encoder->sample_rate = rate;
  encoder->sample_fmt = AV_SAMPLE_FMT_FLTP;
  encoder->bit_rate = bits_a_channel * std::min(channels, 5);
  encoder->time_base = {1, rate};
  encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  av_channel_layout_default(&encoder->ch_layout, channels);
  check(avcodec_open2(encoder.get(), aac, nullptr), "the AAC encoder");
  return encoder;
}

// The priming that the encoder puts in front is never written: see the preroll.
AvParameters parameters_of(const AVCodecContext& encoder) {
  AvParameters parameters(needed(avcodec_parameters_alloc()));
  check(avcodec_parameters_from_context(parameters.get(), &encoder), "the AAC encoder");
  parameters->initial_padding = 0;
  return parameters;
}

AvResampler open_resampler(const AVFrame& from, const AVCodecContext& to) {
  AVChannelLayout layout{};
  check(av_channel_layout_copy(&layout, &from.ch_layout), "the sound's channels");
  if (layout.order == AV_CHANNEL_ORDER_UNSPEC) {
    av_channel_layout_default(&layout, from.ch_layout.nb_channels);
  }
  AVChannelLayout wanted{};
  check(av_channel_layout_copy(&wanted, &to.ch_layout), "the sound's channels");
  SwrContext* raw = nullptr;
  const int made =
      swr_alloc_set_opts2(&raw, &wanted, to.sample_fmt, to.sample_rate, &layout,
                          static_cast<AVSampleFormat>(from.format), from.sample_rate, 0, nullptr);
  av_channel_layout_uninit(&wanted);
  av_channel_layout_uninit(&layout);
  check(made, "the resampler");
  AvResampler resampler(raw);
  check(swr_init(raw), "the resampler");
  return resampler;
}

class SoundMaker {
 public:
  SoundMaker(Film& film, const SoundOrder& order, Stretch stretch, const SegmentFolder& folder)
      : film_(film),
        track_(film.stream(order.track)),
        rate_(sound_rate_of(track_)),
        segment_(sound_segment_samples(rate_)),
        end_(av_rescale_rnd(order.film_end, rate_, ticks.den, AV_ROUND_UP)),
        next_(stretch.from),
        stop_(stretch.end()),
        begin_(static_cast<std::int64_t>(stretch.from) * segment_),
        encoder_(open_encoder(rate_, order.channels)),
        fragments_(*parameters_of(*encoder_), {1, rate_}, stretch.from),
        folder_(folder),
        place_(track_, rate_, film.zero_in({1, rate_})),
        encoded_(begin_ - preroll_frames * frame_samples),
        pcm_(static_cast<std::size_t>(order.channels)) {
    if (track_.codecpar->codec_type != AVMEDIA_TYPE_AUDIO) throw Fault("this track is no sound");
    folder_.save("init.mp4", fragments_.init());
  }

  void run() {
    if (begin_ >= end_) throw Fault("the film has no such part");
    const auto before = static_cast<std::int64_t>(decoder_preroll_s * rate_);
    const std::int64_t from = encoded_ - before + film_.zero_in({1, rate_});
    film_.seek_before(track_, av_rescale_q(from, {1, rate_}, track_.time_base));
    Decoder decoder(track_, 1);
    const AvPacket packet = make_packet();
    while (!is_done() && film_.read(*packet)) {
      decoder.feed(packet.get());
      take_all(decoder);
    }
    if (is_done()) return;
    decoder.feed(nullptr);
    take_all(decoder);
    finish();
  }

 private:
  bool is_done() const noexcept { return next_ >= stop_; }

  void take_all(Decoder& decoder) {
    while (!is_done() && decoder.take(*frame_)) {
      if (frame_->nb_samples > 0 && frame_->sample_rate > 0) take(*frame_);
    }
  }

  void take(const AVFrame& frame) {
    if (has_changed(frame)) resampler_ = open_resampler(frame, *encoder_);
    source_ = {frame.sample_rate, frame.format, frame.ch_layout.nb_channels};
    const std::int64_t delay = swr_get_delay(resampler_.get(), rate_);
    const auto at = place_.of(frame);
    if (!at) return;
    const int room = check(swr_get_out_samples(resampler_.get(), frame.nb_samples), "resample");
    std::vector<std::vector<float>> got(pcm_.size());
    std::vector<std::uint8_t*> planes;
    for (auto& channel : got) {
      channel.resize(static_cast<std::size_t>(room));
      planes.push_back(reinterpret_cast<std::uint8_t*>(channel.data()));
    }
    const int count =
        check(swr_convert(resampler_.get(), planes.data(), room,
                          const_cast<const std::uint8_t**>(frame.extended_data), frame.nb_samples),
              "the sound cannot be converted");
    append(*at - delay, got, count);
    encode(false);
  }

  struct Source {
    int rate = 0;
    int format = -1;
    int channels = 0;
    bool operator==(const Source&) const = default;
  };
  bool has_changed(const AVFrame& frame) const {
    const Source now{frame.sample_rate, frame.format, frame.ch_layout.nb_channels};
    return !resampler_ || !(now == source_);
  }

  // At its place: what is there already wins, a hole becomes silence.
  void append(std::int64_t at, const std::vector<std::vector<float>>& got, int count) {
    be_silent_until(std::min(at, end_));
    const std::int64_t skipped = std::clamp<std::int64_t>(pcm_end() - at, 0, count);
    for (std::size_t i = 0; i < pcm_.size(); ++i)
      pcm_[i].insert(pcm_[i].end(), got[i].begin() + skipped, got[i].begin() + count);
  }

  std::int64_t pcm_end() const noexcept {
    return encoded_ + static_cast<std::int64_t>(pcm_.front().size());
  }
  void be_silent_until(std::int64_t until) {
    while (!is_done() && pcm_end() < until) {
      const auto piece = static_cast<std::size_t>(std::min(until - pcm_end(), silence_samples_max));
      for (auto& channel : pcm_)
        channel.resize(channel.size() + piece);
      encode(false);
    }
  }

  // Whole frames, but the last one.
  void encode(bool is_last) {
    std::size_t used = 0;
    while (!is_done() && pcm_.front().size() - used >= frame_samples) {
      send_frame(used);
      used += frame_samples;
    }
    for (auto& channel : pcm_)
      channel.erase(channel.begin(), channel.begin() + static_cast<std::ptrdiff_t>(used));
    if (!is_last || is_done()) return;
    check(avcodec_send_frame(encoder_.get(), nullptr), "the AAC encoder");
    drain();
  }

  void send_frame(std::size_t from) {
    const AvFrame frame = make_frame();
    frame->nb_samples = frame_samples;
    frame->format = encoder_->sample_fmt;
    frame->sample_rate = rate_;
    check(av_channel_layout_copy(&frame->ch_layout, &encoder_->ch_layout), "a frame");
    check(av_frame_get_buffer(frame.get(), 0), "a frame");
    for (std::size_t i = 0; i < pcm_.size(); ++i) {
      const auto first = pcm_[i].begin() + static_cast<std::ptrdiff_t>(from);
      std::copy(first, first + frame_samples, reinterpret_cast<float*>(frame->extended_data[i]));
    }
    frame->pts = encoded_;
    encoded_ += frame_samples;
    check(avcodec_send_frame(encoder_.get(), frame.get()), "the AAC encoder");
    drain();
  }

  void drain() {
    while (!is_done() && avcodec_receive_packet(encoder_.get(), packet_.get()) >= 0) {
      if (packet_->pts < begin_ || packet_->pts >= end_) {
        av_packet_unref(packet_.get());
        continue;
      }
      if (packet_->pts >= static_cast<std::int64_t>(next_ + 1) * segment_) {
        folder_.save_segment(next_++, fragments_.take_segment());
        if (is_done()) return av_packet_unref(packet_.get());
      }
      fragments_.add(*packet_, packet_->pts, packet_->pts, frame_samples);
    }
  }

  // Silence up to the film's end.
  void finish() {
    const std::int64_t wanted = std::min(end_, static_cast<std::int64_t>(stop_) * segment_);
    // A frame more than wanted: the encoder's last one is whole by then.
    be_silent_until(wanted + 2 * frame_samples);
    encode(true);
    if (!is_done()) folder_.save_segment(next_++, fragments_.take_segment());
  }

  Film& film_;
  const AVStream& track_;
  const int rate_;
  const std::int64_t segment_;  // samples of one
  const std::int64_t end_;      // of the film, samples
  std::size_t next_;            // the segment that is being written
  const std::size_t stop_;      // the one behind the last
  const std::int64_t begin_;    // where the first one begins, samples
  AvCodec encoder_;
  Fragments fragments_;
  const SegmentFolder& folder_;
  SoundPlace place_;
  std::int64_t encoded_;                 // film time of pcm_'s first sample
  std::vector<std::vector<float>> pcm_;  // by channel, all of one length
  AvResampler resampler_;
  Source source_;
  const AvFrame frame_ = make_frame();
  const AvPacket packet_ = make_packet();
};

}  // namespace

int sound_rate_of(const AVStream& track) noexcept {
  return track.codecpar->sample_rate == 44'100 ? 44'100 : 48'000;
}

std::int64_t sound_segment_samples(int rate) noexcept {
  return std::lround(4.0 * rate / frame_samples) * frame_samples;
}

void make_sound(Film& film, const SoundOrder& order, Stretch stretch, const SegmentFolder& folder) {
  SoundMaker maker(film, order, stretch, folder);
  if (stretch.count > 0) maker.run();
}

}  // namespace videosync
