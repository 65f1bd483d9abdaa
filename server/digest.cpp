#include "server/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "proto/websocket/websocket_handshake.h"

namespace videosync {

namespace {

// Looking an algorithm up by its name takes longer than a short text's digest: once a process. What
// keeps its state is made once a thread.
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};

template <std::size_t size>
std::array<std::uint8_t, size> digest(std::string_view text, const EVP_MD* algorithm) noexcept {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  std::array<std::uint8_t, size> result;
  unsigned length = 0;
  VS_ASSERT(EVP_MD_get_size(algorithm) == size);
  const bool is_done = EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1 &&
                       EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1 &&
                       EVP_DigestFinal_ex(context.get(), result.data(), &length) == 1;
  VS_ASSERT(is_done && length == size);
  return result;
}

const EVP_MD* sha1() noexcept {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  return algorithm;
}

const EVP_MD* sha256() noexcept {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

EVP_MAC_CTX* make_hmac_sha256() noexcept {
  EVP_MAC* algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(algorithm);
  EVP_MAC_free(algorithm);  // the context holds it
  std::array<char, 7> name{"SHA256"};
  const OSSL_PARAM settings[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
      OSSL_PARAM_construct_end()};
  VS_ASSERT(EVP_MAC_CTX_set_params(context, settings) == 1);
  return context;
}

// Takes a key in only where it is another than the last time: that costs as much as to sign a short
// text.
struct KeyedHmac {
  std::unique_ptr<EVP_MAC_CTX, FreeContext> context{make_hmac_sha256()};
  std::optional<Token> key;

  bool has(const Token& wanted) const noexcept { return key && key->equals(wanted); }
  bool begin(const Token& wanted) noexcept {
    if (has(wanted)) return EVP_MAC_init(context.get(), nullptr, 0, nullptr) == 1;
    key = wanted;
    return EVP_MAC_init(context.get(), wanted.bytes.data(), wanted.bytes.size(), nullptr) == 1;
  }
};

}  // namespace

std::array<char, 28> websocket_accept(std::string_view key) noexcept {
  std::string text;
  text.reserve(key.size() + websocket_guid.size());
  text.append(key).append(websocket_guid);
  const auto hash = digest<20>(text, sha1());
  std::array<unsigned char, 29> encoded{};  // one more for the terminator
  EVP_EncodeBlock(encoded.data(), hash.data(), static_cast<int>(hash.size()));
  std::array<char, 28> result{};
  std::copy_n(encoded.begin(), result.size(), result.begin());
  return result;
}

Token sign(const Token& key, std::string_view text) noexcept {
  // Who comes is signed for twice: with the session's key, and with the server's.
  thread_local std::array<KeyedHmac, 2> contexts;
  if (!contexts[0].has(key)) std::swap(contexts[0], contexts[1]);
  KeyedHmac& hmac = contexts[0];
  std::array<std::uint8_t, 32> code;
  std::size_t length = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const bool is_done = hmac.begin(key) &&
                       EVP_MAC_update(hmac.context.get(), bytes, text.size()) == 1 &&
                       EVP_MAC_final(hmac.context.get(), code.data(), &length, code.size()) == 1;
  VS_ASSERT(is_done && length == code.size());
  Token signature;
  std::copy_n(code.begin(), signature.bytes.size(), signature.bytes.begin());
  return signature;
}

Token resume_secret(const Token& key, MemberId member) noexcept {
  std::array<char, 4> id;
  for (std::size_t i = 0; i < id.size(); ++i)
    id[i] = static_cast<char>(member.value >> (8 * i));
  return sign(key, {id.data(), id.size()});
}

std::optional<std::string> decode_base64(std::string_view text) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t length = text.find_last_of(digits) + 1;  // 0: there is none
  const std::size_t padding = text.size() - length;
  const bool is_some = text.size() % 4 == 0 && padding <= 2;
  if (!is_some || text.substr(length).find_first_not_of('=') != text.npos) return std::nullopt;
  // libcrypto passes over blanks at both ends.
  if (text.substr(0, length).find_first_not_of(digits) != text.npos) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  VS_ASSERT(size == static_cast<int>(bytes.size()));
  bytes.resize(bytes.size() - padding);
  return bytes;
}

std::string encode_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // one more for the terminator
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  VS_ASSERT(size == static_cast<int>(text.size() - 1));
  text.pop_back();
  return text;
}

std::string entity_tag(std::string_view body) {
  const std::array<std::uint8_t, 32> whole = digest<32>(body, sha256());
  return "\"" + to_hex(std::span(whole).first<16>()) + "\"";
}

}  // namespace videosync
