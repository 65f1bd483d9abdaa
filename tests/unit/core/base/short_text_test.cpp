#include "core/base/short_text.h"

#include <criterion/criterion.h>

#include <string>
#include <utility>

using videosync::ShortText;

Test(short_text, any_length_reads_back) {
  ShortText text;
  cr_assert(text.view().empty());
  for (const std::size_t size : {0, 1, 15, 16, 160, 3, 300, 15}) {
    const std::string wanted(size, static_cast<char>('a' + size % 26));
    text.assign(wanted);
    cr_assert(text.view() == wanted, "%zu bytes", size);
  }
}

Test(short_text, moving_takes_the_text_along) {
  ShortText long_one, short_one;
  long_one.assign("longer than what is kept in place");
  short_one.assign("short");
  ShortText moved(std::move(long_one));
  cr_assert(moved.view() == "longer than what is kept in place");
  moved = std::move(short_one);
  cr_assert(moved.view() == "short");
}
