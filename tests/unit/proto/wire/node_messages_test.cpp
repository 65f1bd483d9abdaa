#include "proto/wire/node_messages.h"

#include <criterion/criterion.h>

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

Token token_of(std::uint8_t seed) {
  Token token;
  token.bytes.fill(seed);
  return token;
}

Envelope envelope_of(Message message) {
  return {
      .hops = 2, .from = uuid_of(3), .key = uuid_of(4), .fence = 6, .message = std::move(message)};
}

constexpr AskRef ask{7, 0x0102'0304'0506'0708, 9};

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
  add(Join{ask, connection, "Ann", ResumeToken{member, token_of(5)}, token_of(6), {8, 9}});
  add(Join{ask, connection, "", std::nullopt, std::nullopt, {}});
  add(Leave{member, connection});
  add(Said{member, R"({"type":"play"})", 0x99'0000'0001, 0x99'0000'0000, 7, 1'700'000'000'000'000});
  add(AskInfo{ask});
  add(AskDelete{ask, token_of(8)});
  add(AskDelete{ask, std::nullopt});
  add(Enroll{{{member, connection, "Ann"}, {MemberId{10}, ConnectionNumber{1}, ""}}, true});
  add(Joined{ask, member, connection, "welcome", two, {}, {}, 5, 6, 7, 8, 9, std::string("\xff\0", 2)});
  add(Joined{.ask = ask,
             .member = member,
             .connection = connection,
             .welcome = "w",
             .members = two,
             .host = MemberId{1},
             .welcomed_host = MemberId{2},
             .record = {}});
  add(Answer{ask, 4});
  add(Answer{.ask = ask, .info = Info{{Control::everyone, OnStall::wait}, 3, state}});
  add(Answer{ask});
  add(Tell{member, 3, "text"});
  add(Close{member, connection, 4002});
  add(Take{});
  add(Returned{std::string("\xff\x00 any bytes", 12)});
  add(Gap{0x77'0000'0001, {{3, "no"}}});
  add(Cast{9, {{1, "state"}, {2, "chat"}}, Newest{5, 6, "film"}, two, {two[1]}, {two[0]}, 4001});
  add(Cast{});
  add(Cast{.hosts = {{7, MemberId{2}, HostReason::given, 2}, {8, std::nullopt, HostReason::left}}});
  add(Cast{.heard = {{Uuid::random_v4(), 1}, {Uuid{}, 0x99'0000'0001, {{5, "no"}}}},
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
  cr_assert(wish.resume->secret.equals(token_of(5)) && wish.host_token->equals(token_of(6)));
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

Test(node_messages, what_is_over_a_bound_is_not_sent) {
  const auto said = [](std::size_t size) {
    return encode(envelope_of(Said{MemberId{1}, std::string(size, 'x')}));
  };
  cr_assert(!said(text_bytes_max).empty());
  cr_assert(said(text_bytes_max + 1).empty());
  const std::string name(member_name_bytes_max, 'x');
  Enroll enroll{.members = std::vector(list_max, EnrolledMember{MemberId{1}, {}, name})};
  cr_assert(!encode(envelope_of(enroll)).empty());
  cr_assert(!encode(envelope_of(Returned{encode(envelope_of(enroll))})).empty());
  enroll.members.push_back({MemberId{1}, {}, ""});
  cr_assert(encode(envelope_of(enroll)).empty());
  const CastFrame large{0, std::string(text_bytes_max, 'x')};
  cr_assert(encode(envelope_of(Cast{.frames = std::vector(16, large)})).empty(), "the whole");
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
