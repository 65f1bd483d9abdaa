#include "server/digest.h"

#include <criterion/criterion.h>

#include <array>
#include <cstdint>
#include <utility>

#include "proto/wire/token.h"

Test(digest, the_handshake_of_rfc_6455) {
  const auto accept = videosync::websocket_accept("dGhlIHNhbXBsZSBub25jZQ==");
  cr_assert_eq(std::string_view(accept.data(), accept.size()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

// The vectors of RFC 4648, section 10, and what is none.
Test(digest, base64_is_read_as_it_is_written) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},
      {"Zg==", "f"},
      {"Zm8=", "fo"},
      {"Zm9v", "foo"},
      {"Zm9vYg==", "foob"},
      {"Zm9vYmE=", "fooba"},
      {"Zm9vYmFy", "foobar"},
      {"AP8/+w==", std::string_view("\0\xff?\xfb", 4)},
  };
  for (const auto& [text, bytes] : vectors) {
    cr_assert_eq(videosync::decode_base64(text).value(), bytes, "%s", text.data());
    cr_assert_eq(videosync::encode_base64(bytes), text, "%s", text.data());
  }
  for (const char* none : {"Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v\n", " Zm9",
                           "Zm9v    ", "Zm-_", "Zm9=v"})
    cr_assert_not(videosync::decode_base64(none).has_value(), "%s", none);
}

// FIPS 180-4's examples.
Test(digest, an_entity_tag_is_half_a_sha256) {
  cr_assert_eq(videosync::entity_tag(""), "\"e3b0c44298fc1c149afbf4c8996fb924\"");
  cr_assert_eq(videosync::entity_tag("abc"), "\"ba7816bf8f01cfea414140de5dae2223\"");
}

// More keys than are kept at hand, in an order that takes each from there and anew. By Python, as
// below.
Test(digest, what_is_signed_with_one_key_is_not_signed_with_the_last_one) {
  const std::array<const char*, 4> codes{"", "e7bb7a8dddc309fddf609498130a79bc",
                                         "4c906f0513a2d9562cf75146f4659e05",
                                         "2a4ca8e48d65eafafe43d4d880e69429"};
  for (const unsigned filling : {1U, 2U, 1U, 2U, 2U, 3U, 1U, 3U, 2U, 1U, 1U, 3U}) {
    videosync::Token key;
    key.bytes.fill(static_cast<std::uint8_t>(filling));
    const auto expected = videosync::parse_token(codes[filling]).value();
    const auto secret = videosync::resume_secret(key, videosync::MemberId{77});
    cr_assert(secret.equals(expected), "%u", filling);
  }
}

Test(digest, a_resume_secret_is_half_an_hmac) {
  videosync::Token key;
  key.bytes.fill(3);
  // Python: hmac.new(bytes([3] * 16), (77).to_bytes(4, "little"), hashlib.sha256).hexdigest()[:32]
  const auto expected = videosync::parse_token("2a4ca8e48d65eafafe43d4d880e69429").value();
  for (int i = 0; i < 3; ++i) {
    cr_assert(videosync::resume_secret(key, videosync::MemberId{77}).equals(expected));
    cr_assert_not(videosync::resume_secret(key, videosync::MemberId{78}).equals(expected));
  }
}
