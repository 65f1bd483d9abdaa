// The short code of a session: drawn, found, told, and kept with it.
#include <string>

#include "tests/unit/server/session/directory_fixture.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr std::int64_t second_us = 1'000'000;
// Of a node that has just come to the store: it may lack sessions so long.
constexpr std::int64_t doubt_us = 3'500'000;

struct Made {
  Uuid key = Uuid::random_v4();
  ShortCode code{};
  Token host_token{};
};

std::optional<Made> try_make(DirectoryFixture& node) {
  Made made;
  const ConnectionRef maker = node.connect();
  node.directory().on_create(made.key, {}, maker);
  node.answer_all();
  const auto created = node.answer_of<SessionCreated>(maker);
  if (!created) return std::nullopt;
  cr_assert_eq(created->key.to_string(), made.key.to_string());
  made.code = created->code;
  made.host_token = created->host_token;
  return made;
}

Made make(DirectoryFixture& node) {
  const auto made = try_make(node);
  cr_assert(made.has_value());
  return *made;
}

ConnectionRef ask(DirectoryFixture& node, ShortCode code) {
  const ConnectionRef from = node.connect();
  node.directory().on_validate_code(code, from);
  node.answer_all();
  return from;
}

std::optional<Uuid> found(DirectoryFixture& node, ShortCode code) {
  const auto validity = node.answer_of<SessionValidity>(ask(node, code));
  cr_assert(validity.has_value());
  return validity->key;
}

ShortCode told_to(DirectoryFixture& node, const Uuid& key, const SessionProof& proof) {
  const ConnectionRef from = node.connect();
  node.directory().on_info(key, from, proof);
  node.answer_all();
  const auto info = node.answer_of<SessionInfo>(from);
  cr_assert(info.has_value());
  return info->code;
}

}  // namespace

Test(codes, a_session_is_found_by_the_code_that_was_made_with_it) {
  DirectoryFixture node;
  const Made made = make(node);
  cr_assert(made.code);
  cr_assert(found(node, made.code) == made.key);
  const auto member = node.join(made.key);
  const std::string shown = "\"code\":\"" + made.code.to_string() + "\"";
  cr_assert(member.welcome.find(shown) != std::string::npos, "%s", member.welcome.c_str());
  cr_assert(found(node, made.code) == made.key);
}

Test(codes, another_one_is_drawn_where_it_is_taken) {
  DirectoryFixture node;
  node.codes = {5, 5, 0, 5, 6};
  const Made first = make(node);
  const Made second = make(node);
  cr_assert_eq(first.code.value, 5u);
  cr_assert_eq(second.code.value, 6u, "and nil is none");
  cr_assert(found(node, first.code) == first.key);
  cr_assert(found(node, second.code) == second.key);
  node.codes = {5, 6, 5, 6, 5, 6, 5, 6};
  cr_assert_not(try_make(node).has_value(), "it is not drawn for ever");
}

Test(codes, an_unknown_one_is_in_doubt_as_long_as_the_store_may_lack_it) {
  DirectoryFixture node;
  const ShortCode code{77};
  cr_assert(is_unavailable(node, ask(node, code)));
  node.pass(doubt_us + second_us);
  cr_assert_not(found(node, code).has_value());
  node.store.is_away = true;
  cr_assert(is_unavailable(node, ask(node, code)));
}

Test(codes, it_ends_with_its_session) {
  DirectoryFixture node;
  const Made made = make(node);
  node.join(made.key);
  const ConnectionRef from = node.connect();
  node.directory().on_delete(made.key, made.host_token, from);
  node.answer_all();
  cr_assert(node.answer_of<SessionDeleted>(from));
  node.pass(doubt_us + second_us);
  cr_assert_not(found(node, made.code).has_value());
}

Test(codes, a_store_that_has_lost_it_gets_it_back_with_the_next_change) {
  DirectoryFixture node;
  const Made made = make(node);
  const auto member = node.join(made.key);
  node.pass(doubt_us + second_us);
  node.answer_all();
  node.store.forget_all();
  cr_assert_not(found(node, made.code).has_value());
  node.directory().on_message(made.key, member.member, member.number, node.connect(),
                              PlayMessage{});
  node.answer_all();
  cr_assert(found(node, made.code) == made.key);
}

Test(codes, who_proves_to_belong_to_the_session_is_told) {
  DirectoryFixture node;
  const Made made = make(node);
  const auto member = node.join(made.key);
  const ResumeToken resume{member.member, resume_secret(made.host_token, member.member)};
  Token wrong = made.host_token;
  ++wrong.bytes[3];
  cr_assert_not(told_to(node, made.key, {}));
  cr_assert_not(told_to(node, made.key, wrong));
  cr_assert_not(told_to(node, made.key, ResumeToken{MemberId{9}, resume.secret}));
  cr_assert(told_to(node, made.key, made.host_token) == made.code);
  cr_assert(told_to(node, made.key, resume) == made.code);
}

// Nobody has it open: the record alone tells.
Test(codes, the_record_tells_it_too) {
  DirectoryFixture node;
  const Made made = make(node);
  cr_assert_not(told_to(node, made.key, {}));
  cr_assert(told_to(node, made.key, made.host_token) == made.code);
}
