// SessionOutposts: what goes to a session's home, and what becomes of it where nobody hears.
#include <iterator>
#include <utility>

#include "proto/http/http_response.h"
#include "proto/websocket/websocket_frames.h"
#include "proto/wire/messages.h"
#include "server/nodes/nodes.h"
#include "server/session/homed_session.h"
#include "server/session/outpost.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr std::size_t enroll_max = 1'000;

}  // namespace

void SessionOutposts::speak(Outpost& outpost) noexcept {
  if (outpost.needs_enroll) enroll(outpost);
  for (const NodeMessage& message : outpost.asks.try_all())
    send_home(outpost, message);
  send_unsent(outpost);
  drop_if_idle(outpost);
}

void SessionOutposts::send_unsent(Outpost& outpost) noexcept {
  for (Said& said : outpost.outbox.send_unsent(outpost.home, last_number_))
    send_home(outpost, std::move(said));
}

void SessionOutposts::send(const Uuid& node, const Uuid& key, NodeMessage message) noexcept {
  const std::string bytes = encode(NodeEnvelope{
      .from = worker_.service().nodes->self(), .key = key, .message = std::move(message)});
  worker_.store().publish(node, BufferRef::copy_of(bytes), [](Result<std::uint32_t>) noexcept {});
}

// Where nobody is home whoever is next is asked and told anew.
void SessionOutposts::send_home(Outpost& outpost, NodeMessage message) noexcept {
  if (outpost.phase != Outpost::Phase::settled) return;
  const auto* said = std::get_if<Said>(&message);
  const std::uint64_t number = said != nullptr ? said->number : 0;
  const std::string bytes = encode(NodeEnvelope{
      .from = worker_.service().nodes->self(), .key = outpost.key, .message = std::move(message)});
  worker_.store().publish(outpost.home, BufferRef::copy_of(bytes),
                          [this, key = outpost.key, node = outpost.home,
                           number](Result<std::uint32_t> receivers) noexcept {
                            on_sent_home(key, node, number, receivers);
                          });
}

// What has reached nobody is said to the next home, unless the store has failed.
void SessionOutposts::on_sent_home(const Uuid& key, const Uuid& node, std::uint64_t said,
                                   const Result<std::uint32_t>& receivers) noexcept {
  if (receivers && *receivers > 0) return;
  Outpost* outpost = find(key);
  if (outpost == nullptr) return;
  if (!receivers) return refuse_sayings(*outpost, outpost->outbox.take_sent(said));
  outpost->outbox.take_back(said);
  if (outpost->phase != Outpost::Phase::settled) return;
  if (outpost->home != node) return send_unsent(*outpost);
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
      send_home(outpost, std::move(part));
      part = {};
    }
    part.members.push_back({id, member.seat.connection, member.name});
  }
  part.is_last = true;
  send_home(outpost, std::move(part));
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
void SessionOutposts::refuse_saying(const Outpost& outpost, const Outbox::Saying& saying) noexcept {
  const auto found = outpost.members.find(saying.member);
  if (found == outpost.members.end()) return;
  worker_.metrics().count_refusal(Refusal::unavailable);
  std::string& text = worker_.scratch();
  encode_error(text, Refusal::unavailable, "the session's home cannot be reached now, try again",
               saying.type);
  worker_.home().send_to_seat(found->second.seat, make_frame(WebSocketOpcode::text, text),
                              SendClass::answer);
}

void SessionOutposts::refuse_sayings(const Outpost& outpost,
                                     const std::vector<Outbox::Saying>& sayings) noexcept {
  for (const Outbox::Saying& saying : sayings)
    refuse_saying(outpost, saying);
}

}  // namespace videosync
