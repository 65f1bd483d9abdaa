#include "maker/forms/copy.h"

#include <algorithm>
#include <vector>

#include "maker/forms/decoding_times.h"

extern "C" {
#include <libavutil/mathematics.h>
}

namespace videosync {

namespace {

// A picture that has not come when one is there that is so much later does not come.
constexpr std::int64_t far_s = 20;

class PictureCopy {
 public:
  PictureCopy(Film& film, const Plan& plan, Stretch stretch, const SegmentFolder& folder)
      : film_(film),
        plan_(plan),
        video_(film.needed_video()),
        zero_(film.zero_in(video_.time_base)),
        far_(av_rescale_q(far_s, {1, 1}, video_.time_base)),
        next_(stretch.from),
        end_(std::min(stretch.end(), plan.cuts.size())),
        folder_(folder),
        fragments_(*video_.codecpar, ticks, stretch.from, &video_) {
    folder_.save("init.mp4", fragments_.init());
  }

  void run() {
    if (next_ >= end_) throw Fault("the film has no such part");
    const AvPacket packet = make_packet();
    if (!find_begin(*packet)) throw Fault("the film cannot be read at this place");
    held_.push_back(make_packet());
    av_packet_move_ref(held_.back().get(), packet.get());
    while (next_ < end_ && film_.read(*packet)) {
      if (begins(*packet, next_ + 1)) finish(time_of(*packet));
      if (is_far_behind(*packet, next_ + 1)) return finish_without_next();
      held_.push_back(make_packet());
      av_packet_move_ref(held_.back().get(), packet.get());
    }
    if (next_ < end_ && !held_.empty()) finish(plan_.start_of(next_ + 1));
  }

 private:
  std::int64_t mark_of(const AVPacket& packet) const noexcept {
    return plan_.marks_are_dts ? packet.dts : packet.pts;
  }
  // Whether that segment begins with this packet.
  bool begins(const AVPacket& packet, std::size_t segment) const {
    if (segment >= plan_.cuts.size() || (packet.flags & AV_PKT_FLAG_KEY) == 0) return false;
    return mark_of(packet) == plan_.cuts[segment].mark;
  }
  // Whether the picture with which that segment should begin does not come any more.
  bool is_far_behind(const AVPacket& packet, std::size_t segment) const {
    if (segment >= plan_.cuts.size() || mark_of(packet) == AV_NOPTS_VALUE) return false;
    return mark_of(packet) > plan_.cuts[segment].mark + far_;
  }

  // What belongs to the segment at hand is one; the next one has no begin.
  void finish_without_next() {
    const std::int64_t end = plan_.start_of(next_ + 1);
    const auto is_behind = [&](const AvPacket& one) { return time_of(*one) >= end; };
    held_.erase(std::ranges::find_if(held_, is_behind), held_.end());
    if (!held_.empty()) finish(end);
    if (next_ < end_) throw Fault("the film lacks a picture with which a segment should begin");
  }

  bool find_begin(AVPacket& packet) {
    const Cut& cut = plan_.cuts[next_];
    teach_index(film_, plan_);
    film_.seek_before(video_, cut.mark);
    while (film_.read(packet)) {
      if (begins(packet, next_)) return true;
      if (is_far_behind(packet, next_)) return false;
    }
    return false;
  }

  std::int64_t time_of(const AVPacket& packet) const {
    if (packet.pts == AV_NOPTS_VALUE) throw Fault("the file does not say when pictures are due");
    return av_rescale_q(packet.pts - zero_, video_.time_base, ticks);
  }

  // Film time of each packet. What comes before the film's start is only there to be decoded: it is
  // shown for a tick each, because a player refuses times below 0 and then all that need them.
  std::vector<std::int64_t> times() const {
    std::vector<std::int64_t> pts;
    for (const AvPacket& packet : held_)
      pts.push_back(time_of(*packet));
    if (next_ > 0 || std::ranges::min(pts) >= 0) return pts;
    std::vector<std::size_t> order(pts.size());
    for (std::size_t i = 0; i < order.size(); ++i)
      order[i] = i;
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return pts[i]; });
    std::int64_t least = 0;
    for (const std::size_t i : order) {
      pts[i] = std::max(pts[i], least);
      least = pts[i] + 1;
    }
    return pts;
  }

  // `end`: where the next segment begins.
  void finish(std::int64_t end) {
    const std::vector<std::int64_t> pts = times();
    const std::vector<std::int64_t> dts = decoding_times(pts, end);
    for (std::size_t i = 0; i < held_.size(); ++i)
      fragments_.add(*held_[i], pts[i], dts[i], dts[i + 1] - dts[i]);
    held_.clear();
    folder_.save_segment(next_++, fragments_.take_segment());
  }

  Film& film_;
  const Plan& plan_;
  const AVStream& video_;
  const std::int64_t zero_;  // in the stream's unit
  const std::int64_t far_;   // likewise
  std::size_t next_;         // the segment that is being read
  const std::size_t end_;
  const SegmentFolder& folder_;
  Fragments fragments_;
  std::vector<AvPacket> held_;  // of that segment, in decoding order
};

}  // namespace

void copy_picture(Film& film, const Plan& plan, Stretch stretch, const SegmentFolder& folder) {
  PictureCopy copy(film, plan, stretch, folder);
  if (stretch.count > 0) copy.run();
}

}  // namespace videosync
