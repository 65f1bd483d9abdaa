// What a client says survives the way over another node: encoded and decoded, it is the same.
#include <criterion/criterion.h>

#include <string>
#include <vector>

#include "proto/wire/messages.h"

using namespace videosync;

namespace {

std::string encoded(const ClientMessage& message) {
  std::string text;
  encode_client_message(text, message);
  return text;
}

ClientMessage decoded(const std::string& text) {
  static MessageDecoder scratch;
  const std::string padded = text + std::string(json_padding, '}');
  auto message = decode_client_message(std::string_view(padded).substr(0, text.size()), scratch);
  cr_assert(message.has_value(), "%s: %s", text.c_str(),
            message ? "" : message.error().message.c_str());
  return std::move(*message);
}

Token token() {
  Token token;
  for (std::size_t i = 0; i < token.bytes.size(); ++i)
    token.bytes[i] = static_cast<std::uint8_t>(17 * i);
  return token;
}

}  // namespace

Test(messages_client, every_type_is_written_as_a_client_would) {
  const std::vector<std::pair<ClientMessage, std::string>> all{
      {PlayMessage{}, R"({"type":"play"})"},
      {PlayMessage{1.5}, R"({"type":"play","position":1.5})"},
      {PlayMessage{.countdown_ms = 3'000}, R"({"type":"play","countdownMs":3000})"},
      {ReadyMessage{true}, R"({"type":"ready","ready":true})"},
      {ReadyMessage{}, R"({"type":"ready","ready":false})"},
      {EnqueueMessage{"a b"}, R"({"type":"enqueue","video":"a b"})"},
      {EnqueueMessage{"a", 3}, R"({"type":"enqueue","video":"a","at":3})"},
      {DequeueMessage{QueueItemId{17}}, R"({"type":"dequeue","item":"q17"})"},
      {MoveMessage{QueueItemId{17}, 3}, R"({"type":"move","item":"q17","at":3})"},
      {JumpMessage{QueueItemId{17}}, R"({"type":"jump","item":"q17"})"},
      {NextMessage{}, R"({"type":"next"})"},
      {CancelNextMessage{}, R"({"type":"cancelNext"})"},
      {PauseMessage{0.1}, R"({"type":"pause","position":0.1})"},
      {SeekMessage{1e300}, R"({"type":"seek","position":1e+300})"},
      {RateMessage{0.25}, R"({"type":"rate","rate":0.25})"},
      {LoadMessage{"a \"b\".mp4"}, R"({"type":"load","video":"a \"b\".mp4"})"},
      {LoadMessage{"https://x/a?b"}, R"({"type":"load","url":"https://x/a?b"})"},
      {LoadMessage{"https://x/a", 1.5}, R"({"type":"load","url":"https://x/a","duration":1.5})"},
      {GiveMessage{MemberId{7}}, R"({"type":"give","to":"m7"})"},
      {ClaimMessage{token()}, R"({"type":"claim","hostToken":"00112233445566778899aabbccddeeff"})"},
      {SettingsMessage{}, R"({"type":"settings"})"},
      {SettingsMessage{Control::everyone, OnStall::keep_going},
       R"({"type":"settings","control":"everyone","onStall":"continue"})"},
      {KickMessage{MemberId{8}}, R"({"type":"kick","id":"m8"})"},
      {EndMessage{}, R"({"type":"end"})"},
      {PingMessage{R"("a\n")", "1.50"}, R"({"type":"ping","id":"a\n","t1":1.50})"},
      {ReportMessage{-3.5, 12, true, 4.0},
       R"({"type":"report","driftMs":-3.5,"rttMs":12,"buffering":true,"position":4})"},
      {ReportMessage{}, R"({"type":"report","driftMs":0,"rttMs":0,"buffering":false})"},
      {ReportMessage{.form = Form::stream, .cannot_play = true},
       R"({"type":"report","driftMs":0,"rttMs":0,"buffering":false,"form":"stream","cannotPlay":true})"},
      {ReportMessage{.drift_ms = 5e6, .own_pace = true, .first_frame_ms = 812},
       R"({"type":"report","driftMs":5000000,"rttMs":0,"buffering":false,"ownPace":true,"firstFrameMs":812})"},
      {SettingsMessage{.audio_language = "pt-BR"},
       R"({"type":"settings","audioLanguage":"pt-BR"})"},
      {SettingsMessage{.queue = QueueRight::host,
                       .controllers = share_ids({MemberId{2}, MemberId{3}})},
       R"({"type":"settings","queue":"host","controllers":["m2","m3"]})"},
      {SettingsMessage{.controllers = share_ids({})}, R"({"type":"settings","controllers":[]})"},
      {SettingsMessage{.door = Door::locked}, R"({"type":"settings","door":"locked"})"},
      {AdmitMessage{KnockId{UINT64_MAX}}, R"({"type":"admit","id":"k18446744073709551615"})"},
      {RefuseMessage{KnockId{3}}, R"({"type":"refuse","id":"k3"})"},
      {ChatMessage{"a\x01\n\u2028"}, "{\"type\":\"chat\",\"text\":\"a\\u0001\\n\u2028\"}"},
      {ReactionMessage{"\U0001f389"}, "{\"type\":\"reaction\",\"emoji\":\"\U0001f389\"}"},
      {NameMessage{"Bj\u00f6rn"}, "{\"type\":\"name\",\"name\":\"Bj\u00f6rn\"}"},
  };
  for (const auto& [message, text] : all) {
    cr_assert(encoded(message) == text, "%s, not %s", encoded(message).c_str(), text.c_str());
    const ClientMessage again = decoded(text);
    cr_assert_eq(again.index(), message.index(), "%s", text.c_str());
    cr_assert(encoded(again) == text, "%s became %s", text.c_str(), encoded(again).c_str());
  }
}

Test(messages_client, values_survive_to_the_last_bit) {
  for (const double position : {0.1 + 0.2, 1e-300, 9'007'199'254'740'993.0, 5e-324}) {
    const ClientMessage again = decoded(encoded(PlayMessage{position}));
    cr_assert(*std::get<PlayMessage>(again).position == position, "%.17g", position);
  }
  const ClientMessage claim = decoded(encoded(ClaimMessage{token()}));
  cr_assert(std::get<ClaimMessage>(claim).host_token.equals(token()));
}
