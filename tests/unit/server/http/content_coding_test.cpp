// Accept-Encoding against what is there.
#include "server/http/content_coding.h"

#include <criterion/criterion.h>

using namespace videosync;

namespace {

constexpr ContentCoding identity = ContentCoding::identity;
constexpr ContentCoding gzip = ContentCoding::gzip;
constexpr ContentCoding br = ContentCoding::br;

ContentCoding choose_of_all(std::string_view accept) {
  return choose_coding(accept, true, true);
}

}  // namespace

Test(content_coding, browsers_get_the_smallest) {
  cr_assert(choose_of_all("gzip, deflate, br, zstd") == br);
  cr_assert(choose_of_all("gzip, deflate") == gzip);
  cr_assert(choose_of_all("x-gzip") == gzip);
  cr_assert(choose_of_all("GZIP") == gzip);
  cr_assert(choose_of_all("*") == br);
  cr_assert(choose_coding("gzip, br", false, true) == gzip);
  cr_assert(choose_coding("gzip, br", true, false) == br);
  cr_assert(choose_coding("gzip, br", false, false) == identity);
}

Test(content_coding, without_a_wish_nothing_is_coded) {
  for (const char* accept : {"", "   ", ",", ", ,", "deflate", "zstd, compress", "brotli", "b"}) {
    cr_assert(choose_of_all(accept) == identity, "%s", accept);
  }
}

Test(content_coding, weights_decide) {
  cr_assert(choose_of_all("br;q=0.5, gzip;q=0.9") == gzip);
  cr_assert(choose_of_all("br ; q=0.501 , gzip;q=0.5") == br);
  cr_assert(choose_of_all("gzip;Q=0.001") == gzip);
  cr_assert(choose_of_all("br;q=0, gzip") == gzip);
  cr_assert(choose_of_all("br;q=0, *") == gzip);
  cr_assert(choose_of_all("br;q=0, gzip;q=0.000") == identity);
  cr_assert(choose_of_all("identity, br;q=0.5") == identity);
  cr_assert(choose_of_all("identity;q=0.5, gzip;q=0.5") == gzip);
  cr_assert(choose_of_all("gzip;q=0.5, *;q=0.8") == br);
  cr_assert(choose_coding("gzip;q=0.5, *;q=0.8", false, true) == identity,
            "the star is identity's too");
}

Test(content_coding, identity_refused_leaves_what_there_is) {
  cr_assert(choose_of_all("identity;q=0, gzip;q=0.1") == gzip);
  cr_assert(choose_of_all("*;q=0, gzip;q=0.1") == gzip);
  cr_assert(choose_of_all("*;q=0") == identity);
  cr_assert(choose_coding("identity;q=0", false, false) == identity);
}

Test(content_coding, a_malformed_weight_is_no_wish) {
  for (const char* weight : {"2", "1.5", "-1", ".5", "0.5000", "0.x", "", "1.001", "0,5", "nan"}) {
    cr_assert(choose_of_all("br;q=" + std::string(weight)) == identity, "%s", weight);
  }
  cr_assert(choose_of_all("br;q=1.000") == br);
  cr_assert(choose_of_all("br;q=1.") == br);
  cr_assert(choose_of_all("br;level=9;q=0.5, gzip;q=0.6") == gzip);
  cr_assert(choose_of_all("br;;") == br);
}
