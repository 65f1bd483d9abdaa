#include "server/http/content_coding.h"

#include <array>
#include <optional>

#include "core/base/text.h"
#include "proto/http/http_message.h"

namespace videosync {

namespace {

// A qvalue in thousandths; 0, that is "not this one", for what is none.
int parse_weight(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  int weight = (text[0] - '0') * 1000;
  if (text.size() > 1 && text[1] != '.') return 0;
  int unit = 100;
  for (std::size_t i = 2; i < text.size(); ++i, unit /= 10) {
    if (!is_digit(text[i])) return 0;
    weight += (text[i] - '0') * unit;
  }
  return weight > 1000 ? 0 : weight;
}

int weight_of(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    std::string_view value = take_list_element(parameters, ';');
    const std::string_view name = take_list_element(value, '=');
    if (equals_ignoring_case(name, "q")) return parse_weight(trim(value, http_blanks));
  }
  return 1000;
}

}  // namespace

std::string_view to_header_value(ContentCoding coding) noexcept {
  switch (coding) {
    case ContentCoding::identity:
      return "";
    case ContentCoding::gzip:
      return "gzip";
    case ContentCoding::br:
      return "br";
  }
  return "";
}

ContentCoding choose_coding(std::string_view accept, bool has_br, bool has_gzip) noexcept {
  std::array<std::optional<int>, content_coding_count> weights;  // by ContentCoding
  std::optional<int> others;                                     // "*"
  while (!accept.empty()) {
    std::string_view parameters = take_list_element(accept);
    const std::string_view coding = take_list_element(parameters, ';');
    const int weight = weight_of(parameters);
    if (equals_ignoring_case(coding, "br")) weights[2] = weight;
    if (equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip"))
      weights[1] = weight;
    if (equals_ignoring_case(coding, "identity")) weights[0] = weight;
    if (coding == "*") others = weight;
  }
  // Not named: identity will do where nothing better is accepted, the others will not.
  const int br = has_br ? weights[2].value_or(others.value_or(0)) : 0;
  const int gzip = has_gzip ? weights[1].value_or(others.value_or(0)) : 0;
  const int identity = weights[0].value_or(others.value_or(0));
  if (br > 0 && br >= gzip && br >= identity) return ContentCoding::br;
  if (gzip > 0 && gzip >= identity) return ContentCoding::gzip;
  return ContentCoding::identity;
}

}  // namespace videosync
