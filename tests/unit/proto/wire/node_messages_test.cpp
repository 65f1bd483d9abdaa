#include "proto/wire/node_messages.h"

#include <criterion/criterion.h>

#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

using namespace videosync;
using namespace videosync::node;

namespace {

Uuid uuid_of(std::uint8_t seed) {
  Uuid uuid;
  uuid.bytes.fill(seed);
  return uuid;
}

Token some_token(std::uint8_t seed) {
  Token token;
  token.bytes.fill(seed);
  return token;
}

Envelope envelope_of(Message message) {
  return {
      .hops = 2, .from = uuid_of(3), .key = uuid_of(4), .fence = 6, .message = std::move(message)};
}

constexpr AskRef ask{7, 0x0102'0304'0506'0708, 9};

Joined joined_as(ConnectionNumber connection) {
  return {.ask = ask,
          .member = MemberId{1},
          .connection = connection,
          .welcome = "w",
          .members = {},
          .record = {}};
}

// One of each type, every field with a value of its own.
std::vector<Envelope> samples() {
  const std::vector<MemberInfo> two{{MemberId{1}, "Ann", Role::host},
                                    {MemberId{2}, "Bj\u00f6rn", Role::participant}};
  const MemberId member{9};
  const ConnectionNumber connection{11};
  PlaybackState state;
  state.position = 1.5;
  state.video = "film";
  std::vector<Envelope> all;
  const auto add = [&all](Message message) { all.push_back(envelope_of(std::move(message))); };
  add(Join{ask, connection, "Ann", ResumeToken{member, some_token(5)}, some_token(6), {8, 9}});
  add(Join{ask, connection, "", std::nullopt, std::nullopt, {}, BrowserId{0x0102'0304'0506'0708}});
  add(Leave{member, connection});
  add(Said{member, R"({"type":"play"})", 0x99'0000'0001, 0x99'0000'0000, 7, 1'700'000'000'000'000});
  add(AskInfo{ask});
  add(KnockGone{KnockId{0x0102'0304'0506'0708}});
  add(KnockDecided{KnockId{5}});
  add(UploadNews{"Our holidays.mp4", 100});
  add(UploadNews{"Our holidays.mp4", std::nullopt});
  add(AskDelete{ask, some_token(8)});
  add(AskDelete{ask, std::nullopt});
  add(Enroll{{{member, connection, "Ann"}, {MemberId{10}, ConnectionNumber{1}, ""}}, true});
  add(Joined{
      ask, member, connection, "welcome", two, {}, {}, 5, 6, 7, 8, 9, std::string("\xff\0", 2)});
  add(Joined{.ask = ask,
             .member = member,
             .connection = connection,
             .welcome = "w",
             .members = two,
             .host = MemberId{1},
             .welcomed_host = MemberId{2},
             .record = {}});
  add(Answer{ask, 4});
  add(Answer{.ask = ask, .info = Info{{Control::everyone, OnStall::wait, "de"}, 3, state}});
  add(Answer{ask});
  add(Tell{member, 3, "text"});
  add(Close{member, connection, 4002});
  add(Take{});
  add(Returned{std::string("\xff\x00 any bytes", 12)});
  add(Gap{0x77'0000'0001, {{3, "no"}}});
  add(Cast{9, {{1, "state"}, {2, "chat"}}, Newest{5, 6, "film"}, two, {two[1]}, {two[0]}, 4001});
  add(Cast{.number = 1});
  add(Cast{.number = 1,
           .hosts = {{7, MemberId{2}, HostReason::given, 2}, {8, std::nullopt, HostReason::left}}});
  add(Cast{.number = 1,
           .heard = {{Uuid::random_v4(), 1}, {uuid_of(7), 0x99'0000'0001, {{5, "no"}}}},
           .revision = 3,
           .commands = 4,
           .record = std::string("\xff\0 any bytes", 12)});
  add(Moved{});
  add(Digest{true, 7, {1, 2, 0x99'0000'0001}});
  add(DigestList{9, 3, 1, 2, true, {{uuid_of(1), 5}}});
  add(Alive{12, 13, true, true});
  add(Bye{});
  return all;
}

std::string decoded_again(std::string_view bytes) {
  const auto decoded = node::decode(bytes);
  cr_assert(decoded.has_value(), "%s", decoded ? "" : decoded.error().message.c_str());
  return encode(*decoded);
}

bool is_corrupt(std::string_view bytes) {
  const auto decoded = node::decode(bytes);
  return !decoded && decoded.error().code == ErrorCode::corrupt;
}

}  // namespace

Test(node_messages, every_type_comes_back_as_it_was) {
  std::vector<bool> seen(std::variant_size_v<Message>);
  for (const Envelope& sample : samples()) {
    const std::string bytes = encode(sample);
    const auto decoded = node::decode(bytes);
    cr_assert(decoded.has_value(), "type %zu", sample.message.index());
    cr_assert_eq(decoded->message.index(), sample.message.index());
    cr_assert(decoded->hops == 2 && decoded->from == uuid_of(3) && decoded->key == uuid_of(4));
    cr_assert_eq(decoded->fence, 6);
    cr_assert(encode(*decoded) == bytes, "type %zu", sample.message.index());
    seen[sample.message.index()] = true;
  }
  for (std::size_t type = 0; type < seen.size(); ++type)
    cr_assert(seen[type], "no sample of type %zu", type);
}

Test(node_messages, values_are_where_they_were) {
  const auto join = node::decode(encode(samples()[0]));
  const auto& wish = std::get<Join>(join->message);
  cr_assert(wish.ask == ask && wish.name == "Ann" && wish.resume->member.value == 9);
  cr_assert(wish.resume->secret.equals(some_token(5)) && wish.host_token->equals(some_token(6)));
  const auto said = node::decode(encode(envelope_of(Cast{
      9, {{1, "a"}}, Newest{5, 6, "film"}, {}, {{MemberId{2}, "Bob", Role::host}}, {}, 4001})));
  const auto& cast = std::get<Cast>(said->message);
  cr_assert_eq(cast.number, 9);
  cr_assert(cast.frames[0].send_class == 1 && cast.frames[0].text == "a");
  cr_assert(cast.newest->epoch == 5 && cast.newest->seq == 6 && cast.newest->video == "film");
  cr_assert(cast.joined.empty() && cast.left[0].name == "Bob" && cast.left[0].role == Role::host);
  cr_assert_eq(*cast.ended_code, 4001);
}

Test(node_messages, every_truncation_and_every_addition_is_corrupt) {
  for (const Envelope& sample : samples()) {
    const std::string bytes = encode(sample);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      cr_assert(is_corrupt(bytes.substr(0, size)), "type %zu cut at %zu", sample.message.index(),
                size);
    cr_assert(is_corrupt(bytes + '\0'), "type %zu", sample.message.index());
  }
}

Test(node_messages, another_version_or_an_unknown_type_is_corrupt) {
  std::string bytes = encode(envelope_of(Bye{}));
  constexpr std::size_t type_at = 1 + 1 + 16 + 16 + 8;
  bytes[type_at] = static_cast<char>(std::variant_size_v<Message>);
  cr_assert(is_corrupt(bytes));
  bytes = encode(envelope_of(Bye{}));
  ++bytes[0];
  cr_assert(is_corrupt(bytes));
}

Test(node_messages, what_makes_no_sense_is_corrupt) {
  cr_assert(is_corrupt(encode(envelope_of(Leave{MemberId{}, ConnectionNumber{1}}))), "no member");
  cr_assert(is_corrupt(encode(envelope_of(Said{MemberId{1}, "\xc3"}))), "no UTF-8");
  std::string bytes = encode(envelope_of(Alive{1, 1, true, false}));
  bytes.back() = 2;
  cr_assert(is_corrupt(bytes), "a flag is 0 or 1");
}

// Whoever reads a message counts on: adds one, closes a connection with a code, looks for a node.
Test(node_messages, values_that_no_node_can_have_come_to_are_corrupt) {
  const auto is_refused = [](Message message) {
    return is_corrupt(encode(envelope_of(std::move(message))));
  };
  const auto add_one = [](std::uint64_t& value, std::uint64_t max) { return value = max + 1; };
  const ConnectionNumber none{}, one{1};
  const MemberId member{1};
  const std::string name = "Ann";
  cr_assert(is_refused(Join{ask, none, name, {}, {}, {}}), "a connection has a number");
  cr_assert(is_refused(Leave{member, none}));
  cr_assert(is_refused(Enroll{.members = {{member, none, name}}}));
  cr_assert(is_refused(joined_as(none)));
  for (const std::uint16_t code : std::array<std::uint16_t, 6>{0, 999, 1005, 1006, 2999, 5000}) {
    cr_assert(is_refused(Close{member, one, code}), "%d", code);
    cr_assert(is_refused(Cast{.number = 1, .ended_code = code}), "%d", code);
  }
  Joined joined = joined_as(one);
  cr_assert(!is_refused(joined));
  for (std::uint64_t Joined::* const count :
       {&Joined::casts, &Joined::revision, &Joined::commands}) {
    Joined other = joined;
    other.*count = count_max;
    cr_assert(!is_refused(other));
    add_one(other.*count, count_max);
    cr_assert(is_refused(other));
  }
  for (std::uint64_t Joined::* const place : {&Joined::epoch, &Joined::seq}) {
    Joined other = joined;
    add_one(other.*place, told_number_max);
    cr_assert(is_refused(other));
  }
  joined.revision = 0;
  cr_assert(is_refused(joined), "the first change makes it 1");
  cr_assert(is_refused(Cast{.number = 1, .revision = 0}));
  cr_assert(is_refused(Cast{.number = 0}), "the first one is 1");
  cr_assert(is_refused(Cast{.number = count_max + 1}));
  cr_assert(is_refused(Cast{.number = 1, .sent_us = told_number_max + 1}));
  cr_assert(is_refused(Cast{.number = 1, .present = Present{.host_until_us = UINT64_MAX}}));
  cr_assert(is_refused(Cast{.number = 1, .present = Present{.count = 2, .ready = 3}}));
  cr_assert(is_refused(Cast{.number = 1, .heard = {{Uuid{}, 1}}}), "some node");
  const std::vector<Refused> refused(Heard::refused_max + 1);
  cr_assert(is_refused(Cast{.number = 1, .heard = {{uuid_of(1), 1, refused}}}));
  cr_assert(!is_refused(Cast{.number = 1, .frames = {{3, "{}"}}}));
  cr_assert(is_refused(Cast{.number = 1, .frames = {{3, "{}"}, {3, ""}}}), "nothing to tell");
  cr_assert(is_refused(Tell{member, 3, ""}));
  cr_assert(is_refused(Gap{1, refused}));
  cr_assert(is_refused(Gap{count_max + 1}));
  for (std::uint64_t Said::* const count : {&Said::number, &Said::previous, &Said::settled}) {
    Said said{.member = member, .text = "{}"};
    add_one(said.*count, count_max);
    cr_assert(is_refused(said));
  }
  cr_assert(is_refused(Said{.member = member, .text = "{}", .expires_us = UINT64_MAX}));
  cr_assert(is_refused(AskInfo{{1, count_max + 1, 1}}));
  cr_assert(is_refused(AskInfo{{1, 1, told_number_max + 1}}));
  cr_assert(is_refused(DigestList{0, 0, 0, 0, true, {}}), "it is of a worker");
  cr_assert(is_refused(DigestList{0, 0, 2, 2, true, {}}));
}

Test(node_messages, a_state_that_no_machine_can_be_in_is_corrupt) {
  const auto is_refused = [](auto change) {
    PlaybackState state;
    change(state);
    return is_corrupt(encode(envelope_of(Answer{.ask = ask, .info = Info{{}, 1, state}})));
  };
  cr_assert(!is_refused([](PlaybackState&) {}));
  for (const double rate : {0.0, -1.0, 5.0, std::nan(""), HUGE_VAL})
    cr_assert(is_refused([=](PlaybackState& state) { state.rate = rate; }), "%f", rate);
  for (const double position : {-1.0, std::nan(""), HUGE_VAL})
    cr_assert(is_refused([=](PlaybackState& state) { state.position = position; }));
  for (const std::int64_t at_us : {std::int64_t{-1}, INT64_MIN, INT64_MAX, std::int64_t{1} << 53})
    cr_assert(is_refused([=](PlaybackState& state) { state.at_us = at_us; }));
  cr_assert(is_refused([](PlaybackState& state) { state.epoch = told_number_max + 1; }));
  cr_assert(is_refused([](PlaybackState& state) { state.seq = told_number_max + 1; }));
}

Test(node_messages, who_speaks_is_somebody_and_a_home_has_a_fence) {
  Envelope envelope = envelope_of(Moved{});
  envelope.fence = 0;
  cr_assert(is_corrupt(encode(envelope)));
  envelope.message = AskInfo{ask};
  cr_assert(!is_corrupt(encode(envelope)), "who asks may know of none");
  envelope.fence = count_max;
  cr_assert(!is_corrupt(encode(envelope)));
  envelope.fence = count_max + 1;
  cr_assert(is_corrupt(encode(envelope)));
  envelope.fence = 1;
  envelope.from = {};
  cr_assert(is_corrupt(encode(envelope)));
}

Test(node_messages, what_is_over_a_bound_is_not_sent) {
  const auto said = [](std::size_t size) {
    return encode(envelope_of(Said{MemberId{1}, std::string(size, 'x')}));
  };
  cr_assert(!said(text_bytes_max).empty());
  cr_assert(said(text_bytes_max + 1).empty());
  cr_assert(encode(envelope_of(Gap{1, {{1, std::string(refusal_bytes_max + 1, 'x')}}})).empty());
  const std::string name(member_name_bytes_max, 'x');
  Enroll enroll{.members = std::vector(list_max, EnrolledMember{MemberId{1}, {}, name})};
  cr_assert(!encode(envelope_of(enroll)).empty());
  cr_assert(!encode(envelope_of(Returned{encode(envelope_of(enroll))})).empty());
  enroll.members.push_back({MemberId{1}, {}, ""});
  cr_assert(encode(envelope_of(enroll)).empty());
  const CastFrame large{0, std::string(text_bytes_max, 'x')};
  cr_assert(
      encode(envelope_of(Cast{.frames = std::vector(message_bytes_max / text_bytes_max, large)}))
          .empty(),
      "the whole");
  cr_assert(is_corrupt(std::string(message_bytes_max + 1, '\1')));
}

Test(node_messages, a_length_that_lies_is_corrupt_and_costs_nothing) {
  std::string bytes = encode(envelope_of(Enroll{}));
  constexpr std::size_t list_at = 1 + 1 + 16 + 16 + 8 + 1;
  for (const std::size_t size : {std::size_t{1}, list_max, list_max + 1}) {
    for (std::size_t i = 0; i < 4; ++i)
      bytes[list_at + i] = static_cast<char>(size >> (8 * i) & 0xff);
    cr_assert(is_corrupt(bytes), "%zu", size);
  }
}

Test(node_messages, random_bytes_are_refused_or_mean_something) {
  std::mt19937 random(20'260'730);
  const auto all = samples();
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = encode(all[random() % all.size()]);
    for (auto changes = 1 + random() % 4; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (is_corrupt(bytes)) continue;
    cr_assert(decoded_again(bytes) == bytes, "round %d", round);
  }
}
