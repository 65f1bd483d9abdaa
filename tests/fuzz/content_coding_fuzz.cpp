// Fuzzes Accept-Encoding: any text leads to something that is there; what is well-formed leads to
// what a table of its weights says, however it is written.
//
// Reads: server/http/content_coding.cpp
#include "server/http/content_coding.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "tests/fuzz/support/fuzz_bytes.h"
#include "tests/fuzz/support/fuzz_lines.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

struct Weight {
  std::string_view text;  // "": the coding is not named
  int thousandths;
};
constexpr std::array<Weight, 8> weights{{{"", -1},
                                         {";q=1", 1000},
                                         {";q=0", 0},
                                         {" ; Q=0.5", 500},
                                         {";q=0.001", 1},
                                         {"; q=1.000", 1000},
                                         {";x=y;q=0.999", 999},
                                         {";q=2", 0}}};

ContentCoding choose(std::string_view accept, unsigned available) {
  const ContentCoding chosen = choose_coding(accept, (available & 1) != 0, (available & 2) != 0);
  VS_ASSERT(chosen != ContentCoding::br || (available & 1) != 0);
  VS_ASSERT(chosen != ContentCoding::gzip || (available & 2) != 0);
  VS_ASSERT((chosen == ContentCoding::identity) == to_header_value(chosen).empty());
  return chosen;
}

void check_any(std::string_view accept) {
  const ContentCoding of_all = choose(accept, 3);
  VS_ASSERT(choose(accept, 0) == ContentCoding::identity);
  // What was not chosen may as well be missing.
  if (of_all != ContentCoding::br) VS_ASSERT(choose(accept, 2) == of_all);
  if (of_all != ContentCoding::gzip) VS_ASSERT(choose(accept, 1) == of_all);
}

void check_well_formed(FuzzBytes& in) {
  constexpr std::array<std::string_view, 4> names{"identity", "gzip", "br", "*"};
  std::array<int, 4> said{-1, -1, -1, -1};
  std::string accept;
  for (std::size_t i = 0; i < 6; ++i) {
    const std::size_t which = in.below(names.size());
    const Weight& weight = weights[in.below(weights.size())];
    if (weight.thousandths < 0 || said[which] >= 0) continue;
    said[which] = weight.thousandths;
    accept += accept.empty() ? "" : in.flag() ? " ,\t" : ",";
    accept += names[which];
    accept += weight.text;
  }
  const int others = said[3] < 0 ? 0 : said[3];
  for (const unsigned available : {0U, 1U, 2U, 3U}) {
    const auto weight_of = [&](std::size_t which) {
      return said[which] < 0 ? others : said[which];
    };
    ContentCoding best = ContentCoding::identity;
    int most = weight_of(0);
    if ((available & 2) != 0 && weight_of(1) > 0 && weight_of(1) >= most) {
      best = ContentCoding::gzip;
      most = weight_of(1);
    }
    const bool is_br = (available & 1) != 0 && weight_of(2) > 0 && weight_of(2) >= most;
    VS_ASSERT(choose(accept, available) == (is_br ? ContentCoding::br : best));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_any(text_of(data, size));
  FuzzBytes in({data, size});
  check_well_formed(in);
  return 0;
}
