#include "server/session/stored_session.h"

#include <criterion/criterion.h>

using namespace videosync;

namespace {

bool is_corrupt(const StoredSession& session) {
  const auto decoded = decode_stored_session(encode(session));
  return !decoded && decoded.error().code == ErrorCode::corrupt;
}

// As much as a home can have heard and refused.
StoredSession fullest() {
  const node::Refused refused{count_max, std::string(node::refusal_bytes_max, 'x')};
  StoredSession session;
  for (std::size_t i = 0; i < StoredSession::heard_max; ++i) {
    session.heard.push_back(
        {Uuid::random_v4(), count_max, std::vector(node::Heard::refused_max, refused)});
  }
  return session;
}

}  // namespace

Test(stored_session, the_fullest_one_comes_back_and_fits_beside_a_welcome) {
  const StoredSession session = fullest();
  const std::string bytes = encode(session);
  const auto decoded = decode_stored_session(bytes);
  cr_assert(decoded.has_value());
  cr_assert(encode(*decoded) == bytes);
  const node::Envelope told{
      .from = Uuid::random_v4(),
      .key = Uuid::random_v4(),
      .fence = 1,
      .message = node::Joined{.ask = {},
                              .member = MemberId{1},
                              .connection = ConnectionNumber{1},
                              .welcome = std::string(node::text_bytes_max, 'w'),
                              .members = {},
                              .record = bytes}};
  cr_assert(!encode(told).empty());
}

Test(stored_session, values_that_no_home_can_have_come_to_are_corrupt) {
  StoredSession session = fullest();
  session.heard[1].node = {};
  cr_assert(is_corrupt(session), "a node is some node");
  session = fullest();
  ++session.heard[2].number;
  cr_assert(is_corrupt(session));
  session = fullest();
  session.heard[3].refused[0].text += 'x';
  cr_assert(is_corrupt(session));
  cr_assert(!decode_stored_session(std::string(stored_session_bytes_max + 1, '\0')));
}

Test(stored_session, a_version_is_one_that_a_home_can_have_made) {
  cr_assert(is_version({1, 1}) && is_version({count_max, count_max}));
  cr_assert(!is_version({0, 1}) && !is_version({1, 0}));
  cr_assert(!is_version({count_max + 1, 1}) && !is_version({1, UINT64_MAX}));
}
