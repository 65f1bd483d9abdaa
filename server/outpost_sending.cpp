// SessionOutposts: what goes to a session's home, and what becomes of it where nobody hears.
#include <iterator>
#include <utility>

#include "proto/http_response.h"
#include "proto/messages.h"
#include "proto/websocket_frames.h"
#include "server/homed_session.h"
#include "server/nodes.h"
#include "server/outpost.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr std::size_t unsent_max = 256;
constexpr std::size_t enroll_max = 1'000;

// In the order of ClientMessage.
constexpr std::string_view message_names[] = {"play", "pause",  "seek",     "rate",     "load",
                                              "give", "claim",  "settings", "kick",     "end",
                                              "ping", "report", "chat",     "reaction", "name"};
static_assert(std::size(message_names) == std::variant_size_v<ClientMessage>);

}  // namespace

void SessionOutposts::speak(Outpost& outpost) noexcept {
  if (outpost.needs_enroll) enroll(outpost);
  for (const NodeMessage& message : outpost.asks.try_all())
    send_home(outpost, message, false);
  for (BufferRef& bytes : std::exchange(outpost.unsent, {})) {
    worker_.store().publish(outpost.home, bytes,
                            [this, key = outpost.key, node = outpost.home,
                             bytes](Result<std::uint32_t> receivers) noexcept {
                              on_sent_home(key, node, bytes, receivers);
                            });
  }
  drop_if_idle(outpost);
}

void SessionOutposts::send(const Uuid& node, const Uuid& key, NodeMessage message) noexcept {
  const std::string bytes = encode(NodeEnvelope{
      .from = worker_.service().nodes->self(), .key = key, .message = std::move(message)});
  worker_.store().publish(node, BufferRef::copy_of(bytes), [](Result<std::uint32_t>) noexcept {});
}

// What is to be kept waits where nobody is home, and is said again where nobody was.
void SessionOutposts::send_home(Outpost& outpost, const NodeMessage& message,
                                bool is_to_be_kept) noexcept {
  BufferRef bytes = BufferRef::copy_of(encode(NodeEnvelope{
      .from = worker_.service().nodes->self(), .key = outpost.key, .message = message}));
  if (outpost.phase != Outpost::Phase::settled) {
    if (is_to_be_kept && outpost.unsent.size() >= unsent_max) return refuse_kept(outpost, bytes);
    if (is_to_be_kept) outpost.unsent.push_back(std::move(bytes));
    return;
  }
  const BufferRef kept = is_to_be_kept ? bytes : BufferRef();
  worker_.store().publish(
      outpost.home, std::move(bytes),
      [this, key = outpost.key, node = outpost.home, kept](
          Result<std::uint32_t> receivers) noexcept { on_sent_home(key, node, kept, receivers); });
}

void SessionOutposts::on_sent_home(const Uuid& key, const Uuid& node, const BufferRef& kept,
                                   const Result<std::uint32_t>& receivers) noexcept {
  if (receivers && *receivers > 0) return;
  Outpost* outpost = find(key);
  if (outpost == nullptr || outpost->home != node) return;
  if (kept && (!receivers || outpost->unsent.size() >= unsent_max)) {
    refuse_kept(*outpost, kept);
  } else if (kept) {
    outpost->unsent.push_back(kept);
  }
  if (!receivers || outpost->phase != Outpost::Phase::settled) return;
  outpost->needs_enroll = true;
  worker_.service().nodes->report_deaf(worker_, node);
  look_later(*outpost);
}

void SessionOutposts::enroll(Outpost& outpost) noexcept {
  outpost.needs_enroll = false;
  if (outpost.members.empty()) return;
  Enroll part;
  part.is_first = true;
  for (const auto& [id, member] : outpost.members) {
    if (part.members.size() == enroll_max) {
      send_home(outpost, part, false);
      part = {};
    }
    part.members.push_back({id, member.seat.connection, member.name});
  }
  part.is_last = true;
  send_home(outpost, part, false);
}

// --- Refusing ------------------------------------------------------------------------------------

void SessionOutposts::refuse_ask(const OutpostAsks::Ask& ask, const HttpFault& fault) noexcept {
  worker_.home().answer_error(ask.from_worker, ask.from_peer, fault);
}

void SessionOutposts::refuse_asks(Outpost& outpost, const HttpFault& fault) noexcept {
  for (const OutpostAsks::Ask& ask : outpost.asks.take_all())
    refuse_ask(ask, fault);
  for (const NodeEnvelope& envelope : std::exchange(outpost.foreign, {})) {
    const PeerRef* peer = asker_of(envelope.message);
    if (peer == nullptr) continue;
    std::string body;
    append_error_body(body, fault.code, fault.message);
    send(envelope.from, outpost.key,
         Answer{*peer, static_cast<std::uint16_t>(fault.status), body, {}});
  }
  outpost.wants_home = false;
}

// The connections stay, and are told that nobody can carry this out now.
void SessionOutposts::refuse_message(Outpost& outpost, MemberId member,
                                     const ClientMessage& message) noexcept {
  const std::string_view type = message_names[message.index()];
  const auto found = outpost.members.find(member);
  if (found == outpost.members.end() || std::holds_alternative<ReportMessage>(message)) return;
  worker_.metrics().count_refusal(Refusal::unavailable);
  std::string& text = worker_.scratch();
  encode_error(text, Refusal::unavailable, "the session's home cannot be reached now, try again",
               type);
  worker_.home().send_to_seat(found->second.seat, make_frame(WebSocketOpcode::text, text),
                              SendClass::droppable);
}

// What a member said, as it was to be sent.
void SessionOutposts::refuse_kept(Outpost& outpost, const BufferRef& kept) noexcept {
  const auto envelope = decode_node_message(text_of(kept));
  const Said* said = envelope ? std::get_if<Said>(&envelope->message) : nullptr;
  if (said == nullptr) return;
  std::string padded = said->text;
  padded.resize(said->text.size() + json_padding);
  const auto message =
      decode_client_message({padded.data(), said->text.size()}, worker_.message_decoder());
  if (message) refuse_message(outpost, said->member, *message);
}

}  // namespace videosync
