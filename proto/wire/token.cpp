#include "proto/wire/token.h"

#include <charconv>
#include <cstdint>

#include "core/base/assert.h"

namespace videosync {

namespace {

constexpr std::size_t token_characters = 32;

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string member_id_to_string(MemberId id) {
  VS_ASSERT(id);
  return "m" + std::to_string(id.value);
}

std::optional<MemberId> parse_member_id(std::string_view text) noexcept {
  if (text.size() < 2 || text[0] != 'm' || text[1] < '1' || text[1] > '9') return std::nullopt;
  MemberId id;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, end, id.value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return id;
}

std::string token_to_string(const Token& token) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(token_characters);
  for (const std::uint8_t byte : token.bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 0x0f];
  }
  return text;
}

std::optional<Token> parse_token(std::string_view text) noexcept {
  if (text.size() != token_characters) return std::nullopt;
  Token token;
  for (std::size_t i = 0; i < token.bytes.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    token.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return token;
}

std::string resume_token_to_string(const ResumeToken& token) {
  return member_id_to_string(token.member) + "." + token_to_string(token.secret);
}

std::optional<ResumeToken> parse_resume_token(std::string_view text) noexcept {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto member = parse_member_id(text.substr(0, dot));
  const auto secret = parse_token(text.substr(dot + 1));
  if (!member || !secret) return std::nullopt;
  return ResumeToken{*member, *secret};
}

}  // namespace videosync
