#include <criterion/criterion.h>

#include <cmath>
#include <cstring>
#include <string>

#include "proto/wire/messages.h"
#include "tests/support/allocations.h"

using namespace videosync;

namespace {

using Decoded = std::expected<ClientMessage, DecodeFailure>;

std::string padded(std::string_view text) {
  std::string buffer(text);
  buffer.append(json_padding, '}');  // the worst that can stand there
  return buffer;
}

Decoded decode(std::string_view text) {
  static MessageDecoder scratch;
  const std::string buffer = padded(text);
  return decode_client_message(std::string_view(buffer).substr(0, text.size()), scratch);
}

template <class Message>
Message expect_message(std::string_view text) {
  const Decoded decoded = decode(text);
  cr_assert(decoded.has_value(), "%.*s: %s", static_cast<int>(text.size()), text.data(),
            decoded ? "" : decoded.error().message.c_str());
  cr_assert(std::holds_alternative<Message>(*decoded), "%.*s", static_cast<int>(text.size()),
            text.data());
  return std::get<Message>(*decoded);
}

void expect_refusal(std::string_view text, Refusal code, std::string_view re) {
  const Decoded decoded = decode(text);
  cr_assert_not(decoded.has_value(), "%.*s", static_cast<int>(text.size()), text.data());
  cr_assert_eq(refusal_name(decoded.error().code), refusal_name(code), "%.*s: %s",
               static_cast<int>(text.size()), text.data(), decoded.error().message.c_str());
  cr_assert_eq(decoded.error().re, re, "%.*s", static_cast<int>(text.size()), text.data());
  cr_assert_not(decoded.error().message.empty());
}

std::string nested(std::size_t depth) {  // the whole text has this depth
  return R"({"type":"end","x":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

std::string ids_of(const SettingsMessage& settings) {
  std::string ids;
  for (const MemberId id : *settings.controllers)
    ids += std::to_string(id.value) + " ";
  return ids;
}

std::string repeated(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i)
    text += piece;
  return text;
}

}  // namespace

Test(messages_decode, play_and_pause) {
  cr_assert_not(expect_message<PlayMessage>(R"({"type":"play"})").position.has_value());
  cr_assert_eq(expect_message<PlayMessage>(R"({"type":"play","position":12.5})").position, 12.5);
  cr_assert_eq(expect_message<PauseMessage>(R"({"position":0,"type":"pause"})").position, 0.0);
  cr_assert_not(
      expect_message<PauseMessage>(R"({"type":"pause","position":null})").position.has_value());
}

Test(messages_decode, ready_and_go) {
  cr_assert(expect_message<ReadyMessage>(R"({"type":"ready","ready":true})").ready);
  cr_assert_not(expect_message<ReadyMessage>(R"({"type":"ready","ready":false})").ready);
  expect_refusal(R"({"type":"ready"})", Refusal::bad_message, "ready");
  expect_refusal(R"({"type":"ready","ready":1})", Refusal::bad_message, "ready");
  const auto play = expect_message<PlayMessage>(R"({"type":"play","countdownMs":2999.6})");
  cr_assert(play.countdown_ms == 3'000u && !play.position);
  cr_assert(expect_message<PlayMessage>(R"({"type":"play","countdownMs":10000})").countdown_ms ==
            countdown_ms_max);
  for (const char* ms : {"10000.1", "-1", "1e999"}) {
    expect_refusal(std::string(R"({"type":"play","countdownMs":)") + ms + "}",
                   Refusal::out_of_range, "play");
  }
  expect_refusal(R"({"type":"play","countdownMs":"3"})", Refusal::bad_message, "play");
}

Test(messages_decode, seek_and_rate) {
  cr_assert_eq(expect_message<SeekMessage>(R"({"type":"seek","position":1e3})").position, 1000.0);
  const double zero = expect_message<SeekMessage>(R"({"type":"seek","position":-0.0})").position;
  cr_assert(zero == 0 && !std::signbit(zero));
  cr_assert_eq(expect_message<RateMessage>(R"({"type":"rate","rate":0.25})").rate, 0.25);
  cr_assert_eq(expect_message<RateMessage>(R"({"type":"rate","rate":4})").rate, 4.0);
}

Test(messages_decode, control_of_the_session) {
  cr_assert_eq(expect_message<LoadMessage>(R"({"type":"load","video":"film-2"})").video, "film-2");
  cr_assert_eq(expect_message<GiveMessage>(R"({"type":"give","to":"m7"})").to.value, 7u);
  cr_assert_eq(expect_message<KickMessage>(R"({"type":"kick","id":"m8"})").id.value, 8u);
  expect_message<EndMessage>(R"({"type":"end"})");
  const auto claim = expect_message<ClaimMessage>(
      R"({"type":"claim","hostToken":"000102030405060708090a0b0c0d0e0f"})");
  cr_assert_eq(claim.host_token.bytes[15], 15);
  const auto settings = expect_message<SettingsMessage>(
      R"({"type":"settings","control":"everyone","onStall":"wait"})");
  cr_assert(settings.control == Control::everyone && settings.on_stall == OnStall::wait);
  const auto other = expect_message<SettingsMessage>(R"({"type":"settings","control":"host"})");
  cr_assert(other.control == Control::host && !other.on_stall);
  const auto stall = expect_message<SettingsMessage>(R"({"type":"settings","onStall":"continue"})");
  cr_assert(!stall.control && stall.on_stall == OnStall::keep_going);
  cr_assert(!stall.audio_language);
  for (const char* tag : {"de", "pt-BR", "", "a23456789-123456789-123456789-12345"}) {
    const auto sound = expect_message<SettingsMessage>(
        std::string(R"({"type":"settings","audioLanguage":")") + tag + "\"}");
    cr_assert_eq(sound.audio_language, std::string(tag));
  }
  expect_refusal(R"({"type":"settings","audioLanguage":"a23456789-123456789-123456789-123456"})",
                 Refusal::out_of_range, "settings");
}

Test(messages_decode, what_comes_next) {
  const auto enqueue = expect_message<EnqueueMessage>(R"({"type":"enqueue","video":"film"})");
  cr_assert(enqueue.video == "film" && !enqueue.at);
  cr_assert_eq(expect_message<EnqueueMessage>(R"({"type":"enqueue","video":"f","at":2.9})").at, 2u);
  cr_assert_eq(expect_message<EnqueueMessage>(R"({"type":"enqueue","video":"f","at":1e99})").at,
               1'000'000'000u);
  expect_refusal(R"({"type":"enqueue","video":"f","at":-1})", Refusal::out_of_range, "enqueue");
  expect_refusal(R"({"type":"enqueue","video":"f","at":"1"})", Refusal::bad_message, "enqueue");
  expect_refusal(R"({"type":"enqueue","at":1})", Refusal::bad_message, "enqueue");
  cr_assert_eq(expect_message<DequeueMessage>(R"({"type":"dequeue","item":"q17"})").item.value,
               17u);
  const auto move = expect_message<MoveMessage>(R"({"type":"move","item":"q17","at":0})");
  cr_assert(move.item.value == 17 && move.at == 0);
  expect_refusal(R"({"type":"move","item":"q17"})", Refusal::bad_message, "move");
  cr_assert_eq(expect_message<JumpMessage>(R"({"type":"jump","item":"q1"})").item.value, 1u);
  for (const char* item : {"17", "q", "q0", "q01", "m17", "q99999999999999999999"}) {
    expect_refusal(std::string(R"({"type":"jump","item":")") + item + "\"}", Refusal::no_such_item,
                   "jump");
  }
  expect_refusal(R"({"type":"dequeue","item":17})", Refusal::bad_message, "dequeue");
  expect_message<NextMessage>(R"({"type":"next"})");
}

Test(messages_decode, who_else_may) {
  const auto settings = [](std::string_view controllers) {
    return R"({"type":"settings","controllers":)" + std::string(controllers) + "}";
  };
  const auto named = expect_message<SettingsMessage>(settings(R"(["m2", "m7","m2"])"));
  cr_assert_eq(ids_of(named), "2 7 ");
  cr_assert(expect_message<SettingsMessage>(settings("[]")).controllers->empty());
  cr_assert(expect_message<SettingsMessage>(settings("null")).controllers == nullptr);
  const auto last = expect_message<SettingsMessage>(
      R"({"controllers":["m1","m3"],"type":"settings","controllers":["m2"]})");
  cr_assert_eq(ids_of(last), "2 ", "of a key that comes twice");
  for (const char* wrong : {R"("m2")", "7", R"({"m2":1})", R"(["m2",7])", R"([["m2"]])", "[null]"})
    expect_refusal(settings(wrong), Refusal::bad_message, "settings");
  expect_refusal(settings(R"(["m2","7"])"), Refusal::no_such_member, "settings");
  std::string many = "[\"m1\"";
  for (int i = 2; i <= 51; ++i)
    many += ",\"m" + std::to_string(i) + "\"";
  expect_refusal(settings(many + "]"), Refusal::out_of_range, "settings");
  expect_refusal(R"({"type":"settings","controllers":["m2",}])", Refusal::bad_json, "");
  cr_assert(expect_message<SettingsMessage>(R"({"type":"settings","queue":"host"})").queue ==
            QueueRight::host);
  cr_assert(expect_message<SettingsMessage>(R"({"type":"settings","queue":"everyone"})").queue ==
            QueueRight::everyone);
  expect_refusal(R"({"type":"settings","queue":"some"})", Refusal::bad_message, "settings");
  cr_assert(expect_message<SettingsMessage>(R"({"type":"settings","door":"open"})").door ==
            Door::open);
  expect_refusal(R"({"type":"settings","door":"ajar"})", Refusal::bad_message, "settings");
  cr_assert(expect_message<AdmitMessage>(R"({"type":"admit","id":"k9"})").id == KnockId{9});
  expect_refusal(R"({"type":"admit","id":"m9"})", Refusal::no_such_member, "admit");
  expect_refusal(R"({"type":"refuse","id":"k0"})", Refusal::no_such_member, "refuse");
  expect_refusal(R"({"type":"refuse","id":"k18446744073709551616"})", Refusal::no_such_member,
                 "refuse");
}

Test(messages_decode, a_ping_is_kept_as_it_was_written) {
  const auto ping = expect_message<PingMessage>(R"({"type":"ping","id": 1.50e2 ,"t1" : 1e-3 })");
  cr_assert_eq(ping.id, "1.50e2");
  cr_assert_eq(ping.t1, "1e-3");
  const auto named = expect_message<PingMessage>(R"({"type":"ping","id":"a\u0022b" ,"t1":-0})");
  cr_assert_eq(named.id, R"("a\u0022b")");
  cr_assert_eq(named.t1, "-0");
  const std::string full(64, '9');
  const auto longest = expect_message<PingMessage>(R"({"type":"ping","id":1,"t1":)" + full + "}");
  cr_assert_eq(longest.t1, full);
  expect_refusal(R"({"type":"ping","id":1,"t1":)" + full + "0}", Refusal::out_of_range, "ping");
}

Test(messages_decode, reports) {
  const auto report = expect_message<ReportMessage>(
      R"({"type":"report","driftMs":-3.5,"rttMs":20,"buffering":true,"position":7})");
  cr_assert_eq(report.drift_ms, -3.5);
  cr_assert_eq(report.rtt_ms, 20.0);
  cr_assert(report.buffering);
  cr_assert_eq(report.position, 7.0);
  const auto other = expect_message<ReportMessage>(
      R"({"type":"report","driftMs":0,"rttMs":-0.01,"buffering":false})");
  cr_assert_eq(other.rtt_ms, 0.0);
  cr_assert(!other.buffering && !other.position);
  cr_assert(other.form == Form::unknown && !other.cannot_play);
  const std::string start = R"({"type":"report","driftMs":0,"rttMs":0,"buffering":false,)";
  const std::pair<const char*, Form> forms[] = {{"file", Form::file},
                                                {"copy", Form::copy},
                                                {"transcode", Form::transcode},
                                                {"stream", Form::stream}};
  for (const auto& [name, form] : forms) {
    const auto made = expect_message<ReportMessage>(start + R"("form":")" + name + "\"}");
    cr_assert(made.form == form && !made.cannot_play);
  }
  cr_assert(expect_message<ReportMessage>(start + R"("cannotPlay":true})").cannot_play);
  cr_assert_not(expect_message<ReportMessage>(start + R"("cannotPlay":null})").cannot_play);
  cr_assert(expect_message<ReportMessage>(start + R"("ownPace":true})").own_pace);
  cr_assert_not(other.own_pace || other.first_frame_ms);
  for (const auto& [text, ms] : {std::pair{"0", 0u}, {"812.4", 812u}, {"600000", 600'000u}}) {
    const auto first = expect_message<ReportMessage>(start + R"("firstFrameMs":)" + text + "}");
    cr_assert_eq(first.first_frame_ms.value(), ms, "%s", text);
  }
  for (const char* text : {"-0.1", "600000.1", "1e999"}) {
    expect_refusal(start + R"("firstFrameMs":)" + text + "}", Refusal::out_of_range, "report");
  }
}

Test(messages_decode, chat_reactions_and_names) {
  cr_assert_eq(expect_message<ChatMessage>(R"({"type":"chat","text":"a\n\"b\"\u0000"})").text,
               std::string("a\n\"b\"\0", 6));
  const std::string longest = repeated("\xf0\x9f\x98\x80", 500);
  cr_assert_eq(expect_message<ChatMessage>(R"({"type":"chat","text":")" + longest + "\"}").text,
               longest);
  cr_assert_eq(
      expect_message<ReactionMessage>(R"({"type":"reaction","emoji":"\ud83d\ude00"})").emoji,
      "\xf0\x9f\x98\x80");
  cr_assert_eq(expect_message<NameMessage>(R"({"type":"name","name":" Zo\u00eb \t"})").name,
               "Zo\xc3\xab");
}

Test(messages_decode, lengths) {
  expect_refusal(R"({"type":"chat","text":""})", Refusal::out_of_range, "chat");
  expect_refusal(R"({"type":"chat","text":")" + std::string(501, 'x') + "\"}",
                 Refusal::out_of_range, "chat");
  expect_refusal(R"({"type":"reaction","emoji":""})", Refusal::out_of_range, "reaction");
  expect_refusal(R"({"type":"reaction","emoji":"12345678901234567"})", Refusal::out_of_range,
                 "reaction");
  cr_assert_eq(expect_message<NameMessage>(R"({"type":"name","name":"a\u202e\u0000b"})").name,
               "ab");
  expect_refusal(R"({"type":"name","name":"  "})", Refusal::out_of_range, "name");
  expect_refusal(R"({"type":"name","name":")" + repeated("\xc3\xab", 41) + "\"}",
                 Refusal::out_of_range, "name");
  expect_refusal(R"({"type":"load","video":""})", Refusal::out_of_range, "load");
  expect_refusal(R"({"type":"load","video":")" + std::string(256, 'v') + "\"}",
                 Refusal::out_of_range, "load");
}

Test(messages_decode, ranges) {
  for (const char* rate : {"0.2499", "4.0001", "0", "-1", "1e999", "-1e999"}) {
    expect_refusal(std::string(R"({"type":"rate","rate":)") + rate + "}", Refusal::out_of_range,
                   "rate");
  }
  for (const char* position : {"-0.001", "-1", "1e999", "1e+400"}) {
    const std::string field = std::string(R"(,"position":)") + position;
    expect_refusal(R"({"type":"seek")" + field + "}", Refusal::out_of_range, "seek");
    expect_refusal(R"({"type":"play")" + field + "}", Refusal::out_of_range, "play");
    expect_refusal(R"({"type":"pause")" + field + "}", Refusal::out_of_range, "pause");
    expect_refusal(R"({"type":"report","driftMs":0,"rttMs":0,"buffering":false)" + field + "}",
                   Refusal::out_of_range, "report");
  }
}

Test(messages_decode, missing_fields_and_wrong_types) {
  struct Case {
    const char* fields;
    std::string_view re;
  };
  const Case cases[] = {
      {R"("type":"seek")", "seek"},
      {R"("type":"seek","position":null)", "seek"},
      {R"("type":"seek","position":"5")", "seek"},
      {R"("type":"seek","position":[5])", "seek"},
      {R"("type":"play","position":true)", "play"},
      {R"("type":"rate")", "rate"},
      {R"("type":"rate","rate":{})", "rate"},
      {R"("type":"load")", "load"},
      {R"("type":"load","video":1)", "load"},
      {R"("type":"give")", "give"},
      {R"("type":"give","to":7)", "give"},
      {R"("type":"kick")", "kick"},
      {R"("type":"claim")", "claim"},
      {R"("type":"claim","hostToken":1)", "claim"},
      {R"("type":"settings","control":"nobody")", "settings"},
      {R"("type":"settings","control":1)", "settings"},
      {R"("type":"settings","onStall":"stop")", "settings"},
      {R"("type":"settings","audioLanguage":1)", "settings"},
      {R"("type":"settings","audioLanguage":"d e")", "settings"},
      {R"("type":"settings","audioLanguage":"d\u00fc")", "settings"},
      {R"("type":"ping","id":1)", "ping"},
      {R"("type":"ping","t1":1)", "ping"},
      {R"("type":"ping","id":1,"t1":true)", "ping"},
      {R"("type":"ping","id":[],"t1":1)", "ping"},
      {R"("type":"report","rttMs":1,"buffering":true)", "report"},
      {R"("type":"report","driftMs":1,"buffering":true)", "report"},
      {R"("type":"report","driftMs":1,"rttMs":1)", "report"},
      {R"("type":"report","driftMs":1,"rttMs":1,"buffering":1)", "report"},
      {R"("type":"report","driftMs":"1","rttMs":1,"buffering":true)", "report"},
      {R"("type":"report","driftMs":1,"rttMs":1,"buffering":true,"form":"")", "report"},
      {R"("type":"report","driftMs":1,"rttMs":1,"buffering":true,"form":"File")", "report"},
      {R"("type":"report","driftMs":1,"rttMs":1,"buffering":true,"form":1)", "report"},
      {R"("type":"report","driftMs":1,"rttMs":1,"buffering":true,"cannotPlay":1)", "report"},
      {R"("type":"report","driftMs":1,"rttMs":1,"buffering":true,"ownPace":1)", "report"},
      {R"("type":"report","driftMs":1,"rttMs":1,"buffering":true,"firstFrameMs":"1")", "report"},
      {R"("type":"chat")", "chat"},
      {R"("type":"chat","text":["x"])", "chat"},
      {R"("type":"reaction")", "reaction"},
      {R"("type":"reaction","emoji":"a\u0007")", "reaction"},
      {R"("type":"name")", "name"},
      {R"("type":5)", ""},
      {R"("type":null)", ""},
      {R"("position":5)", ""},
      {"", ""},
  };
  for (const Case& each : cases) {
    expect_refusal("{" + std::string(each.fields) + "}", Refusal::bad_message, each.re);
  }
}

Test(messages_decode, nobody_has_such_an_id_or_token) {
  expect_refusal(R"({"type":"give","to":"alice"})", Refusal::no_such_member, "give");
  expect_refusal(R"({"type":"kick","id":"m0"})", Refusal::no_such_member, "kick");
  expect_refusal(R"({"type":"claim","hostToken":"guess"})", Refusal::not_host, "claim");
}

Test(messages_decode, unknown_types) {
  for (const char* type : {"", "Play", "play ", "welcome", "state", "plays"}) {
    expect_refusal(std::string(R"({"type":")") + type + "\"}", Refusal::unknown_type, "");
  }
}

Test(messages_decode, json_that_is_no_object) {
  for (const char* text : {"[]", "[1,{\"a\":[]}]", "1", "-1.5e3", "\"text\"", "true", "null",
                           " null ", "true    ", "\tfalse\n", " 1e999 ", " \"\" "}) {
    expect_refusal(text, Refusal::bad_message, "");
  }
}

Test(messages_decode, what_is_not_json) {
  for (const char* text :
       {"", " ", "{", "}", "{]", "[", "{\"type\"}", "{\"type\":}", "{\"type\":\"end\"",
        "{\"type\":\"end\"}}", "{\"type\":\"end\"}{}", "{\"type\":\"end\"} x",
        "{\"type\":\"end\",}", "{'type':'end'}", "{type:\"end\"}", "{\"type\" \"end\"}",
        "{\"type\":\"end\" \"x\":1}", "nul", "nullx", "true false", "1 2", "\"a\" 1", "null}",
        "tru", "01", "1.", "+1", "\"", "\"\\x\"", "\xff", "{\"type\":\"\xc3(\"}",
        "{\"type\":\"en\nd\"}", "{\"type\":\"\\ud800\"}",
        // in fields that nobody asked for
        "{\"type\":\"end\",\"x\":tru}", "{\"type\":\"end\",\"x\":01}",
        "{\"type\":\"end\",\"x\":1.}", "{\"type\":\"end\",\"x\":1e}", "{\"type\":\"end\",\"x\":-}",
        "{\"type\":\"end\",\"x\":[1,]}", "{\"type\":\"end\",\"x\":[1 2]}",
        "{\"type\":\"end\",\"x\":{\"a\"}}", "{\"type\":\"end\",\"x\":{\"a\":1]}",
        "{\"type\":\"end\",\"x\":[{\"a\":1}", "{\"type\":\"end\",\"x\":{\"a\":1}",
        "{\"type\":\"end\",\"x\":\"\\q\"}", "{\"type\":\"end\",\"x\":nulll}",
        "{\"type\":\"end\",\"\\q\":1}", "{\"type\":\"end\",1:2}"}) {
    expect_refusal(text, Refusal::bad_json, "");
  }
}

Test(messages_decode, depth) {
  expect_message<EndMessage>(nested(json_depth_max));
  expect_refusal(nested(json_depth_max + 1), Refusal::bad_json, "");
  expect_refusal(nested(5'000), Refusal::bad_json, "");
  expect_refusal(std::string(17, '[') + std::string(17, ']'), Refusal::bad_json, "");
  expect_refusal(repeated(R"({"a":)", 17) + "1" + std::string(17, '}'), Refusal::bad_json, "");
}

Test(messages_decode, other_fields_and_the_last_of_two) {
  const auto seek = expect_message<SeekMessage>(
      R"({ "x" : [1, {"type": "play"}], "position": 1, "typ\u0065" : "seek", "position": 2 } )");
  cr_assert_eq(seek.position, 2.0);
  expect_message<PauseMessage>(R"({"type":"play","type":"pause"})");
  const auto play = expect_message<PlayMessage>(R"({"type":"play","position":9,"position":null})");
  cr_assert_not(play.position.has_value());
}

Test(messages_decode, the_largest_message) {
  const std::string head = R"({"type":"end","x":")";
  const std::string text = head + std::string(16 * 1024 - head.size() - 2, 'x') + "\"}";
  expect_message<EndMessage>(text);
}

Test(messages_decode, frequent_messages_allocate_nothing) {
  MessageDecoder scratch;
  for (const char* text :
       {R"({"type":"play","position":3.5})", R"({"type":"pause"})",
        R"({"type":"seek","position":12345.678})", R"({"type":"rate","rate":1.5})",
        R"({"type":"ping","id":12,"t1":1234567.891})",
        R"({"type":"report","driftMs":1,"rttMs":2,"buffering":false})"}) {
    const std::string buffer = padded(text);
    const std::string_view view = std::string_view(buffer).substr(0, std::strlen(text));
    bool is_good = false;
    const std::uint64_t made =
        test::allocations_of([&] { is_good = decode_client_message(view, scratch).has_value(); });
    cr_assert(is_good);
    cr_assert_eq(made, 0u, "%s made %zu", text, std::size_t{made});
  }
}

Test(messages_decode, the_body_that_creates_a_session) {
  MessageDecoder scratch;
  const auto create = [&scratch](std::string_view body) {
    const std::string buffer = padded(body);
    return decode_create_session(std::string_view(buffer).substr(0, body.size()), scratch);
  };
  for (const char* body : {"", " \r\n", "{}", R"({"video":null,"control":null})"}) {
    const auto session = create(body);
    cr_assert(session && !session->video);
    cr_assert(session->settings.control == Control::host);
    cr_assert(session->settings.on_stall == OnStall::keep_going);
  }
  const auto full =
      create(R"({"video":"film","control":"everyone","onStall":"wait","door":"knock","x":1})");
  cr_assert(full && full->video == "film");
  cr_assert(full->settings.control == Control::everyone);
  cr_assert(full->settings.on_stall == OnStall::wait);
  cr_assert(full->settings.door == Door::knock);
  for (const char* body : {"[]", R"({"video":5})", R"({"control":"me"})", R"({"onStall":true})"}) {
    const auto session = create(body);
    cr_assert(!session && session.error().code == Refusal::bad_message, "%s", body);
  }
  cr_assert(create("{").error().code == Refusal::bad_json);
  const auto large = create(R"({"video":")" + std::string(60'000, 'v') + "\"}");
  cr_assert(large && large->video->size() == 60'000);
}

Test(messages_decode, a_load_names_a_video_or_the_address_of_a_film) {
  const auto load =
      expect_message<LoadMessage>(R"({"type":"load","url":"https://x/a","duration":9})");
  cr_assert_eq(load.video, "https://x/a");
  cr_assert_eq(load.duration_s, 9);
  cr_assert_eq(expect_message<LoadMessage>(R"({"type":"load","url":"https://x/a"})").duration_s, 0);
  const auto refused = [](const std::string& rest, Refusal code) {
    expect_refusal(R"({"type":"load",)" + rest + "}", code, "load");
  };
  refused(R"("url":"https://x/a","video":"film")", Refusal::bad_message);
  refused(R"("url":1)", Refusal::bad_message);
  refused(R"("video":"https://x/a")", Refusal::no_such_video);
  refused(R"("url":"http://x/a")", Refusal::no_such_video);
  refused(R"("url":"film")", Refusal::no_such_video);
  refused(R"("url":"")", Refusal::out_of_range);
  refused(R"("url":"https://)" + std::string(film_url_bytes_max, 'v') + "\"",
          Refusal::out_of_range);
  refused(R"("url":"https://x/a","duration":-1)", Refusal::out_of_range);
  refused(R"("url":"https://x/a","duration":864001)", Refusal::out_of_range);
  refused(R"("url":"https://x/a","duration":"9")", Refusal::bad_message);
}
