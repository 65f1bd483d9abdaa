// PictureFilter: what has to happen to a film's decoded pictures before they are encoded. Their
// colours become BT.709's, in its limited range: many a player looks at nothing else.
#pragma once

#include <string>

#include "maker/film/av.h"

namespace videosync {

struct PictureSize {
  int width = 0;
  int height = 0;
};
// In degrees clockwise: 0, 90, 180 or 270; and whether it is mirrored before that.
struct Turn {
  int degrees = 0;
  bool is_mirrored = false;
};
Turn turn_of(const AVStream& video) noexcept;
bool is_high_dynamic_range(AVColorTransferCharacteristic transfer) noexcept;
// How wide its pixels are shown, being 1 high.
double pixel_shape(const AVStream& video) noexcept;
// As it should be seen: upright and with square pixels.
PictureSize shown_size(const AVStream& video) noexcept;
// The largest of the same shape that fits, with even sides; never larger than it is.
PictureSize fitted(PictureSize shown, int height_max) noexcept;

class PictureFilter {
 public:
  // For frames like this one. Times go through unchanged.
  PictureFilter(const AVStream& video, const AVFrame& like, PictureSize size);

  // Null: there are no more.
  void feed(AVFrame* frame);
  bool take(AVFrame& frame);  // in the time base below
  AVRational time_base() const noexcept;

 private:
  AvGraph graph_;
  AVFilterContext* source_ = nullptr;
  AVFilterContext* sink_ = nullptr;
};

}  // namespace videosync
