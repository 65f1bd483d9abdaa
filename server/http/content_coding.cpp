#include "server/http/content_coding.h"

#include <algorithm>
#include <array>
#include <optional>

namespace videosync {

namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_token(std::string_view text, std::string_view lower_case) noexcept {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return lower(a) == b; });
}

std::string_view trim(std::string_view text) noexcept {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Moves what precedes the separator, or all there is, off the front.
std::string_view take_item(std::string_view& text, char separator) noexcept {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view item = trim(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return item;
}

// A qvalue in thousandths; 0, that is "not this one", for what is none.
int parse_weight(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  int weight = (text[0] - '0') * 1000;
  if (text.size() > 1 && text[1] != '.') return 0;
  int unit = 100;
  for (std::size_t i = 2; i < text.size(); ++i, unit /= 10) {
    if (text[i] < '0' || text[i] > '9') return 0;
    weight += (text[i] - '0') * unit;
  }
  return weight > 1000 ? 0 : weight;
}

int weight_of(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    std::string_view value = take_item(parameters, ';');
    const std::string_view name = take_item(value, '=');
    if (is_token(name, "q")) return parse_weight(trim(value));
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
    std::string_view parameters = take_item(accept, ',');
    const std::string_view coding = take_item(parameters, ';');
    const int weight = weight_of(parameters);
    if (is_token(coding, "br")) weights[2] = weight;
    if (is_token(coding, "gzip") || is_token(coding, "x-gzip")) weights[1] = weight;
    if (is_token(coding, "identity")) weights[0] = weight;
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
