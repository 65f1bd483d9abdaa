#include "maker/forms/picture.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "maker/film/decoder.h"
#include "maker/forms/decoding_times.h"
#include "maker/forms/picture_filter.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace videosync {

namespace {

// Where a segment has no picture for so long at its begin, the one before is shown again there: a
// player stops at a hole.
constexpr std::int64_t hole_max = 90'000 / 10;
// Of more pictures a second than players keep up with, the first one in each slot is shown, at its
// own time. A time is taken for a millisecond later: so much earlier has a container rounded it.
constexpr double pictures_a_second_max = 60.5;
constexpr std::int64_t slot = 90'000 / 60;
constexpr std::int64_t rounding = 90'000 / 1'000;

struct Rung {
  int height_max;
  int quality;  // x264's rate factor
  int kilobits_max;
};
constexpr Rung rungs[] = {{480, 23, 1'500}, {720, 23, 3'500}, {1'080, 23, 7'000}};

const Rung& rung_of(int height) {
  for (const Rung& rung : rungs) {
    if (height <= rung.height_max) return rung;
  }
  return rungs[std::size(rungs) - 1];
}

// Profile and level are fixed, so that a playlist can name them before there is a picture.
AvCodec open_encoder(PictureSize size, const PictureOrder& order, AVRational rate) {
  const AVCodec* x264 = avcodec_find_encoder_by_name("libx264");
  if (x264 == nullptr) throw Fault("libavcodec has no x264");
  AvCodec encoder(needed(avcodec_alloc_context3(x264)));
  const Rung& rung = rung_of(order.height_max);
  encoder->width = size.width;
  encoder->height = size.height;
  encoder->pix_fmt = AV_PIX_FMT_YUV420P;
  encoder->time_base = ticks;
  encoder->framerate = rate;
  encoder->sample_aspect_ratio = {1, 1};
  encoder->color_range = AVCOL_RANGE_MPEG;
  encoder->colorspace = AVCOL_SPC_BT709;
  encoder->color_primaries = AVCOL_PRI_BT709;
  encoder->color_trc = AVCOL_TRC_BT709;
  encoder->thread_count = order.threads;
  encoder->gop_size = 600;
  encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_CLOSED_GOP;
  encoder->rc_max_rate = rung.kilobits_max * std::int64_t{1'000};
  encoder->rc_buffer_size = rung.kilobits_max * 2'000;
  AvOptions options;
  options.set("preset", "veryfast")
      .set("crf", std::to_string(rung.quality))
      .set("profile", "high")
      .set("level", "4.2")
      .set("forced-idr", "1");
  check(avcodec_open2(encoder.get(), x264, options.get()), "x264");
  return encoder;
}

class PictureMaker {
 public:
  PictureMaker(Film& film, const PictureOrder& order, Stretch stretch, const SegmentFolder& folder)
      : film_(film),
        order_(order),
        video_(film.needed_video()),
        size_(fitted(shown_size(video_), order.height_max)),
        zero_(film.zero_in(ticks)),
        picture_length_(length_of_picture(video_)),
        is_fast_(av_q2d(video_.avg_frame_rate) > pictures_a_second_max),
        first_(stretch.from),
        stop_(std::min(stretch.end(), segments_of(order.film_end))),
        is_init_alone_(stretch.count == 0),
        fed_(stretch.from),
        written_(stretch.from),
        folder_(folder) {}

  void run() {
    if (is_init_alone_) return open_output();
    if (first_ >= stop_) throw Fault("the film has no such part");
    const std::int64_t begin = start_of(first_) + zero_;
    film_.seek_before(video_, av_rescale_q(begin, ticks, video_.time_base));
    open_output();
    Decoder decoder(video_, order_.threads);
    const AvPacket packet = make_packet();
    while (!is_fed() && film_.read(*packet)) {
      decoder.feed(packet.get());
      take_decoded(decoder);
    }
    if (!is_fed()) {
      decoder.feed(nullptr);
      take_decoded(decoder);
      if (filter_) {
        filter_->feed(nullptr);
        take_filtered();
      }
      if (shown_ == nullptr) throw Fault("no picture could be decoded at this place");
      after_ = start_of(stop_);
      while (!is_fed())
        end_segment();
    }
    check(avcodec_send_frame(encoder_.get(), nullptr), "x264");
    drain();
    if (!held_.empty()) write_segment(after_);
  }

 private:
  // Of a frame, what filters are made for.
  struct Kind {
    Kind() = default;
    explicit Kind(const AVFrame& frame)
        : width(frame.width),
          height(frame.height),
          format(frame.format),
          range(frame.color_range),
          matrix(frame.colorspace),
          primaries(frame.color_primaries),
          transfer(frame.color_trc) {}
    bool operator==(const Kind&) const = default;
    int width = 0;
    int height = 0;
    int format = -1;
    int range = 0;
    int matrix = 0;
    int primaries = 0;
    int transfer = 0;
  };

  // In the stream's unit; 0: it is not known.
  static std::int64_t length_of_picture(const AVStream& video) {
    if (video.avg_frame_rate.num <= 0) return 0;
    return av_rescale_q(1, av_inv_q(video.avg_frame_rate), video.time_base);
  }
  static std::size_t segments_of(std::int64_t end) {
    return static_cast<std::size_t>((end + picture_segment - 1) / picture_segment);
  }
  std::int64_t start_of(std::size_t segment) const {
    return std::min(static_cast<std::int64_t>(segment) * picture_segment, order_.film_end);
  }
  // All that was ordered has gone into the encoder.
  bool is_fed() const noexcept { return fed_ >= stop_; }

  void open_output() {
    const AVRational guess =
        av_guess_frame_rate(&film_.input(), const_cast<AVStream*>(&video_), nullptr);
    const bool is_odd = guess.num <= 0 || av_q2d(guess) > 60;
    encoder_ = open_encoder(size_, order_, is_odd ? AVRational{60, 1} : guess);
    AvParameters parameters(needed(avcodec_parameters_alloc()));
    check(avcodec_parameters_from_context(parameters.get(), encoder_.get()), "x264");
    fragments_.emplace(*parameters, ticks, first_);
    folder_.save("init.mp4", fragments_->init());
  }

  void take_decoded(Decoder& decoder) {
    while (!is_fed() && decoder.take(*frame_)) {
      frame_->pts = frame_->best_effort_timestamp;
      // avi's last one, which no packet brings out.
      if (frame_->pts == AV_NOPTS_VALUE) frame_->pts = decoded_to_;
      if (frame_->pts == AV_NOPTS_VALUE) continue;
      decoded_to_ = frame_->pts + std::max<std::int64_t>(picture_length_, 1);
      if (!filter_ || !(Kind(*frame_) == kind_)) {
        filter_.emplace(video_, *frame_, size_);
        kind_ = Kind(*frame_);
      }
      filter_->feed(frame_.get());
      take_filtered();
    }
  }

  void take_filtered() {
    while (!is_fed() && filter_->take(*filtered_)) {
      const std::int64_t at = av_rescale_q(filtered_->pts, filter_->time_base(), ticks) - zero_;
      const bool is_wanted = !is_too_many(at);
      if (is_wanted && at >= start_of(first_)) place(at);
      if (shown_ == nullptr) shown_ = make_frame();
      av_frame_unref(shown_.get());
      av_frame_move_ref(shown_.get(), filtered_.get());
    }
  }

  // The picture in filtered_ is due at this film time; the one before is in shown_.
  void place(std::int64_t at) {
    while (!is_fed() && at >= start_of(fed_ + 1))
      end_segment();
    after_ = at - start_of(stop_) > hole_max ? start_of(stop_) : std::max(at, start_of(stop_));
    if (is_fed() || at <= last_) return;
    if (begins_segment_ && at - start_of(fed_) > hole_max) {
      encode(stand_in(), start_of(fed_));
    }
    encode(*filtered_, at);
  }

  // Whether its slot has a picture already.
  bool is_too_many(std::int64_t at) noexcept {
    if (!is_fast_) return false;
    return std::exchange(last_slot_, (at + rounding) / slot) == (at + rounding) / slot;
  }

  // Each segment has a picture, also where the film has none for so long.
  void end_segment() {
    if (begins_segment_) encode(stand_in(), start_of(fed_));
    ++fed_;
    begins_segment_ = true;
  }

  // What is still to be seen where no new picture is due.
  AVFrame& stand_in() { return shown_ != nullptr ? *shown_ : *filtered_; }

  void encode(AVFrame& frame, std::int64_t at) {
    frame.pts = at;
    frame.pict_type = begins_segment_ ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    begins_segment_ = false;
    last_ = at;
    check(avcodec_send_frame(encoder_.get(), &frame), "x264");
    drain();
  }

  void drain() {
    while (avcodec_receive_packet(encoder_.get(), packet_.get()) >= 0) {
      const bool is_key = (packet_->flags & AV_PKT_FLAG_KEY) != 0;
      if (is_key && packet_->pts >= start_of(written_ + 1)) write_segment(packet_->pts);
      held_.push_back(make_packet());
      av_packet_move_ref(held_.back().get(), packet_.get());
    }
  }

  // `end`: where the next segment begins.
  void write_segment(std::int64_t end) {
    std::vector<std::int64_t> pts;
    for (const AvPacket& packet : held_)
      pts.push_back(packet->pts);
    const std::vector<std::int64_t> dts = decoding_times(pts, end);
    for (std::size_t i = 0; i < held_.size(); ++i)
      fragments_->add(*held_[i], pts[i], dts[i], dts[i + 1] - dts[i]);
    held_.clear();
    folder_.save_segment(written_++, fragments_->take_segment());
  }

  Film& film_;
  const PictureOrder order_;
  const AVStream& video_;
  const PictureSize size_;
  const std::int64_t zero_;            // ticks
  const std::int64_t picture_length_;  // in the stream's unit
  const bool is_fast_;                 // more pictures a second than are shown
  // In that unit, too: when the next picture is due, where it does not say.
  std::int64_t decoded_to_ = AV_NOPTS_VALUE;
  const std::size_t first_;
  const std::size_t stop_;  // the one behind the last
  const bool is_init_alone_;
  std::size_t fed_;      // the segment whose pictures go into the encoder
  std::size_t written_;  // the one whose packets come out
  const SegmentFolder& folder_;
  AvCodec encoder_;
  std::optional<Fragments> fragments_;
  std::optional<PictureFilter> filter_;
  Kind kind_;                    // what filter_ was made for
  bool begins_segment_ = true;   // the next picture is the first of fed_
  std::int64_t last_ = -1;       // when the last picture that was encoded is due
  std::int64_t last_slot_ = -1;  // of the last picture, where it is
  std::int64_t after_ = 0;       // when the first picture behind all of this is due
  AvFrame shown_;                // the picture before the one at hand; null: there is none
  const AvFrame frame_ = make_frame();
  const AvFrame filtered_ = make_frame();
  const AvPacket packet_ = make_packet();
  std::vector<AvPacket> held_;  // of written_, in decoding order
};

}  // namespace

void make_picture(Film& film, const PictureOrder& order, Stretch stretch,
                  const SegmentFolder& folder) {
  PictureMaker(film, order, stretch, folder).run();
}

}  // namespace videosync
