// What a client says, written once more: for the way from one node to another.
#include <iterator>
#include <variant>

#include "proto/wire/json_format.h"
#include "proto/wire/messages.h"

namespace videosync {

namespace {

void begin(std::string& out, std::string_view type) {
  append_json(out, R"({{"type":"{}")", type);
}

void append_position(std::string& out, std::optional<double> position) {
  if (position) append_json(out, R"(,"position":{})", Number{*position});
}

void append_fields(std::string& out, const PlayMessage& message) {
  begin(out, "play");
  append_position(out, message.position);
  if (message.countdown_ms) append_json(out, R"(,"countdownMs":{})", *message.countdown_ms);
}

void append_fields(std::string& out, const PauseMessage& message) {
  begin(out, "pause");
  append_position(out, message.position);
}

void append_fields(std::string& out, const SeekMessage& message) {
  begin(out, "seek");
  append_position(out, message.position);
}

void append_fields(std::string& out, const RateMessage& message) {
  begin(out, "rate");
  append_json(out, R"(,"rate":{})", Number{message.rate});
}

void append_fields(std::string& out, const LoadMessage& message) {
  begin(out, "load");
  if (!is_film_url(message.video)) {
    append_json(out, R"(,"video":{})", Quoted{message.video});
    return;
  }
  append_json(out, R"(,"url":{})", Quoted{message.video});
  if (message.duration_s > 0) append_json(out, R"(,"duration":{})", Number{message.duration_s});
}

void append_fields(std::string& out, const GiveMessage& message) {
  begin(out, "give");
  append_json(out, R"(,"to":{})", Id{message.to});
}

void append_fields(std::string& out, const ClaimMessage& message) {
  begin(out, "claim");
  append_json(out, R"(,"hostToken":"{}")", HexToken{message.host_token});
}

void append_fields(std::string& out, const SettingsMessage& message) {
  begin(out, "settings");
  if (message.control) append_json(out, R"(,"control":"{}")", wire_name(*message.control));
  if (message.on_stall) append_json(out, R"(,"onStall":"{}")", wire_name(*message.on_stall));
  if (message.audio_language)
    append_json(out, R"(,"audioLanguage":{})", Quoted{*message.audio_language});
  if (message.queue) append_json(out, R"(,"queue":"{}")", wire_name(*message.queue));
  if (message.door) append_json(out, R"(,"door":"{}")", wire_name(*message.door));
  if (message.controllers) {
    out += R"(,"controllers":)";
    append_ids(out, *message.controllers);
  }
}

void append_fields(std::string& out, const KickMessage& message) {
  begin(out, "kick");
  append_json(out, R"(,"id":{})", Id{message.id});
}

void append_fields(std::string& out, const EndMessage&) {
  begin(out, "end");
}

void append_fields(std::string& out, const PingMessage& message) {
  begin(out, "ping");
  append_json(out, R"(,"id":{},"t1":{})", message.id, message.t1);
}

void append_fields(std::string& out, const ReportMessage& message) {
  begin(out, "report");
  append_json(out, R"(,"driftMs":{},"rttMs":{},"buffering":{})", Number{message.drift_ms},
              Number{message.rtt_ms}, message.buffering);
  append_position(out, message.position);
  append_playing(out, message.form, message.cannot_play);
  if (message.own_pace) out += R"(,"ownPace":true)";
  if (message.first_frame_ms) append_json(out, R"(,"firstFrameMs":{})", *message.first_frame_ms);
}

void append_fields(std::string& out, const ChatMessage& message) {
  begin(out, "chat");
  append_json(out, R"(,"text":{})", Quoted{message.text});
}

void append_fields(std::string& out, const ReactionMessage& message) {
  begin(out, "reaction");
  append_json(out, R"(,"emoji":{})", Quoted{message.emoji});
}

void append_fields(std::string& out, const NameMessage& message) {
  begin(out, "name");
  append_json(out, R"(,"name":{})", Quoted{message.name});
}

void append_fields(std::string& out, const ReadyMessage& message) {
  begin(out, "ready");
  append_json(out, R"(,"ready":{})", message.ready);
}

void append_item(std::string& out, QueueItemId item) {
  append_json(out, R"(,"item":"q{}")", item.value);
}

void append_fields(std::string& out, const EnqueueMessage& message) {
  begin(out, "enqueue");
  append_json(out, R"(,"video":{})", Quoted{message.video});
  if (message.at) append_json(out, R"(,"at":{})", *message.at);
}

void append_fields(std::string& out, const DequeueMessage& message) {
  begin(out, "dequeue");
  append_item(out, message.item);
}

void append_fields(std::string& out, const MoveMessage& message) {
  begin(out, "move");
  append_item(out, message.item);
  append_json(out, R"(,"at":{})", message.at);
}

void append_fields(std::string& out, const JumpMessage& message) {
  begin(out, "jump");
  append_item(out, message.item);
}

void append_fields(std::string& out, const NextMessage&) {
  begin(out, "next");
}

void append_fields(std::string& out, const CancelNextMessage&) {
  begin(out, "cancelNext");
}

void append_fields(std::string& out, const AdmitMessage& message) {
  begin(out, "admit");
  append_json(out, R"(,"id":"k{}")", message.id.value);
}

void append_fields(std::string& out, const RefuseMessage& message) {
  begin(out, "refuse");
  append_json(out, R"(,"id":"k{}")", message.id.value);
}

}  // namespace

void encode_client_message(std::string& out, const ClientMessage& message) {
  std::visit([&out](const auto& said) { append_fields(out, said); }, message);
  out += '}';
}

std::string_view message_type(const ClientMessage& message) noexcept {
  // In the order of ClientMessage.
  static constexpr std::string_view types[] = {
      "play",    "pause",   "seek", "rate",   "load", "give",       "claim", "settings",
      "kick",    "end",     "ping", "report", "chat", "reaction",   "name",  "ready",
      "enqueue", "dequeue", "move", "jump",   "next", "cancelNext", "admit", "refuse"};
  static_assert(std::size(types) == std::variant_size_v<ClientMessage>);
  return types[message.index()];
}

}  // namespace videosync
