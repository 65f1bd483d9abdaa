#include "server/digest.h"

#include <criterion/criterion.h>

#include <vector>

#include "proto/wire/token.h"

Test(digest, the_handshake_of_rfc_6455) {
  const auto accept = videosync::websocket_accept("dGhlIHNhbXBsZSBub25jZQ==");
  cr_assert_eq(std::string_view(accept.data(), accept.size()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

Test(digest, sha256_of_known_texts) {
  cr_assert_eq(videosync::sha256_hex(""),
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::vector<std::uint8_t> abc{'a', 'b', 'c'};
  cr_assert_eq(videosync::sha256_hex(abc),
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
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
