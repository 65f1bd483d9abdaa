// What an outpost is told by other nodes, and what it says to its home.
#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "proto/websocket/websocket_frames.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;
using Phase = Outpost::Phase;

namespace {

constexpr std::size_t foreign_max = 10'000;
constexpr std::uint8_t hops_max = 4;
constexpr std::size_t enroll_max = node::list_max;

// Whether what was seen of a session's line, up to `commands` at the fence at which it was told, is
// in part no part of it any more, as the latest take-overs tell.
bool is_undone(const Outpost& outpost, std::span<const Fork> forks) noexcept {
  if (outpost.line_fence == 0 || forks.empty()) return false;
  const auto next = std::ranges::find_if(
      forks, [&](const Fork& fork) noexcept { return fork.fence > outpost.line_fence; });
  if (next == forks.end()) return false;
  const bool is_ancestor =
      std::ranges::find(forks, outpost.line_fence, &Fork::fence) != forks.end();
  // A line beside: the two have in common what both took over.
  const auto own = decode_stored_session(outpost.record);
  const bool is_beside = !is_ancestor && own && !own->record.forks.empty() &&
                         own->record.forks.back().fence == outpost.line_fence;
  const std::uint64_t own_commands = is_beside ? own->record.forks.back().commands : next->commands;
  return outpost.commands > std::min(own_commands, next->commands);
}

}  // namespace

// --- To the home ---------------------------------------------------------------------------------

// Names and texts of other nodes may add up to more than fits. Who waits for it is refused later.
void Impl::log_unsaid(const Uuid& key) noexcept {
  log_error("session", "a message to another node is too long to be sent",
            field("session", key.to_string().substr(0, 8)));
}

void Impl::send(const Uuid& node, const Uuid& key, std::uint64_t fence,
                node::Message message) noexcept {
  VS_ASSERT(!is_alone());
  VS_ASSERT(depth_ > 0);
  const std::string bytes = encode(
      node::Envelope{.from = self(), .key = key, .fence = fence, .message = std::move(message)});
  if (bytes.empty()) return log_unsaid(key);
  ports_.store.publish(Channel::of_node(node), BufferRef::copy_of(bytes),
                       [](Result<std::uint32_t>) noexcept {});
}

// Where nobody is home whoever is next is asked and told anew.
void Impl::send_home(Residence& residence, node::Message message) noexcept {
  Outpost& outpost = residence.outpost_part();
  if (residence.home || outpost.phase != Phase::settled) return;
  outpost.assert_sound();
  const auto* said = std::get_if<node::Said>(&message);
  const std::uint64_t number = said != nullptr ? said->number : 0;
  const bool is_farewell = outpost.needs_farewell && outpost.members.empty() &&
                           (std::holds_alternative<node::Leave>(message) ||
                            std::holds_alternative<node::Enroll>(message));
  if (auto* join = std::get_if<node::Join>(&message)) join->chat_known = outpost.chat.newest();
  const std::string bytes = encode(node::Envelope{
      .from = self(), .key = residence.key, .fence = outpost.fence, .message = std::move(message)});
  if (bytes.empty()) return log_unsaid(residence.key);
  ports_.store.publish(
      Channel::of_node(outpost.home), BufferRef::copy_of(bytes),
      answered<std::uint32_t>([this, key = residence.key, node = outpost.home, number,
                               is_farewell](const Result<std::uint32_t>& receivers) noexcept {
        if (is_farewell && receivers && *receivers > 0) return on_farewell_heard(key, node);
        on_sent_home(key, node, number, receivers);
      }));
}

// What has reached nobody is said again when it is known who is home; so it is where the store has
// failed, and then the home tells what it has heard.
void Impl::on_sent_home(const Uuid& key, const Uuid& node, std::uint64_t said,
                        const Result<std::uint32_t>& receivers) noexcept {
  if (receivers && *receivers > 0) {
    if (!deaf_.empty() && deaf_.erase(node) > 0) {
      to_nodes([node](NodePort& nodes) noexcept { nodes.report_hearing(node); });
    }
    return;
  }
  Residence* residence = find(key);
  if (residence == nullptr || residence->home) return;
  Outpost& outpost = residence->away();
  VS_ASSERT(said <= last_number_);
  outpost.needs_enroll = true;
  if (!receivers) return;
  outpost.outbox.take_back(said);
  if (outpost.phase != Phase::settled) return;
  if (outpost.home != node) return speak(*residence);
  deaf_.insert(node);
  to_nodes([node](NodePort& nodes) noexcept { nodes.report_deaf(node); });
  look_later(*residence);
}

void Impl::on_farewell_heard(const Uuid& key, const Uuid& home) noexcept {
  Residence* residence = find(key);
  if (residence == nullptr || residence->home || residence->away().home != home) return;
  residence->away().needs_farewell = false;
  drop_if_idle(*residence);
}

void Impl::speak(Residence& residence) noexcept {
  Outpost& outpost = residence.away();
  VS_ASSERT(outpost.phase == Phase::settled);
  if (outpost.needs_enroll) enroll(residence);
  if (!presence_.is_apart(residence.key)) {
    for (const node::Message& message : outpost.asks.attempt_all())
      send_home(residence, message);
  }
  send_unsent(residence);
  drop_if_idle(residence);
}

void Impl::send_unsent(Residence& residence) noexcept {
  // What the home says to it would not be heard here.
  if (presence_.is_apart(residence.key)) return;
  // The home's answer to the enrolling settles them.
  Outbox& outbox = residence.away().outbox;
  if (outbox.has_doubts()) return;
  for (node::Said& said : outbox.send())
    send_home(residence, std::move(said));
}

void Impl::enroll(Residence& residence) noexcept {
  Outpost& outpost = residence.away();
  outpost.needs_enroll = false;
  outpost.outbox.drop_absent(
      [&](MemberId member) noexcept { return !outpost.members.contains(member); });
  outpost.outbox.restart(0);
  outpost.assert_sound();
  if (outpost.members.empty() && !outpost.needs_farewell) return;
  outpost.needs_farewell = outpost.members.empty();
  node::Enroll part;
  part.is_first = true;
  for (const auto& [id, member] : outpost.members) {
    if (part.members.size() == enroll_max) {
      send_home(residence, std::move(part));
      part = {};
    }
    part.members.push_back({id, member.number, member.name, member.browser});
  }
  part.is_last = true;
  const bool is_nobody_awaited = outpost.members.empty() && outpost.asks.empty();
  part.casts = is_nobody_awaited ? node::Enroll::all_casts : outpost.casts;
  send_home(residence, std::move(part));
}

// --- What comes in -------------------------------------------------------------------------------

void Impl::envelope(node::Envelope envelope) noexcept {
  VS_ASSERT(!is_alone());
  VS_ASSERT(effects_.empty());
  if (envelope.from == self()) return;
  give_way(envelope.key, envelope.fence);
  const auto from_home = [&](const auto& message) noexcept { from_a_home(envelope, message); };
  std::visit(
      Overloaded{
          [&](const node::Joined& joined) noexcept { from_home(joined); },
          [&](const node::Tell& tell) noexcept { from_home(tell); },
          [&](const node::Close& close) noexcept { from_home(close); },
          [&](const node::Gap& gap) noexcept { from_home(gap); },
          [&](const node::Cast& cast) noexcept { from_home(cast); },
          [&](const node::Moved&) noexcept {
            on_moved(envelope.key, envelope.from, envelope.fence, true);
          },
          [&](const node::Answer& answer) noexcept { on_answer(envelope.key, answer); },
          [&](const node::Take&) noexcept { on_take(envelope.key); },
          [&](const node::KnockDecided& decided) noexcept { on_decided(envelope.key, decided.id); },
          [&](const node::Returned&) noexcept { on_returned(envelope.key, envelope.from); },
          [](const node::Alive&) noexcept {},
          [](const node::Bye&) noexcept {},
          [&](const auto&) noexcept { to_home(std::move(envelope)); },
      },
      envelope.message);
}

void Impl::event(const Uuid& key, const BufferRef& event) noexcept {
  VS_ASSERT(!is_alone());
  VS_ASSERT(effects_.empty());
  if (find(key) == nullptr) return;
  auto envelope = node::decode(event.text());
  if (!envelope || envelope->key != key) {
    log_warn("nodes", "an event of a session cannot be read",
             field("why", envelope ? "of another session" : envelope.error().message));
    return;
  }
  if (envelope->from == self()) return;
  give_way(key, envelope->fence);
  if (std::holds_alternative<node::Moved>(envelope->message)) {
    return on_moved(key, envelope->from, envelope->fence, false);
  }
  const auto* cast = std::get_if<node::Cast>(&envelope->message);
  if (cast != nullptr) from_a_home(*envelope, *cast);
}

// For the session's home. It may be about to come here; and if it is not, the sender is told.
void Impl::to_home(node::Envelope envelope) noexcept {
  VS_ASSERT(envelope.from != self());
  Residence* residence = find(envelope.key);
  if (residence != nullptr && residence->is_home()) return home_envelope(*residence, envelope);
  if (const auto ended = unremoved_.find(envelope.key); ended != unremoved_.end()) {
    // Its node has missed the end; and what it asks for is answered, or it would wait in vain.
    if (const BufferRef& event = ended->second.event) {
      ports_.store.publish(Channel::of_node(envelope.from), event,
                           [](Result<std::uint32_t>) noexcept {});
    }
    return refuse_foreign(envelope, ended->second.last.fence, SessionFault::not_found);
  }
  if (std::holds_alternative<node::Leave>(envelope.message) && residence == nullptr) return;
  if (std::holds_alternative<node::KnockGone>(envelope.message)) return;
  if (std::holds_alternative<node::UploadNews>(envelope.message)) return;
  if (envelope.hops >= hops_max) return;
  Residence& asked = residence != nullptr ? *residence : open(envelope.key);
  Outpost& outpost = asked.outpost_part();
  const bool is_elsewhere =
      !asked.home && (outpost.phase == Phase::settled || outpost.phase == Phase::following);
  // Unless its sender may know better, from the store, than this node does.
  if (is_elsewhere && envelope.fence < outpost.fence) {
    ++envelope.hops;
    return send(envelope.from, asked.key, outpost.fence, node::Returned{encode(envelope)});
  }
  ++envelope.hops;
  if (outpost.foreign.size() < foreign_max) outpost.foreign.push_back(std::move(envelope));
  if (!asked.home) look(asked);
}

// The higher fence is the session: a home that hears of one goes on as an outpost, whoever says it
// and whatever is said with it.
void Impl::give_way(const Uuid& key, std::uint64_t fence) noexcept {
  Residence* residence = find(key);
  if (residence == nullptr || !residence->is_home()) return;
  if (fence <= residence->home->version.fence) return;
  log_warn("session", "another node has taken the session over");
  VS_ASSERT(effects_.empty());
  superseded(*residence);
  VS_ASSERT(find(key) == nullptr || !find(key)->home);
}

template <class Message>
void Impl::from_a_home(const node::Envelope& envelope, const Message& message) noexcept {
  Residence* residence = find(envelope.key);
  if (residence != nullptr && residence->is_home()) {
    const std::uint64_t own = residence->at_home().version.fence;
    VS_ASSERT(envelope.fence <= own);
    if (envelope.fence == own) return;
    return tell_who_is_home(envelope.from, *residence);
  }
  if (residence == nullptr) return on_nobody(envelope, message);
  if (residence->home || !accept_home(*residence, envelope.from, envelope.fence)) return;
  residence = find(envelope.key);
  if (residence == nullptr) return on_nobody(envelope, message);
  if (!residence->home) apply(*residence, message);
}

// Whoever asked is gone, or was refused because it took too long.
void Impl::on_nobody(const node::Envelope& envelope, const auto& message) noexcept {
  if constexpr (std::is_same_v<std::remove_cvref_t<decltype(message)>, node::Joined>) {
    send(envelope.from, envelope.key, envelope.fence,
         node::Leave{message.member, message.connection});
  }
}

// Whether `from` speaks as the session's home: at the fence that is known, or above it.
bool Impl::accept_home(Residence& residence, const Uuid& from, std::uint64_t fence) noexcept {
  Outpost& outpost = residence.away();
  if (fence < outpost.fence) return false;
  if (fence == outpost.fence && from == outpost.home) return true;
  if (fence == outpost.fence && outpost.home != Uuid{}) return false;
  VS_ASSERT(from != self());
  if (outpost.phase == Phase::taking) return false;  // the store will tell
  node_alive(from);
  settle_on(residence, from, fence);
  return true;
}

void Impl::on_moved(const Uuid& key, const Uuid& home, std::uint64_t fence,
                    bool is_asked) noexcept {
  if (home == self()) return;
  Residence* residence = find(key);
  if (residence == nullptr) {
    // It takes members of this node for connected: there are none.
    if (is_asked) {
      send(home, key, fence,
           node::Enroll{
               .members = {}, .is_first = true, .is_last = true, .casts = node::Enroll::all_casts});
    }
    return;
  }
  if (residence->is_home()) {
    const std::uint64_t own = residence->at_home().version.fence;
    VS_ASSERT(fence <= own);
    if (fence == own) return;
    return tell_who_is_home(home, *residence);
  }
  if (residence->home) return;
  // It is home, and does not know of the one that this outpost follows.
  Outpost& outpost = residence->away();
  if (fence < outpost.fence) return send(home, key, outpost.fence, node::Returned{});
  outpost.needs_enroll = true;
  const bool is_known = outpost.home == home && outpost.phase == Phase::settled;
  if (!accept_home(*residence, home, fence) || !is_known) return;
  residence = find(key);  // to settle may have been the end of it
  if (residence == nullptr || residence->home) return;
  Outpost& settled = residence->away();
  if (settled.needs_enroll && settled.phase == Phase::settled) speak(*residence);
}

void Impl::on_take(const Uuid& key) noexcept {
  Residence* residence = find(key);
  if (residence != nullptr && residence->home) return;
  Residence& taken = residence != nullptr ? *residence : open(key);
  VS_ASSERT(!is_alone());
  taken.away().wants_home = true;
  look(taken);
}

// The node that was asked is not the home. What is asked here is asked again once it is known who
// is; what members said is said again.
void Impl::on_returned(const Uuid& key, const Uuid& from) noexcept {
  Residence* residence = find(key);
  if (residence == nullptr || residence->home) return;
  Outpost& outpost = residence->away();
  if (outpost.home != from || outpost.phase != Phase::settled) return;
  outpost.home = {};
  outpost.needs_enroll = true;
  look_later(*residence);
  outpost.assert_sound();
}

void Impl::on_answer(const Uuid& key, const node::Answer& answer) noexcept {
  Residence* residence = find(key);
  if (residence == nullptr || residence->home) return;
  const auto ask = residence->away().asks.take_answered(answer.ask);
  if (!ask) return;
  VS_ASSERT(ask->attempts == answer.ask.attempt);
  const bool is_done = !answer.fault && !answer.info;
  if (answer.info && !answer.fault && ask->kind == Asks::Ask::Kind::info) {
    const node::Info& told = *answer.info;
    pass_info({key, told.settings, told.members, told.state}, ask->proof, ask->from);
  } else if (is_done && ask->kind == Asks::Ask::Kind::end) {
    this->answer(ask->from, SessionDeleted{});
  } else {
    // Also what is no answer to this.
    constexpr auto unavailable = static_cast<std::uint8_t>(SessionFault::unavailable);
    const std::uint8_t fault = answer.fault.value_or(unavailable);
    const bool is_known = fault <= static_cast<std::uint8_t>(SessionFault::removed);
    refuse_ask(key, *ask, is_known ? static_cast<SessionFault>(fault) : SessionFault::unavailable);
    if (Porch::Knocker* knocker = porch_.find(key, ask->request.connection)) {
      knocker->home = residence->away().home;
      knocker->fence = residence->away().fence;
    }
  }
  drop_if_idle(*residence);
}

// --- From the home -------------------------------------------------------------------------------

void Impl::learn_record(Residence& residence, std::uint64_t revision, std::uint64_t commands,
                        const std::string& record) noexcept {
  Outpost& outpost = residence.away();
  if (record.empty()) {
    if (outpost.line_fence == outpost.fence)
      outpost.commands = std::max(outpost.commands, commands);
    return;
  }
  // Its bytes are left to the store, or gone on from, when nobody else has them any more.
  const auto stored = decode_stored_session(record);
  if (!stored) {
    return log_warn("nodes", "a record of another node cannot be read",
                    field("why", stored.error().message));
  }
  const bool is_new_home = outpost.line_fence != outpost.fence;
  const bool has_doubts = outpost.outbox.has_doubts();
  if (is_new_home && is_undone(outpost, stored->record.forks)) {
    tell_undone(residence.key, outpost.members_on);
  }
  outpost.line_fence = outpost.fence;
  outpost.revision = revision;
  outpost.commands = commands;
  outpost.record = record;
  outpost.kept_until_us = 0;
  outpost.code = stored->record.code;
  VS_ASSERT(!outpost.record.empty());
  if (!has_doubts) return;
  const auto heard = std::ranges::find(stored->heard, self(), &node::Heard::node);
  if (heard != stored->heard.end()) settle_heard(outpost, *heard, UINT64_MAX);
  refuse_sayings(outpost, outpost.outbox.settle_doubts());
  VS_ASSERT(!outpost.outbox.has_doubts());
  send_unsent(residence);
}

void Impl::judge_undone(Residence& residence, const Outpost& before) noexcept {
  const Home& home = residence.at_home();
  VS_ASSERT(!home.machine->forks().empty());  // it has just been taken over
  if (!is_undone(before, home.machine->forks())) return;
  tell_undone(residence.key, home.members_on);
}

void Impl::tell_undone(const Uuid& key, const std::vector<std::uint32_t>& members_on) noexcept {
  std::string text;
  encode_notice(text, NoticeCode::undone);
  broadcast_here(key, members_on, text, SendClass::reliable);
}

void Impl::apply(Residence& residence, const node::Joined& joined) noexcept {
  Outpost& outpost = residence.away();
  const auto there = outpost.members.find(joined.member);
  const auto ask = outpost.asks.take_join(joined.ask.number);
  if (!ask) {
    const bool is_here =
        there != outpost.members.end() && there->second.number == joined.connection;
    if (is_here) return;
    send_home(residence, node::Leave{joined.member, joined.connection});
    return drop_if_idle(residence);
  }
  VS_ASSERT(ask->kind == Asks::Ask::Kind::join);
  learn_record(residence, joined.revision, joined.commands, joined.record);
  hear_chat(residence, joined.chat, 0);
  if (joined.queue) hear_queue(residence, *joined.queue);
  for (const MemberInfo& member : joined.members)
    remember(outpost, member);
  const auto info = outpost.everybody.find(joined.member);
  // Others here may not have heard of the last change: they still will.
  if (outpost.members.empty()) outpost.host_told = joined.host.value_or(MemberId{});
  // The others were told of another, or will be; the next word of who is host is for all of them.
  if (joined.welcomed_host.value_or(MemberId{}) != outpost.host_told) outpost.is_host_unsure = true;
  note_told(outpost, joined.epoch, joined.seq);
  // What was cast, or went without a cast, before the first member came is nobody's here to hear.
  const bool is_first = !std::exchange(outpost.knows_casts, true) || outpost.members.empty();
  if (is_first) outpost.casts = std::max(outpost.casts, joined.casts);
  // A welcome from before what has been heard already: its member is to be told everything.
  if (joined.casts < outpost.casts) outpost.needs_enroll = outpost.has_missed = true;
  // One from behind what has been heard: what comes in between may be too old for anybody by then.
  if (joined.casts > outpost.casts) outpost.needs_enroll = outpost.has_missed = true;
  if (there != outpost.members.end()) {
    ports_.delivery.close(there->second.at, close_code::connected_elsewhere);
    remove_member(outpost, there);
  }
  const std::string& name = info != outpost.everybody.end() ? info->second.name : ask->request.name;
  add_member(residence, joined.member, {ask->from, joined.connection, name, ask->request.browser});
  begin_member(residence.key, ask->from, joined.member, joined.connection, joined.welcome);
  tell_queue(ask->from, outpost.queue, outpost.queue_epoch);
  tell_history(ask->from, outpost.chat, ask->request.chat_held);
  if (outpost.needs_enroll && outpost.phase == Phase::settled) speak(residence);
}

void Impl::note_told(Outpost& outpost, std::uint64_t epoch, std::uint64_t seq) noexcept {
  if (std::pair(epoch, seq) <= std::pair(outpost.told_epoch, outpost.told_seq)) return;
  outpost.told_epoch = epoch;
  outpost.told_seq = seq;
  outpost.assert_sound();
}

void Impl::apply(Residence& residence, const node::Tell& tell) noexcept {
  const LocalMembers& members = residence.away().members;
  const auto found = members.find(tell.member);
  if (found == members.end()) return;
  VS_ASSERT(found->second.number);
  ports_.delivery.send(found->second.at, make_frame(WebSocketOpcode::text, tell.text),
                       send_class_of(tell.send_class));
}

void Impl::apply(Residence& residence, const node::Close& close) noexcept {
  Outpost& outpost = residence.away();
  // Who has come back elsewhere has not left, though its connection here may be gone already.
  if (close.code == close_code::connected_elsewhere) outpost.left_here.erase(close.member);
  const auto found = outpost.members.find(close.member);
  if (found == outpost.members.end() || found->second.number != close.connection) return;
  ports_.delivery.close(found->second.at, close.code);
  remove_member(outpost, found);
  outpost.assert_sound();
  drop_if_idle(residence);
}

void Impl::apply(Residence& residence, const node::Gap& gap) noexcept {
  if (gap.heard > last_number_) {
    return log_warn("nodes", "another node has heard what nobody here has said");
  }
  Outpost& outpost = residence.away();
  settle_heard(outpost, {.node = self(), .number = gap.heard, .refused = gap.refused}, 0);
  // These are too late for the home, and what follows them waits for them.
  refuse_sayings(outpost, outpost.outbox.take_older(now_us() - saying_us));
  outpost.outbox.restart(gap.heard);
  outpost.assert_sound();
  send_unsent(residence);
}

}  // namespace videosync
