// The program that is replaced, as its successor sees it.
#include "server/succession/predecessor.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <cstdlib>
#include <string>

using namespace videosync;

namespace {

constexpr std::int64_t an_offset_us = -1'234'567'890'123;

Token a_secret() {
  Token secret;
  secret.bytes.fill(9);
  return secret;
}

// As a successor hears it.
Result<std::unique_ptr<Predecessor>> hear(std::string_view offer) {
  int ends[2];
  cr_assert_eq(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  SuccessionChannel old{UniqueFd(ends[0])};
  UniqueFd ours(ends[1]);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const int shared[] = {old.descriptor()};
  cr_assert(old.send(SuccessionWord::listener, "[::]:80", deadline, shared).has_value());
  cr_assert(old.send(SuccessionWord::listener, "[::]:80", deadline, shared).has_value());
  cr_assert(old.send(SuccessionWord::offered, offer, deadline).has_value());
  return Predecessor::meet(std::move(ours));
}

UniqueFd claim(const std::string& value) {
  ::setenv(Predecessor::variable, value.c_str(), 1);
  return Predecessor::claim_socket();
}

}  // namespace

Test(predecessor, its_sockets_are_taken_by_their_address_and_once) {
  const auto predecessor = hear(Predecessor::encode({an_offset_us, a_secret()}));
  cr_assert(predecessor.has_value());
  cr_assert((*predecessor)->offer().secret->equals(a_secret()));
  cr_assert_eq((*predecessor)->offer().wall_offset_us, an_offset_us);
  cr_assert((*predecessor)->take_listeners("[::]:81").empty());
  cr_assert_eq((*predecessor)->take_listeners("[::]:80").size(), 2U);
  cr_assert((*predecessor)->take_listeners("[::]:80").empty());
}

Test(predecessor, that_knows_no_secret_offers_none) {
  const auto predecessor = hear(Predecessor::encode({an_offset_us, std::nullopt}));
  cr_assert(predecessor.has_value() && !(*predecessor)->offer().secret);
}

Test(predecessor, of_another_form_it_cannot_be_taken_over) {
  for (const std::string_view offer :
       {"videosync succession 2\n0123456789abcdef", "videosync succession 1\n", ""}) {
    const auto predecessor = hear(offer);
    cr_assert(!predecessor && predecessor.error().code == ErrorCode::unsupported);
  }
}

Test(predecessor, there_is_none_without_the_variable) {
  ::unsetenv(Predecessor::variable);
  cr_assert_not(Predecessor::claim_socket());
}

// Left in the environment, by whomever.
Test(predecessor, a_descriptor_that_no_parent_has_made_is_left_alone) {
  int ends[2];
  cr_assert_eq(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const UniqueFd one(ends[0]), other(ends[1]);
  for (const std::string& value :
       {std::to_string(one.get()), std::string("2"), std::string("0"), std::string("4711"),
        std::string("-1"), std::string("three"), std::string()}) {
    cr_assert_not(claim(value), "%s", value.c_str());
    cr_assert_null(std::getenv(Predecessor::variable));
  }
  cr_assert(::fcntl(one.get(), F_GETFD) == 0 && ::fcntl(2, F_GETFD) >= 0, "and stays open");
}
