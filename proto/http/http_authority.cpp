#include "proto/http/http_authority.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/text.h"

namespace videosync {

namespace {

bool is_hex_digit(char c) noexcept {
  return hex_value(c) >= 0;
}

// Unreserved characters and sub-delims without the comma.
bool is_name_char(char c) noexcept {
  return is_letter(c) || is_digit(c) ||
         std::string_view("-._~!$&'()*+;=").find(c) != std::string_view::npos;
}

bool is_name(std::string_view text) noexcept {
  if (text.empty()) return false;
  while (!text.empty()) {
    const bool is_escape =
        text.size() >= 3 && text[0] == '%' && is_hex_digit(text[1]) && is_hex_digit(text[2]);
    if (!is_escape && !is_name_char(text.front())) return false;
    text.remove_prefix(is_escape ? 3 : 1);
  }
  return true;
}

bool is_ipv6_address(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != text.npos) return false;
  text.copy(terminated.data(), text.size());
  in6_addr address{};
  return ::inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

// What stands behind the host: nothing, or a colon and a port that may be left out.
bool is_port_part(std::string_view text) noexcept {
  if (text.empty()) return true;
  const std::string_view digits = text.substr(1);
  if (text.front() != ':' || !std::all_of(digits.begin(), digits.end(), is_digit)) return false;
  return digits.empty() || parse_decimal<std::uint16_t>(digits).has_value();
}

}  // namespace

bool is_authority(std::string_view text) noexcept {
  if (!text.starts_with('[')) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    return is_name(text.substr(0, colon)) && is_port_part(text.substr(colon));
  }
  const std::size_t bracket = text.find(']');
  return bracket != text.npos && is_ipv6_address(text.substr(1, bracket - 1)) &&
         is_port_part(text.substr(bracket + 1));
}

}  // namespace videosync
