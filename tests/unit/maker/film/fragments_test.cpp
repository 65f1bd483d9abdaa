// A track as segments: what cannot be put into them takes nothing with it.
#include "maker/film/fragments.h"

#include <criterion/criterion.h>
#include <malloc.h>

#include <cstddef>

extern "C" {
#include <libavutil/log.h>
}

namespace videosync {
namespace {

TestSuite(fragments);

bool is_refused(AVCodecID codec) {
  const AvParameters track(needed(avcodec_parameters_alloc()));
  track->codec_type = AVMEDIA_TYPE_VIDEO;
  track->codec_id = codec;
  track->width = track->height = 16;
  try {
    const Fragments fragments(*track, ticks, 0);
    return false;
  } catch (const Fault&) {
    return true;
  }
}

Test(fragments, a_track_that_mp4_does_not_know_leaves_nothing_behind) {
  av_log_set_level(AV_LOG_QUIET);
  cr_assert(is_refused(AV_CODEC_ID_THEORA) && !is_refused(AV_CODEC_ID_MPEG4));
  const std::size_t before = ::mallinfo2().uordblks;
  for (int i = 0; i < 100; ++i)
    cr_assert(is_refused(AV_CODEC_ID_THEORA));
  // Of each a muxer and a stream would stay.
  cr_assert(::mallinfo2().uordblks < before + 100'000);
}

}  // namespace
}  // namespace videosync
