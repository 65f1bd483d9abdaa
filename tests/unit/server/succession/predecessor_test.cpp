// The program that is replaced, as its successor sees it.
#include "server/succession/predecessor.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

#include <cstdlib>
#include <string>

using namespace videosync;

namespace {

Token a_secret() {
  Token secret;
  secret.bytes.fill(9);
  return secret;
}

// As a successor finds it.
Result<std::unique_ptr<Predecessor>> hear_from(SuccessionChannel& old, UniqueFd end,
                                               std::string_view offer) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const int shared[] = {old.descriptor()};
  cr_assert(old.send(SuccessionWord::listener, "[::]:80", deadline, shared).has_value());
  cr_assert(old.send(SuccessionWord::listener, "[::]:80", deadline, shared).has_value());
  cr_assert(old.send(SuccessionWord::offered, offer, deadline).has_value());
  ::setenv(Predecessor::variable, std::to_string(end.release()).c_str(), 1);
  return Predecessor::from_environment();
}

struct Ends {
  Ends() { cr_assert_eq(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), 0); }
  int both[2];
};

}  // namespace

Test(predecessor, there_is_none_without_the_variable) {
  ::unsetenv(Predecessor::variable);
  const auto predecessor = Predecessor::from_environment();
  cr_assert(predecessor.has_value() && *predecessor == nullptr);
}

Test(predecessor, its_sockets_are_taken_by_their_address_and_once) {
  Ends ends;
  SuccessionChannel old{UniqueFd(ends.both[0])};
  const auto predecessor =
      hear_from(old, UniqueFd(ends.both[1]), Predecessor::encode_offer(a_secret()));
  cr_assert(predecessor.has_value());
  cr_assert_null(std::getenv(Predecessor::variable), "no child is to take itself for it");
  cr_assert((*predecessor)->secret().equals(a_secret()));
  cr_assert((*predecessor)->take_listeners("[::]:81").empty());
  cr_assert_eq((*predecessor)->take_listeners("[::]:80").size(), 2U);
  cr_assert((*predecessor)->take_listeners("[::]:80").empty());
}

Test(predecessor, of_another_form_it_cannot_be_taken_over) {
  Ends ends;
  SuccessionChannel old{UniqueFd(ends.both[0])};
  const auto predecessor =
      hear_from(old, UniqueFd(ends.both[1]), "videosync succession 2\n0123456789abcdef");
  cr_assert(!predecessor && predecessor.error().code == ErrorCode::unsupported);
}
