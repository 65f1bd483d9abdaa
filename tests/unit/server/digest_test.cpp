#include "server/digest.h"

#include <criterion/criterion.h>

#include "proto/wire/token.h"

Test(digest, the_handshake_of_rfc_6455) {
  const auto accept = videosync::websocket_accept("dGhlIHNhbXBsZSBub25jZQ==");
  cr_assert_eq(std::string_view(accept.data(), accept.size()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
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
