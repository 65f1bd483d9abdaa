// How large a picture is shown, whatever its file says.
#include "maker/forms/picture_filter.h"

#include <criterion/criterion.h>

#include <climits>
#include <memory>

namespace videosync {
namespace {

TestSuite(picture_filter);

PictureSize shown_with(AVRational pixel) {
  struct Freer {
    void operator()(AVFormatContext* one) const noexcept { avformat_free_context(one); }
  };
  const std::unique_ptr<AVFormatContext, Freer> film(needed(avformat_alloc_context()));
  AVStream& video = *needed(avformat_new_stream(film.get(), nullptr));
  video.codecpar->width = 720;
  video.codecpar->height = 576;
  video.sample_aspect_ratio = pixel;
  return shown_size(video);
}

Test(picture_filter, pixels_that_are_not_square) {
  cr_assert(shown_with({0, 1}).width == 720 && shown_with({64, 45}).width == 1'024);
  cr_assert(shown_with({64, 45}).height == 576);
}

Test(picture_filter, pixels_wider_than_any_screen) {
  cr_assert(shown_with({INT_MAX, 1}).width == 1'000'000);
  cr_assert(shown_with({6'000'000, 1}).width == 1'000'000, "whose lower half would do");
}

}  // namespace
}  // namespace videosync
