#include "server/digest.h"

#include <criterion/criterion.h>

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
