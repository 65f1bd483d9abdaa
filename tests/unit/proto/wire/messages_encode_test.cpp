#include <criterion/criterion.h>
#include <simdjson.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "proto/wire/messages.h"

using namespace videosync;
using simdjson::dom::element;

namespace {

// Reads back what an encoder made; views into it last until the next text.
class Json {
 public:
  explicit Json(const std::string& text) : text_(text) {
    const auto error = parser_.parse(text_).get(root_);
    cr_assert_eq(error, simdjson::SUCCESS, "%s", text_.c_str());
  }

  element at(std::string_view pointer) const {
    element found;
    const auto error = root_.at_pointer(pointer).get(found);
    cr_assert_eq(error, simdjson::SUCCESS, "no %s in %s", std::string(pointer).c_str(),
                 text_.c_str());
    return found;
  }
  bool has(std::string_view pointer) const { return !root_.at_pointer(pointer).error(); }
  std::string text(std::string_view pointer) const {
    std::string_view value;
    cr_assert_eq(at(pointer).get_string().get(value), simdjson::SUCCESS);
    return std::string(value);
  }
  double number(std::string_view pointer) const {
    double value = 0;
    cr_assert_eq(at(pointer).get_double().get(value), simdjson::SUCCESS);
    return value;
  }
  bool boolean(std::string_view pointer) const {
    bool value = false;
    cr_assert_eq(at(pointer).get_bool().get(value), simdjson::SUCCESS);
    return value;
  }
  bool is_null(std::string_view pointer) const { return at(pointer).is_null(); }
  std::size_t size(std::string_view pointer) const {
    simdjson::dom::array array;
    cr_assert_eq(at(pointer).get_array().get(array), simdjson::SUCCESS);
    return array.size();
  }

 private:
  std::string text_;
  simdjson::dom::parser parser_;
  element root_;
};

template <class Encode>
std::string encoded(Encode encode) {
  std::string out = "kept";
  encode(out);
  cr_assert(out.starts_with("kept"), "encoders append");
  return out.substr(4);
}

const ShortCode code = *ShortCode::parse("ABCDEFGH");
const Uuid session_key = *Uuid::parse_v4("01234567-89ab-4cde-8f01-23456789abcd");

PlaybackState some_state() {
  return {.epoch = 3,
          .seq = 41,
          .playing = true,
          .position = 12.125,
          .rate = 1.5,
          .at_us = 1'700'000'000'123'456,
          .video = "film \"2\"",
          .by = MemberId{5},
          .cause = Cause::seek};
}

}  // namespace

Test(messages_encode, state) {
  const std::string text = encoded([](std::string& out) { encode_state(out, some_state()); });
  cr_assert_eq(text,
               R"({"type":"state","epoch":3,"seq":41,"playing":true,"position":12.125,"rate":1.5,)"
               R"("atMs":1700000000123.456,"video":"film \"2\"","by":"m5","cause":"seek"})");
  const Json json(text);
  cr_assert_eq(json.number("/position"), 12.125);
  cr_assert_eq(json.text("/video"), "film \"2\"");
}

Test(messages_encode, a_state_of_the_service_itself) {
  const Json json(encoded([](std::string& out) { encode_state(out, PlaybackState{}); }));
  cr_assert(json.is_null("/by"));
  cr_assert_eq(json.text("/video"), "");
  cr_assert_not(json.boolean("/playing"));
  cr_assert_eq(json.text("/cause"), "load");
}

Test(messages_encode, every_cause_and_reason) {
  const std::pair<Cause, const char*> causes[] = {
      {Cause::play, "play"},     {Cause::pause, "pause"}, {Cause::seek, "seek"},
      {Cause::rate, "rate"},     {Cause::load, "load"},   {Cause::stall, "stall"},
      {Cause::resume, "resume"}, {Cause::ended, "ended"}};
  for (const auto& [cause, name] : causes) {
    PlaybackState state;
    state.cause = cause;
    cr_assert_eq(Json(encoded([&](std::string& out) { encode_state(out, state); })).text("/cause"),
                 name);
  }
  const std::pair<HostReason, const char*> reasons[] = {{HostReason::joined, "joined"},
                                                        {HostReason::given, "given"},
                                                        {HostReason::claimed, "claimed"},
                                                        {HostReason::left, "left"}};
  for (const auto& [reason, name] : reasons) {
    const HostEffect host{7, MemberId{2}, reason};
    const Json json(encoded([&](std::string& out) { encode_host(out, host); }));
    cr_assert_eq(json.text("/reason"), name);
    cr_assert_eq(json.text("/id"), "m2");
    cr_assert_eq(json.number("/epoch"), 7.0);
  }
}

Test(messages_encode, nobody_is_host) {
  const Json json(encoded([](std::string& out) { encode_host(out, {1, {}, HostReason::left}); }));
  cr_assert_eq(json.text("/type"), "host");
  cr_assert(json.is_null("/id"));
}

Test(messages_encode, welcome) {
  const std::vector<MemberInfo> members{{MemberId{1}, "Ann", Role::host},
                                        {MemberId{2}, "Bo\n", Role::participant}};
  ResumeToken resume{MemberId{2}, {}};
  resume.secret.bytes[0] = 0xa5;
  const SessionSettings settings{Control::everyone, OnStall::wait};
  const PlaybackState state = some_state();
  const std::string list = encoded([&](std::string& out) { encode_member_list(out, members); });
  const WelcomeView view{.you = members[1],
                         .resume = resume,
                         .key = session_key,
                         .settings = settings,
                         .host = MemberId{1},
                         .host_away = HostAway{1'700'000'000'500'000, MemberId{2}},
                         .state = state,
                         .member_count = 1'234,
                         .member_list = list,
                         .server_us = 1'700'000'000'000'010,
                         .report_every_ms = 5'000,
                         .ready_count = 7,
                         .are_you_ready = true,
                         .up_next = {QueueItemId{17}, "next", 9'000},
                         .up_next_title = "Next",
                         .code = code};
  const Json json(encoded([&](std::string& out) { encode_welcome(out, view); }));
  cr_assert_eq(json.text("/session/code"), "ABCD-EFGH");
  cr_assert_eq(json.number("/members/ready"), 7.0);
  cr_assert(json.has("/you/ready"));
  cr_assert_eq(json.text("/upNext/item"), "q17");
  cr_assert_eq(json.text("/upNext/title"), "Next");
  cr_assert_eq(json.text("/type"), "welcome");
  cr_assert_eq(json.number("/protocol"), 1.0);
  cr_assert_eq(json.text("/you/id"), "m2");
  cr_assert_eq(json.text("/you/name"), "Bo\n");
  cr_assert_eq(json.text("/you/role"), "participant");
  const auto read_back = parse_resume_token(json.text("/you/resume"));
  cr_assert(read_back && read_back->member == resume.member);
  cr_assert(read_back->secret.equals(resume.secret));
  cr_assert_eq(json.text("/session/key"), session_key.to_string());
  cr_assert_eq(json.text("/session/video"), state.video);
  cr_assert_eq(json.text("/session/control"), "everyone");
  cr_assert_eq(json.text("/session/onStall"), "wait");
  cr_assert_eq(json.text("/host"), "m1");
  cr_assert_eq(json.number("/hostAway/untilMs"), 1'700'000'000'500.0);
  cr_assert_eq(json.text("/hostAway/next"), "m2");
  cr_assert_eq(json.number("/state/seq"), 41.0);
  cr_assert_eq(json.text("/state/by"), "m5");
  cr_assert_not(json.has("/state/type"));
  cr_assert_eq(json.number("/members/count"), 1'234.0);
  cr_assert_eq(json.size("/members/list"), 2u);
  cr_assert_eq(json.text("/members/list/0/role"), "host");
  cr_assert_eq(json.number("/serverTimeMs"), 1'700'000'000'000.01);
  cr_assert_eq(json.number("/reportEveryMs"), 5'000.0);
}

Test(messages_encode, settings) {
  SessionSettings settings;
  const std::string plain = encoded([&](std::string& out) { encode_settings(out, settings); });
  cr_assert_eq(plain, R"({"type":"settings","control":"host","onStall":"continue",)"
                      R"("queue":"everyone","controllers":[],"door":"open"})");
  settings.queue = QueueRight::host;
  settings.controllers = {MemberId{2}, MemberId{30}};
  const std::string some = encoded([&](std::string& out) { encode_settings(out, settings); });
  cr_assert(some.ends_with(R"("queue":"host","controllers":["m2","m30"],"door":"open"})"));
  settings.door = Door::knock;
  settings.audio_language = "de";
  const Json json(encoded([&](std::string& out) { encode_settings(out, settings); }));
  cr_assert_eq(json.text("/audioLanguage"), "de");
  cr_assert_eq(json.text("/door"), "knock");
}

Test(messages_encode, who_waits_at_the_door) {
  cr_assert_eq(encoded([](std::string& out) { encode_knocking(out); }), R"({"type":"knocking"})");
  const auto told = [](const KnockEffect& knock) {
    return encoded([&](std::string& out) { encode_knock(out, knock); });
  };
  cr_assert_eq(told({MemberId{1}, KnockId{UINT64_MAX}, "A\"B", false}),
               R"({"type":"knock","id":"k18446744073709551615","name":"A\"B"})");
  cr_assert_eq(told({MemberId{1}, KnockId{7}, "", true}),
               R"({"type":"knock","id":"k7","gone":true})");
}

Test(messages_encode, members) {
  MembersEffect members;
  members.count = 3;
  members.ready = 2;
  members.joined = {{MemberId{1}, "Ann", Role::host}, {MemberId{2}, "Bo", Role::participant}};
  members.changed = {{MemberId{3}, "", Role::participant}};
  const Json json(encoded([&](std::string& out) { encode_members(out, members); }));
  cr_assert_eq(json.text("/type"), "members");
  cr_assert_eq(json.number("/count"), 3.0);
  cr_assert_eq(json.number("/ready"), 2.0);
  cr_assert_eq(json.size("/joined"), 2u);
  cr_assert_eq(json.text("/joined/1/name"), "Bo");
  cr_assert_eq(json.size("/left"), 0u);
  cr_assert_eq(json.text("/changed/0/id"), "m3");
  cr_assert_not(json.has("/hostAway"));
  members.host_away = HostAway{2'500, {}};
  const Json away(encoded([&](std::string& out) { encode_members(out, members); }));
  cr_assert_eq(away.number("/hostAway/untilMs"), 2.5);
  cr_assert(away.is_null("/hostAway/next"));
}

Test(messages_encode, pong) {
  const PingMessage ping{R"("a\u0022b")", "12.50"};
  const std::string text = encoded([&](std::string& out) { encode_pong(out, ping, 1'500, 2'000); });
  cr_assert_eq(text, R"({"type":"pong","id":"a\u0022b","t1":12.50,"t2":1.5,"t3":2})");
  cr_assert_eq(Json(text).text("/id"), "a\"b");
}

Test(messages_encode, viewers_and_waiting) {
  const ViewersEffect viewers{
      MemberId{1},
      {{MemberId{2}, -3.25, 20, true}, {MemberId{3}, 0, 1e300, false, Form::copy, true}}};
  const Json json(encoded([&](std::string& out) { encode_viewers(out, viewers); }));
  cr_assert_eq(json.text("/type"), "viewers");
  cr_assert_eq(json.text("/list/0/id"), "m2");
  cr_assert_eq(json.number("/list/0/driftMs"), -3.25);
  cr_assert(json.boolean("/list/0/buffering"));
  cr_assert_eq(json.number("/list/1/rttMs"), 1e300);
  cr_assert_not(json.has("/list/0/form") || json.has("/list/0/cannotPlay"));
  cr_assert_eq(json.text("/list/1/form"), "copy");
  cr_assert(json.boolean("/list/1/cannotPlay"));
  const WaitingEffect waiting{{MemberId{2}, MemberId{3}}, 5'000'001};
  cr_assert_eq(encoded([&](std::string& out) { encode_waiting(out, waiting); }),
               R"({"type":"waiting","members":["m2","m3"],"untilMs":5000.001})");
}

Test(messages_encode, chat_escapes_what_must_be) {
  std::string every_control;
  for (char c = 0; c < 0x20; ++c)
    every_control += c;
  const std::string text =
      every_control + "\"\\/</script>\x7f\xe2\x80\xa8\xe2\x80\xa9\xf0\x9f\x98\x80";
  const ChatLine chat{17, MemberId{9}, "A\"nn", text, 1'000};
  const Json json(encoded([&](std::string& out) { encode_chat(out, chat); }));
  cr_assert_eq(json.text("/text"), text);
  cr_assert_eq(json.text("/name"), "A\"nn");
  cr_assert_eq(json.text("/from"), "m9");
  cr_assert_eq(json.text("/id"), "c17");
  cr_assert_eq(json.number("/atMs"), 1.0);
}

Test(messages_encode, a_long_history_comes_in_several_messages) {
  std::vector<ChatLine> lines;
  for (std::uint64_t id = 1; id <= 40; ++id)
    lines.push_back({id, MemberId{9}, "Ann", std::string(1'000, '.'), 1'000});
  lines[20].text = std::string(20'000, '.');
  std::uint64_t next_id = 1;
  std::size_t messages = 0;
  for (std::size_t next = 0; next < lines.size(); ++messages) {
    std::string text;
    next = encode_history(text, lines, next);
    const Json json(text);
    cr_assert_eq(json.text("/type"), "history");
    const std::size_t size = json.size("/list");
    cr_assert(text.size() <= 16 * 1024 || size == 1);
    for (std::size_t i = 0; i < size; ++i, ++next_id) {
      const std::string place = "/list/" + std::to_string(i);
      cr_assert_eq(json.text(place + "/id"), "c" + std::to_string(next_id));
      cr_assert_eq(json.text(place + "/name"), "Ann");
    }
  }
  cr_assert_eq(next_id, 41u);
  cr_assert_eq(messages, 5u);
}

namespace {

// As many items as that of one member, with titles and names of so many bytes.
struct SomeQueue {
  Queue queue;
  std::vector<std::string> titles;

  SomeQueue(std::size_t count, std::size_t title_bytes, std::size_t name_bytes) {
    for (std::size_t i = 0; i < count; ++i) {
      queue.add({"v" + std::to_string(i), 0}, MemberId{2}, std::string(name_bytes, 'n'), count, 1);
      titles.emplace_back(title_bytes, 't');
    }
  }
  std::vector<std::string> encoded() const { return encode_queue({7, queue, titles}); }
};

}  // namespace

Test(messages_encode, a_queue) {
  SomeQueue some(1, 3, 2);
  some.queue.add({"next", 0}, {}, "", 9, 1);
  some.titles.push_back("\"Next\"");
  const auto messages = some.encoded();
  cr_assert_eq(messages.size(), 1u);
  cr_assert_eq(messages[0],
               R"({"type":"queue","epoch":7,"version":2,"list":[)"
               R"({"item":"q1","video":"v0","title":"ttt","by":{"id":"m2","name":"nn"}},)"
               R"({"item":"q2","video":"next","title":"\"Next\"","by":null}]})");
  cr_assert_eq(SomeQueue(0, 0, 0).encoded().at(0),
               R"({"type":"queue","epoch":7,"version":0,"list":[]})");
}

Test(messages_encode, up_next) {
  const UpNext next{QueueItemId{17}, "next", 9'000};
  cr_assert_eq(encoded([&](std::string& out) { encode_up_next(out, next, "Next"); }),
               R"({"type":"upNext","item":"q17","video":"next","title":"Next","atMs":9})");
  cr_assert_eq(encoded([&](std::string& out) { encode_up_next(out, {}, ""); }),
               R"({"type":"upNext","item":null})");
}

Test(messages_encode, a_long_queue_comes_in_several_messages) {
  std::size_t items = 0;
  const auto messages = SomeQueue(200, 40, 20).encoded();
  cr_assert_gt(messages.size(), 1u);
  for (const std::string& text : messages) {
    const Json json(text);
    cr_assert_leq(text.size(), 16u * 1024);
    cr_assert_eq(json.number("/version"), 200.0);
    cr_assert_eq(json.has("/from"), items > 0);
    if (items > 0) cr_assert_eq(json.number("/from"), static_cast<double>(items));
    cr_assert_eq(json.text("/list/0/video"), "v" + std::to_string(items));
    items += json.size("/list");
  }
  cr_assert_eq(items, 200u);
}

Test(messages_encode, of_a_queue_that_is_too_long_titles_are_cut) {
  std::size_t items = 0, bytes = 0;
  SomeQueue some(200, 300, 160);
  some.titles[0] = std::string(47, 't') + "\u00e9";
  for (const std::string& text : some.encoded()) {
    const Json json(text);
    if (items == 0) cr_assert_eq(json.text("/list/0/title"), std::string(47, 't'));
    items += json.size("/list");
    bytes += text.size();
  }
  cr_assert_eq(items, 200u);
  cr_assert_leq(bytes, queue_told_bytes_max + 1'024);
}

Test(messages_encode, reactions) {
  ReactionsEffect reactions;
  reactions.list.push_back({MemberId{1}, "\xf0\x9f\x91\x8d", 1'000});
  cr_assert_eq(encoded([&](std::string& out) { encode_reactions(out, reactions); }),
               "{\"type\":\"reaction\",\"from\":\"m1\",\"emoji\":\"\xf0\x9f\x91\x8d\",\"atMs\":1}");
  reactions.list.push_back({MemberId{2}, "+1", 2'000});
  reactions.list.push_back({MemberId{3}, "!", 3'000});
  const Json json(encoded([&](std::string& out) { encode_reactions(out, reactions); }));
  cr_assert_eq(json.text("/from"), "m1");
  cr_assert_eq(json.size("/more"), 2u);
  cr_assert_eq(json.text("/more/1/from"), "m3");
  cr_assert_eq(json.text("/more/0/emoji"), "+1");
  cr_assert_eq(json.number("/more/0/atMs"), 2.0);
}

Test(messages_encode, notices_and_errors) {
  cr_assert_eq(encoded([](std::string& out) { encode_notice(out, NoticeCode::degraded); }),
               R"({"type":"notice","code":"degraded"})");
  cr_assert_eq(encoded([](std::string& out) { encode_notice(out, NoticeCode::restored); }),
               R"({"type":"notice","code":"restored"})");
  cr_assert_eq(encoded([](std::string& out) { encode_notice(out, NoticeCode::draining, 2'500); }),
               R"({"type":"notice","code":"draining","retryAfterMs":2500})");
  const std::pair<Refusal, const char*> refusals[] = {{Refusal::bad_json, "bad_json"},
                                                      {Refusal::bad_message, "bad_message"},
                                                      {Refusal::unknown_type, "unknown_type"},
                                                      {Refusal::not_host, "not_host"},
                                                      {Refusal::no_such_member, "no_such_member"},
                                                      {Refusal::no_such_video, "no_such_video"},
                                                      {Refusal::out_of_range, "out_of_range"},
                                                      {Refusal::rate_limited, "rate_limited"},
                                                      {Refusal::unavailable, "unavailable"}};
  for (const auto& [code, name] : refusals) {
    const Json json(
        encoded([&](std::string& out) { encode_error(out, code, "no \"x\"", "play"); }));
    cr_assert_eq(json.text("/type"), "error");
    cr_assert_eq(json.text("/code"), name);
    cr_assert_eq(json.text("/message"), "no \"x\"");
    cr_assert_eq(json.text("/re"), "play");
  }
}

Test(messages_encode, times_have_three_decimals_at_most) {
  const std::pair<std::int64_t, const char*> times[] = {
      {0, "0"},
      {1, "0.001"},
      {10, "0.01"},
      {100, "0.1"},
      {1'000, "1"},
      {1'050, "1.05"},
      {-1, "-0.001"},
      {-2'500, "-2.5"},
      {999'999, "999.999"},
      {std::numeric_limits<std::int64_t>::min(), "-9223372036854775.808"}};
  for (const auto& [us, text] : times) {
    const WaitingEffect waiting{{}, us};
    cr_assert_eq(encoded([&](std::string& out) { encode_waiting(out, waiting); }),
                 std::string(R"({"type":"waiting","members":[],"untilMs":)") + text + "}");
  }
}

Test(messages_encode, numbers_read_back_as_the_same_value) {
  for (const double value : {0.0, 0.1, 1.0 / 3, 5.0, 1e15, 1e16, 1e17, 123456789.125, 5e-324, 1e-7,
                             1.7976931348623157e308}) {
    PlaybackState state;
    state.position = value;
    const Json json(encoded([&](std::string& out) { encode_state(out, state); }));
    cr_assert_eq(json.number("/position"), value, "%g", value);
  }
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    PlaybackState state;
    state.position = value;
    const Json json(encoded([&](std::string& out) { encode_state(out, state); }));
    cr_assert(json.is_null("/position"));
  }
  PlaybackState state;
  state.position = -0.0;
  const std::string text = encoded([&](std::string& out) { encode_state(out, state); });
  cr_assert(text.find(R"("position":0,)") != std::string::npos, "%s", text.c_str());
}

Test(messages_encode, bodies_of_the_session_requests) {
  Token token;
  token.bytes[15] = 0x1f;
  const Json created(
      encoded([&](std::string& out) { encode_session_created(out, session_key, token, code); }));
  cr_assert_eq(created.text("/code"), "ABCD-EFGH");
  cr_assert_eq(created.text("/key"), session_key.to_string());
  cr_assert(parse_token(created.text("/hostToken"))->equals(token));
  cr_assert_eq(created.text("/url"), "/player.html?session=" + session_key.to_string());

  const Json valid(encoded([](std::string& out) { encode_session_validity(out, session_key); }));
  cr_assert(valid.has("/valid"));
  cr_assert_eq(valid.text("/key"), session_key.to_string());
  cr_assert_eq(encoded([](std::string& out) { encode_session_validity(out, std::nullopt); }),
               R"({"valid":false})");

  const SessionSettings settings;
  const PlaybackState state = some_state();
  SessionInfoView view{.key = session_key,
                       .video_json = R"({"id":"film"})",
                       .settings = settings,
                       .member_count = 2,
                       .state = state,
                       .server_us = 1'000'500};
  const Json info(encoded([&](std::string& out) { encode_session_info(out, view); }));
  cr_assert_not(info.has("/code"), "not to whoever asks");
  view.code = code;
  const Json told(encoded([&](std::string& out) { encode_session_info(out, view); }));
  cr_assert_eq(told.text("/code"), "ABCD-EFGH");
  cr_assert_eq(info.text("/key"), session_key.to_string());
  cr_assert_eq(info.text("/video/id"), "film");
  cr_assert_eq(info.text("/control"), "host");
  cr_assert_eq(info.text("/onStall"), "continue");
  cr_assert_not(info.has("/audioLanguage"));
  cr_assert_eq(info.number("/members"), 2.0);
  cr_assert_eq(info.number("/state/epoch"), 3.0);
  cr_assert_eq(info.number("/serverTimeMs"), 1'000.5);
}

Test(messages_encode, of_a_session_that_everybody_has_left_it_is_told_since_when) {
  const SessionSettings settings;
  PlaybackState state = some_state();
  state.cause = Cause::pause;
  state.by = {};
  state.playing = false;
  state.at_us = 7'000'500;
  const auto told = [&](std::uint32_t members) {
    return Json(encoded([&](std::string& out) {
      encode_session_info(out, {session_key, "null", settings, members, state, 8'000'000});
    }));
  };
  cr_assert_eq(told(0).number("/leftMs"), 7'000.5);
  cr_assert_not(told(1).has("/leftMs"), "somebody is there again");
  state.by = MemberId{1};
  cr_assert_not(told(0).has("/leftMs"), "a member has paused, and may come back as it was");
}

Test(messages_encode, a_film_of_the_web_is_told_by_its_address_and_is_no_video) {
  PlaybackState state = some_state();
  state.video = "https://x/a?\"b";
  const Json json(encoded([&](std::string& out) { encode_state(out, state); }));
  cr_assert(json.at("/video").is_null());
  cr_assert_eq(json.text("/url"), state.video);
}
