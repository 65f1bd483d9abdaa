#include "maker/film/decoder.h"

namespace videosync {

Decoder::Decoder(const AVStream& stream, int threads) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  if (codec == nullptr) {
    throw Fault(std::string("there is no decoder for ") +
                avcodec_get_name(stream.codecpar->codec_id));
  }
  codec_.reset(needed(avcodec_alloc_context3(codec)));
  check(avcodec_parameters_to_context(codec_.get(), stream.codecpar), "the decoder");
  codec_->pkt_timebase = stream.time_base;
  codec_->thread_count = threads;
  check(avcodec_open2(codec_.get(), codec, nullptr), "the decoder");
}

void Decoder::feed(const AVPacket* packet) {
  const int sent = avcodec_send_packet(codec_.get(), packet);
  // A damaged packet is a moment that is missing, not the end of the film.
  if (sent == AVERROR(ENOMEM)) check(sent, "the decoder");
}

bool Decoder::take(AVFrame& frame) {
  av_frame_unref(&frame);
  return avcodec_receive_frame(codec_.get(), &frame) >= 0;
}

}  // namespace videosync
