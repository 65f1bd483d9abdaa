// Decoder: packets of one stream to frames. What is damaged is passed over.
#pragma once

#include "maker/film/av.h"

namespace videosync {

class Decoder {
 public:
  // `threads`: 0 is one a core.
  Decoder(const AVStream& stream, int threads);

  // Null: there are no more, and what is held back comes out.
  void feed(const AVPacket* packet);
  // False: feed it more.
  bool take(AVFrame& frame);
  AVCodecContext& context() noexcept { return *codec_; }

 private:
  AvCodec codec_;
};

}  // namespace videosync
