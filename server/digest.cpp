#include "server/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "core/base/assert.h"
#include "proto/websocket_handshake.h"

namespace videosync {

namespace {

template <std::size_t size>
std::array<std::uint8_t, size> digest(std::string_view text, const EVP_MD* algorithm) noexcept {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes{};
  unsigned length = 0;
  const int done = EVP_Digest(text.data(), text.size(), bytes.data(), &length, algorithm, nullptr);
  VS_ASSERT(done == 1 && length == size);
  std::array<std::uint8_t, size> result;
  std::copy_n(bytes.begin(), size, result.begin());
  return result;
}

}  // namespace

std::array<char, 28> websocket_accept(std::string_view key) noexcept {
  std::string text;
  text.reserve(key.size() + websocket_guid.size());
  text.append(key).append(websocket_guid);
  const auto hash = digest<20>(text, EVP_sha1());
  std::array<unsigned char, 29> encoded{};  // one more for the terminator
  EVP_EncodeBlock(encoded.data(), hash.data(), static_cast<int>(hash.size()));
  std::array<char, 28> result{};
  std::copy_n(encoded.begin(), result.size(), result.begin());
  return result;
}

Token resume_secret(const Token& key, MemberId member) noexcept {
  std::array<std::uint8_t, 4> id;
  for (std::size_t i = 0; i < id.size(); ++i)
    id[i] = static_cast<std::uint8_t>(member.value >> (8 * i));
  std::array<std::uint8_t, 32> code{};
  unsigned length = 0;
  const auto* done = HMAC(EVP_sha256(), key.bytes.data(), static_cast<int>(key.bytes.size()),
                          id.data(), id.size(), code.data(), &length);
  VS_ASSERT(done != nullptr && length == code.size());
  Token secret;
  std::copy_n(code.begin(), secret.bytes.size(), secret.bytes.begin());
  return secret;
}

std::string sha256_hex(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(64);
  for (const std::uint8_t byte : digest<32>(text, EVP_sha256())) {
    hex += digits[byte >> 4];
    hex += digits[byte & 0x0f];
  }
  return hex;
}

std::string sha256_hex(std::span<const std::uint8_t> bytes) {
  return sha256_hex(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace videosync
