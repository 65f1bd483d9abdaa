// SessionOutposts: who is home, what waits for it, and becoming the home. What nodes say to each
// other is in outpost_messages.cpp.
#include "server/session_outposts.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "proto/http_response.h"
#include "proto/messages.h"
#include "proto/websocket_frames.h"
#include "server/homed_session.h"
#include "server/nodes.h"
#include "server/outpost.h"
#include "server/stored_session.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr std::int64_t tick_ms = 250;
constexpr std::int64_t ask_us = 5'000'000;
constexpr int times_unknown_max = 20;  // ticks
// In this time after the store's return the homes have written back what it may have lost.
constexpr std::int64_t write_back_us = 2'000'000;
constexpr std::size_t unsent_max = 256;
constexpr std::size_t enroll_max = 1'000;

// In the order of ClientMessage.
constexpr std::string_view message_names[] = {"play", "pause",  "seek",     "rate",     "load",
                                              "give", "claim",  "settings", "kick",     "end",
                                              "ping", "report", "chat",     "reaction", "name"};
static_assert(std::size(message_names) == std::variant_size_v<ClientMessage>);

}  // namespace

SessionOutposts::SessionOutposts(Worker& worker) noexcept
    : worker_(worker),
      timer_([](void* self) noexcept { static_cast<SessionOutposts*>(self)->on_tick(); }, this) {}

SessionOutposts::~SessionOutposts() = default;

SessionOutposts::Outpost* SessionOutposts::find(const Uuid& key) noexcept {
  const auto found = outposts_.find(key);
  return found != outposts_.end() ? found->second.get() : nullptr;
}

SessionOutposts::Outpost& SessionOutposts::open(const Uuid& key) noexcept {
  auto& outpost = outposts_[key];
  if (!outpost) outpost = std::make_unique<Outpost>(key, worker_.service().workers.size());
  return *outpost;
}

void SessionOutposts::drop_if_idle(Outpost& outpost) noexcept {
  if (!outpost.is_idle()) return;
  if (outpost.is_following) worker_.store().unfollow(outpost.key);
  outposts_.erase(Uuid(outpost.key));
}

const std::string* SessionOutposts::video_of(const Uuid& key) const noexcept {
  const auto found = outposts_.find(key);
  // It is not heard of before the first change.
  const bool is_known = found != outposts_.end() && !found->second->video.empty();
  return is_known ? &found->second->video : nullptr;
}

bool SessionOutposts::has_members(const Uuid& key) const noexcept {
  const auto found = outposts_.find(key);
  return found != outposts_.end() && !found->second->members.empty();
}

// --- What local clients want ---------------------------------------------------------------------

void SessionOutposts::join(const SessionHome::JoinOrder& order) noexcept {
  add_ask({.key = order.key,
           .kind = Ask::Kind::join,
           .from_worker = order.from_worker,
           .from_peer = order.from_peer,
           .request = order.request,
           .host_token = {}});
}

void SessionOutposts::info(const Uuid& key, std::uint32_t from_worker,
                           SlotHandle from_peer) noexcept {
  add_ask({.key = key,
           .kind = Ask::Kind::info,
           .from_worker = from_worker,
           .from_peer = from_peer,
           .request = {},
           .host_token = {}});
}

void SessionOutposts::end(const Uuid& key, const std::optional<Token>& host_token,
                          std::uint32_t from_worker, SlotHandle from_peer) noexcept {
  add_ask({.key = key,
           .kind = Ask::Kind::end,
           .from_worker = from_worker,
           .from_peer = from_peer,
           .request = {},
           .host_token = host_token});
}

void SessionOutposts::add_ask(Ask ask) noexcept {
  if (!is_store_ready_) return refuse_ask(ask, store_away_fault);
  const std::uint64_t number = ++last_ask_;
  ask.deadline_us = worker_.monotonic_us() + ask_us;
  Outpost& outpost = open(ask.key);
  if (ask.kind != Ask::Kind::info) outpost.wants_home = true;
  outpost.asks.push_back(number);
  asks_.emplace(number, std::move(ask));
  if (outpost.phase == Outpost::Phase::settled) {
    // Whoever only asked so far did not need the session's channel.
    if (outpost.is_following || !outpost.needs_home()) return send_ask(outpost, number);
    return settle_on(outpost, outpost.home);
  }
  if (outpost.phase == Outpost::Phase::idle) look(outpost);
}

// What was asked again is answered again: only the latest answer counts.
std::optional<SessionOutposts::Ask> SessionOutposts::take_answered(const PeerRef& peer) noexcept {
  const auto found = asks_.find(peer.slot);
  if (found == asks_.end() || found->second.tries != peer.worker) return std::nullopt;
  return take_ask(peer.slot);
}

std::optional<SessionOutposts::Ask> SessionOutposts::take_ask(std::uint64_t number) noexcept {
  auto taken = asks_.extract(number);
  if (!taken) return std::nullopt;
  if (Outpost* outpost = find(taken.mapped().key)) std::erase(outpost->asks, number);
  return std::move(taken.mapped());
}

void SessionOutposts::refuse_ask(const Ask& ask, const HttpFault& fault) noexcept {
  worker_.home().answer_error(ask.from_worker, ask.from_peer, fault);
}

void SessionOutposts::refuse_asks(Outpost& outpost, const HttpFault& fault) noexcept {
  for (const std::uint64_t number : std::exchange(outpost.asks, {})) {
    if (const auto ask = asks_.extract(number)) refuse_ask(ask.mapped(), fault);
  }
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

void SessionOutposts::said(const Uuid& key, MemberId member,
                           const ClientMessage& message) noexcept {
  Outpost* outpost = find(key);
  if (outpost == nullptr || !outpost->members.contains(member)) return;
  if (!is_store_ready_) return refuse_message(*outpost, member, message);
  std::string text;
  encode_client_message(text, message);
  const bool is_report = std::holds_alternative<ReportMessage>(message);
  send_home(*outpost, Said{member, std::move(text)}, !is_report);
}

void SessionOutposts::left(const Uuid& key, MemberId member, ConnectionNumber connection) noexcept {
  Outpost* outpost = find(key);
  if (outpost == nullptr) return;
  const auto found = outpost->members.find(member);
  if (found != outpost->members.end() && found->second.seat.connection == connection) {
    --outpost->members_on[found->second.seat.worker];
    outpost->members.erase(found);
  }
  if (outpost->phase == Outpost::Phase::settled && is_store_ready_) {
    send(outpost->home, key, Leave{member, connection});
  }
  drop_if_idle(*outpost);
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

// --- Who is home ---------------------------------------------------------------------------------

bool SessionOutposts::is_absent(const Uuid& home) const noexcept {
  return home == Uuid{} || home == worker_.service().nodes->self() || dead_.contains(home);
}

void SessionOutposts::look_again(const Uuid& key) noexcept {
  look(open(key));
}

void SessionOutposts::look(Outpost& outpost) noexcept {
  using Phase = Outpost::Phase;
  if (outpost.phase == Phase::looking || outpost.phase == Phase::taking) return;
  outpost.phase = Phase::looking;
  worker_.store().load(outpost.key, [this, key = outpost.key](Result<StoredValue> value) noexcept {
    on_looked(key, value);
  });
}

void SessionOutposts::look_later(Outpost& outpost) noexcept {
  outpost.phase = Outpost::Phase::idle;
  look_later_.push_back(outpost.key);
}

// The store has refused, or is about to be lost. Members stay, and somebody has to be home.
void SessionOutposts::try_later(Outpost& outpost) noexcept {
  look_later(outpost);
  drop_if_idle(outpost);
}

void SessionOutposts::on_looked(const Uuid& key, const Result<StoredValue>& value) noexcept {
  Outpost* outpost = find(key);
  if (outpost == nullptr || outpost->phase != Outpost::Phase::looking) return;
  outpost->phase = Outpost::Phase::idle;
  if (!value) {
    if (value.error().code == ErrorCode::not_found) return on_unknown(*outpost);
    if (value.error().code == ErrorCode::conflict) return on_ended(*outpost);
    refuse_asks(*outpost, store_away_fault);
    return try_later(*outpost);
  }
  const auto stored = decode_stored_session(value->bytes);
  if (!stored) {
    log_error("session", "a stored session cannot be read", field("why", stored.error().message));
    return on_unknown(*outpost);
  }
  // It has lost the latest (a failover does): whoever is home brings it back.
  const bool is_behind = value->version.epoch < outpost->epoch && !is_absent(outpost->home);
  if (is_behind && ++outpost->times_unknown < times_unknown_max) return look_later(*outpost);
  outpost->times_unknown = 0;
  if (!is_absent(stored->home)) return settle_on(*outpost, stored->home);
  if (outpost->needs_home()) return take_over(*outpost, *value, stored->record);
  answer_infos(*outpost, stored->record);
}

// The store may have lost it, and its home may be about to write it back.
void SessionOutposts::on_unknown(Outpost& outpost) noexcept {
  const bool is_returning =
      returned_us_ > 0 && worker_.monotonic_us() - returned_us_ < write_back_us;
  if (is_returning) return look_later(outpost);
  return_foreign(outpost);
  refuse_asks(outpost, session_not_found_fault);
  if (!outpost.members.empty() && ++outpost.times_unknown < times_unknown_max) {
    return look_later(outpost);
  }
  on_ended(outpost);
}

void SessionOutposts::on_ended(Outpost& outpost) noexcept {
  return_foreign(outpost);
  refuse_asks(outpost, session_not_found_fault);
  close_all(outpost, close_code::session_ended);
  drop_if_idle(outpost);
}

// To the nodes that took this one for the home: they look again.
void SessionOutposts::return_foreign(Outpost& outpost) noexcept {
  for (const NodeEnvelope& envelope : std::exchange(outpost.foreign, {}))
    send(envelope.from, outpost.key, Returned{encode(envelope)});
}

// Nobody has it open: what the record says is all there is.
void SessionOutposts::answer_infos(Outpost& outpost, std::string_view bytes) noexcept {
  const auto record = decode_session_record(bytes);
  for (const std::uint64_t number : std::exchange(outpost.asks, {})) {
    const auto ask = asks_.extract(number);
    if (!ask) continue;
    if (!record) {
      refuse_ask(ask.mapped(), session_not_found_fault);
      continue;
    }
    worker_.home().answer_json(
        ask.mapped().from_worker, ask.mapped().from_peer, 200,
        worker_.home().describe(outpost.key, record->settings, 0, record->state));
  }
  drop_if_idle(outpost);
}

void SessionOutposts::settle_on(Outpost& outpost, const Uuid& home) noexcept {
  if (outpost.home != home) {
    outpost.home = home;
    outpost.needs_enroll = true;
    worker_.service().nodes->watch(worker_, home);
  }
  return_foreign(outpost);
  if (outpost.is_following || !outpost.needs_home()) {
    outpost.phase = Outpost::Phase::settled;
    return speak(outpost);
  }
  // Only who hears the session may join it: nothing that follows the welcome is to be missed.
  outpost.phase = Outpost::Phase::following;
  worker_.store().follow(outpost.key, [this, key = outpost.key](Result<> done) noexcept {
    Outpost* followed = find(key);
    if (followed == nullptr) return worker_.store().unfollow(key);
    if (!done) {
      // It would last, and nobody would know of it.
      if (!followed->is_following) worker_.store().unfollow(key);
      if (followed->phase != Outpost::Phase::following) return;
      refuse_asks(*followed, store_away_fault);
      return try_later(*followed);
    }
    followed->is_following = true;
    if (followed->phase != Outpost::Phase::following) return;
    followed->phase = Outpost::Phase::settled;
    speak(*followed);
  });
}

void SessionOutposts::speak(Outpost& outpost) noexcept {
  if (outpost.needs_enroll) enroll(outpost);
  const std::vector<std::uint64_t> asks = outpost.asks;
  for (const std::uint64_t number : asks)
    send_ask(outpost, number);
  for (BufferRef& bytes : std::exchange(outpost.unsent, {})) {
    worker_.store().publish(outpost.home, bytes,
                            [this, key = outpost.key, node = outpost.home,
                             bytes](Result<std::uint32_t> receivers) noexcept {
                              on_sent_home(key, node, bytes, receivers);
                            });
  }
  drop_if_idle(outpost);
}

void SessionOutposts::send_ask(Outpost& outpost, std::uint64_t number) noexcept {
  const auto found = asks_.find(number);
  if (found == asks_.end()) return;
  Ask& ask = found->second;
  const PeerRef peer{++ask.tries, number};
  switch (ask.kind) {
    case Ask::Kind::join:
      return send_home(outpost,
                       JoinAsk{peer, ask.request.name, ask.request.resume, ask.request.host_token},
                       false);
    case Ask::Kind::info:
      return send_home(outpost, InfoAsk{peer}, false);
    case Ask::Kind::end:
      return send_home(outpost, DeleteAsk{peer, ask.host_token}, false);
  }
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

// --- Becoming the home ---------------------------------------------------------------------------

void SessionOutposts::take_over(Outpost& outpost, const StoredValue& value,
                                std::string_view bytes) noexcept {
  const auto record = decode_session_record(bytes);
  if (!record) {
    log_error("session", "a stored session cannot be read", field("why", record.error().message));
    return on_unknown(outpost);
  }
  const Service& service = worker_.service();
  std::vector<MemberInfo> known;
  known.reserve(outpost.everybody.size());
  for (const auto& [id, member] : outpost.everybody)
    known.push_back(member);
  auto machine = SessionMachine::reopen(service.session_limits, *record, outpost.epoch, known,
                                        worker_.server_us());
  machine->take_durable_changed();
  const StoreVersion version{machine->state().epoch, value.version.revision + 1};
  const Uuid self = service.nodes->self();
  const BufferRef next = encode_stored_session({self, machine->encode()});
  const BufferRef moved = BufferRef::copy_of(
      encode(NodeEnvelope{.from = self, .key = outpost.key, .message = Moved{version.epoch}}));
  const Uuid from = decode_stored_session(value.bytes)->home;
  outpost.phase = Outpost::Phase::taking;
  worker_.store().change(outpost.key, value.version, version, next, worker_.home().store_ttl_us(),
                         moved,
                         [this, key = outpost.key, machine = std::move(machine), version,
                          from](Result<> result) mutable noexcept {
                           on_taken(key, std::move(machine), version, from, result);
                         });
}

void SessionOutposts::on_taken(const Uuid& key, std::unique_ptr<SessionMachine> machine,
                               StoreVersion version, const Uuid& from,
                               const Result<>& result) noexcept {
  Outpost* outpost = find(key);
  VS_ASSERT(outpost != nullptr && outpost->phase == Outpost::Phase::taking);
  outpost->phase = Outpost::Phase::idle;
  if (!result) {
    const ErrorCode code = result.error().code;
    if (code == ErrorCode::conflict) return look(*outpost);
    if (code == ErrorCode::not_found) return on_unknown(*outpost);
    refuse_asks(*outpost, store_away_fault);
    return try_later(*outpost);
  }
  const Uuid self = worker_.service().nodes->self();
  if (from != Uuid{} && from != self) send(from, key, Moved{version.epoch});
  // Out of the map first: from here on the session is at home here.
  const std::unique_ptr<Outpost> old = std::move(outposts_.extract(key).mapped());
  if (old->is_following) worker_.store().unfollow(key);
  worker_.home().move_in(key, std::move(machine), version, old->members, old->host_told);
  deliver_asks(old->asks);
  for (const BufferRef& bytes : old->unsent) {
    auto envelope = decode_node_message(text_of(bytes));
    if (envelope) on_envelope(std::move(*envelope));
  }
  for (NodeEnvelope& envelope : old->foreign)
    on_envelope(std::move(envelope));
}

void SessionOutposts::open_for(const Uuid& key, const Uuid& home, LocalMembers members,
                               const SessionMachine& known, std::uint64_t epoch) noexcept {
  if (members.empty()) return;
  Outpost& outpost = open(key);
  for (const auto& [id, member] : members)
    ++outpost.members_on[member.seat.worker];
  outpost.members = std::move(members);
  for (const MemberInfo& member : known.members())
    remember(outpost, member);
  outpost.epoch = epoch;
  outpost.video = known.state().video;
  outpost.host_told = known.host();
  outpost.needs_enroll = true;
  if (is_absent(home)) {
    look_later(outpost);
  } else {
    settle_on(outpost, home);
  }
}

SessionOutposts::Closed SessionOutposts::close(const Uuid& key) noexcept {
  auto closed = outposts_.extract(key);
  if (closed.empty()) return {};
  Outpost& outpost = *closed.mapped();
  if (outpost.is_following) worker_.store().unfollow(key);
  return {std::move(outpost.members), std::move(outpost.asks)};
}

void SessionOutposts::deliver_asks(const std::vector<std::uint64_t>& asks) noexcept {
  SessionHome& home = worker_.home();
  for (const std::uint64_t number : asks) {
    const auto ask = asks_.extract(number);
    if (!ask) continue;
    Ask& asked = ask.mapped();
    if (asked.kind == Ask::Kind::join) {
      home.on_join({asked.from_worker, asked.from_peer, asked.key, std::move(asked.request)});
    } else if (asked.kind == Ask::Kind::info) {
      home.on_info(asked.key, asked.from_worker, asked.from_peer);
    } else {
      home.on_delete(asked.key, asked.host_token, asked.from_worker, asked.from_peer);
    }
  }
}

// --- Time ----------------------------------------------------------------------------------------

void SessionOutposts::on_store_ready() noexcept {
  is_store_ready_ = true;
  if (std::exchange(was_ready_, true)) returned_us_ = worker_.monotonic_us();
  // What was said meanwhile was not heard: every home is asked anew.
  for (auto& [key, outpost] : outposts_) {
    outpost->needs_enroll = true;
    if (outpost->phase == Outpost::Phase::idle || outpost->phase == Outpost::Phase::settled) {
      look_later(*outpost);
    }
  }
  worker_.home().on_store_ready();
  if (!timer_.is_armed()) {
    worker_.reactor().timers().schedule(timer_, worker_.reactor().now_ms() + 1);
  }
}

void SessionOutposts::on_node_lost(const Uuid& node) noexcept {
  dead_.insert(node);
  std::vector<Uuid> orphans;
  for (const auto& [key, outpost] : outposts_) {
    if (outpost->home == node) orphans.push_back(key);
  }
  for (const Uuid& key : orphans) {
    if (Outpost* outpost = find(key)) look(*outpost);
  }
  worker_.home().on_node_lost(node);
}

void SessionOutposts::on_tick() noexcept {
  const std::int64_t now_us = worker_.monotonic_us();
  std::vector<std::uint64_t> late;
  for (const auto& [number, ask] : asks_) {
    if (ask.deadline_us <= now_us) late.push_back(number);
  }
  for (const std::uint64_t number : late) {
    const auto ask = take_ask(number);
    refuse_ask(*ask, store_away_fault);
    if (Outpost* outpost = find(ask->key)) drop_if_idle(*outpost);
  }
  if (is_store_ready_) {
    for (const Uuid& key : std::exchange(look_later_, {})) {
      Outpost* outpost = find(key);
      if (outpost != nullptr && outpost->phase == Outpost::Phase::idle) look(*outpost);
    }
    worker_.home().on_tick();
  }
  worker_.reactor().timers().schedule(timer_, worker_.reactor().now_ms() + tick_ms);
}

}  // namespace videosync
