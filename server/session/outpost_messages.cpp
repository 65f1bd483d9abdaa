// SessionOutposts: what other nodes say.
#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/log.h"
#include "proto/websocket/websocket_frames.h"
#include "proto/wire/messages.h"
#include "server/nodes/nodes.h"
#include "server/session/outpost.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr std::size_t foreign_max = 10'000;
constexpr std::size_t everybody_max = 1'000;
constexpr std::uint8_t hops_max = 4;

template <class... Callables>
struct Overloaded : Callables... {
  using Callables::operator()...;
};

}  // namespace

void SessionOutposts::on_envelope(NodeEnvelope envelope) noexcept {
  const Uuid key = envelope.key;
  const Uuid from = envelope.from;
  Outpost* outpost = find(key);
  // A node that is no longer the home may not know it yet.
  const auto from_home = [&](const auto& message) noexcept {
    if (outpost != nullptr && from == outpost->home) apply(*outpost, message);
  };
  std::visit(Overloaded{
                 [&](const JoinAnswer& answer) noexcept {
                   if (outpost != nullptr) return apply(*outpost, answer);
                 },
                 [&](const Answer& answer) noexcept {
                   if (outpost != nullptr) return apply(*outpost, answer);
                 },
                 [&](const Tell& tell) noexcept { from_home(tell); },
                 [&](const Close& close) noexcept { from_home(close); },
                 [&](const Cast& cast) noexcept { from_home(cast); },
                 [&](const Take&) noexcept {
                   if (worker_.home().has(key)) return;
                   Outpost& taken = open(key);
                   taken.wants_home = true;
                   if (taken.phase == Outpost::Phase::settled) taken.phase = Outpost::Phase::idle;
                   look(taken);
                 },
                 [&](const Moved& moved) noexcept { on_moved(key, from, moved.epoch); },
                 [&](const Returned& returned) noexcept { on_returned(key, returned); },
                 [](const Alive&) noexcept {},
                 [](const Bye&) noexcept {},
                 [&](const auto&) noexcept { on_home_message(std::move(envelope)); },
             },
             envelope.message);
}

// For the session's home. It may be about to come here; and if it is not, the sender is told.
void SessionOutposts::on_home_message(NodeEnvelope envelope) noexcept {
  if (worker_.home().has(envelope.key)) return worker_.home().handle(std::move(envelope));
  Outpost* outpost = find(envelope.key);
  if (std::holds_alternative<Leave>(envelope.message) && outpost == nullptr) return;
  if (envelope.hops >= hops_max) return;
  Outpost& asked = outpost != nullptr ? *outpost : open(envelope.key);
  if (asked.phase == Outpost::Phase::settled || asked.phase == Outpost::Phase::following) {
    ++envelope.hops;
    const Uuid from = envelope.from;
    return send(from, asked.key, Returned{encode(envelope)});
  }
  if (asked.foreign.size() < foreign_max) asked.foreign.push_back(std::move(envelope));
  look(asked);
}

void SessionOutposts::on_event(const Uuid& key, const BufferRef& event) noexcept {
  Outpost* outpost = find(key);
  if (outpost == nullptr) return;
  const auto envelope = decode_node_message(text_of(event));
  if (!envelope) {
    log_warn("nodes", "an event of a session cannot be read",
             field("why", envelope.error().message));
    return;
  }
  if (const auto* moved = std::get_if<Moved>(&envelope->message)) {
    return on_moved(key, envelope->from, moved->epoch);
  }
  // A node that is no longer the home may not know it yet.
  const auto* cast = std::get_if<Cast>(&envelope->message);
  if (cast != nullptr && envelope->from == outpost->home) apply(*outpost, *cast);
}

void SessionOutposts::on_moved(const Uuid& key, const Uuid& home, std::uint64_t epoch) noexcept {
  if (home == worker_.service().nodes->self()) return;
  if (worker_.home().has(key)) return worker_.home().move_out(key, home, epoch);
  Outpost* outpost = find(key);
  if (outpost == nullptr || epoch < outpost->epoch) return;
  outpost->epoch = epoch;
  outpost->needs_enroll = true;
  dead_.erase(home);
  // Who is taking it will learn from the store that another was faster.
  if (outpost->phase != Outpost::Phase::taking) settle_on(*outpost, home);
}

// The node that was asked is not the home. What is asked here is asked again once it is known who
// is; what a member said comes back with the message.
void SessionOutposts::on_returned(const Uuid& key, const Returned& returned) noexcept {
  auto inner = decode_node_message(returned.envelope);
  if (!inner) return;
  auto* said = std::get_if<Said>(&inner->message);
  Outpost* outpost = find(key);
  if (outpost == nullptr) {
    // Meanwhile the session has come here.
    if (said == nullptr || !worker_.home().has(key)) return;
    said->number = 0;
    return worker_.home().handle(std::move(*inner));
  }
  if (said != nullptr) outpost->outbox.take_back(said->number);
  outpost->needs_enroll = true;
  if (outpost->phase == Outpost::Phase::settled) look_later(*outpost);
}

void SessionOutposts::apply(Outpost& outpost, const Answer& answer) noexcept {
  const auto ask = outpost.asks.take_answered(answer.peer);
  if (!ask) return;
  worker_.home().answer_json(ask->from_worker, ask->from_peer, answer.status, answer.body,
                             answer.location);
  drop_if_idle(outpost);
}

void SessionOutposts::apply(Outpost& outpost, const JoinAnswer& answer) noexcept {
  const auto ask = outpost.asks.take_answered(answer.peer);
  if (!ask) {
    // Too late: whoever asked has been refused.
    send(outpost.home, outpost.key, Leave{answer.member, answer.connection});
    return drop_if_idle(outpost);
  }
  for (const MemberInfo& member : answer.members)
    remember(outpost, member);
  const auto info = outpost.everybody.find(answer.member);
  // Others here may not have heard of the last change: they still will.
  if (outpost.members.empty()) outpost.host_told = answer.host.value_or(MemberId{});
  LocalMember& member = outpost.members[answer.member];
  if (member.seat.connection) {
    --outpost.members_on[member.seat.worker];
    worker_.home().close_seat(member.seat, close_code::connected_elsewhere);
  }
  member.seat = {
      .worker = ask->from_worker, .peer = ask->from_peer, .connection = answer.connection};
  member.name = info != outpost.everybody.end() ? info->second.name : ask->request.name;
  ++outpost.members_on[ask->from_worker];
  worker_.home().begin_websocket(outpost.key, member.seat, answer.member,
                                 make_frame(WebSocketOpcode::text, answer.welcome));
}

void SessionOutposts::apply(Outpost& outpost, const Tell& tell) noexcept {
  const auto found = outpost.members.find(tell.member);
  if (found == outpost.members.end()) return;
  worker_.home().send_to_seat(found->second.seat, make_frame(WebSocketOpcode::text, tell.text),
                              send_class_of(tell.send_class));
}

void SessionOutposts::apply(Outpost& outpost, const Close& close) noexcept {
  const auto found = outpost.members.find(close.member);
  if (found == outpost.members.end() || found->second.seat.connection != close.connection) return;
  worker_.home().close_seat(found->second.seat, close.code);
  --outpost.members_on[found->second.seat.worker];
  outpost.members.erase(found);
  drop_if_idle(outpost);
}

void SessionOutposts::apply(Outpost& outpost, const Cast& cast) noexcept {
  for (const Heard& heard : cast.heard) {
    if (heard.node != worker_.service().nodes->self()) continue;
    outpost.outbox.on_heard(outpost.home, heard.number);
  }
  if (cast.newest) {
    outpost.epoch = std::max(outpost.epoch, cast.newest->epoch);
    outpost.video = cast.newest->video;
  }
  if (cast.present) tell_who_is_there(outpost, cast);
  for (const MemberInfo& member : cast.joined)
    remember(outpost, member);
  for (const MemberInfo& member : cast.changed)
    remember(outpost, member);
  for (const MemberInfo& member : cast.left)
    outpost.everybody.erase(member.id);
  for (const HostNews& news : cast.hosts)
    tell_host(outpost, news);
  for (const CastFrame& frame : cast.frames) {
    const bool is_last = &frame == &cast.frames.back();
    deliver(outpost, make_frame(WebSocketOpcode::text, frame.text), send_class_of(frame.send_class),
            is_last ? static_cast<std::int64_t>(cast.sent_us) : 0);
  }
  if (cast.ended_code) {
    close_all(outpost, *cast.ended_code);
    return drop_if_idle(outpost);
  }
  if (cast.present && cast.present->is_roll_call) {
    outpost.needs_enroll = true;
    if (outpost.phase == Outpost::Phase::settled) speak(outpost);
  }
}

// One word of each change, however often a home repeats who is host.
void SessionOutposts::tell_host(Outpost& outpost, const HostNews& news) noexcept {
  const MemberId host = news.id.value_or(MemberId{});
  if (outpost.host_told == host) return;
  outpost.host_told = host;
  std::string& text = worker_.scratch();
  encode_host(text, {news.epoch, host, news.reason});
  deliver(outpost, make_frame(WebSocketOpcode::text, text), SendClass::reliable, 0);
}

// To members that may have missed who came and who went.
void SessionOutposts::tell_who_is_there(Outpost& outpost, const Cast& cast) noexcept {
  const Present& present = *cast.present;
  MembersEffect told{present.count, cast.joined, {}, {}, {}};
  if (present.host_until_us) {
    told.host_away = HostAway{static_cast<std::int64_t>(*present.host_until_us),
                              present.next_host.value_or(MemberId{})};
  }
  if (cast.joined.size() == told.count) {
    std::unordered_set<MemberId> there;
    for (const MemberInfo& member : cast.joined)
      there.insert(member.id);
    for (const auto& [id, member] : outpost.everybody)
      if (!there.contains(id)) told.left.push_back(member);
  }
  for (const MemberInfo& member : told.left)
    outpost.everybody.erase(member.id);
  if (told.left.size() > member_list_max) told.left.resize(member_list_max);
  std::string& text = worker_.scratch();
  encode_members(text, told);
  deliver(outpost, make_frame(WebSocketOpcode::text, text), SendClass::droppable, 0);
}

// Members here know each other from `welcome` and `members`: what a new home needs to tell them who
// has gone. More than that is of no use to anybody.
void SessionOutposts::remember(Outpost& outpost, const MemberInfo& member) noexcept {
  const auto local = outpost.members.find(member.id);
  if (local != outpost.members.end()) local->second.name = member.name;
  if (outpost.everybody.size() < everybody_max || outpost.everybody.contains(member.id)) {
    outpost.everybody[member.id] = member;
  }
}

// What is queued for the members in a turn is submitted at its end.
void SessionOutposts::deliver(const Outpost& outpost, const BufferRef& frame, SendClass send_class,
                              std::int64_t sent_us) noexcept {
  for (std::size_t i = 0; i < outpost.members_on.size(); ++i) {
    if (outpost.members_on[i] == 0) continue;
    Worker* worker = worker_.service().workers[i];
    worker_.run_on(i, [worker, key = outpost.key, frame, send_class, sent_us]() noexcept {
      worker->hub().deliver(key, frame, send_class);
      if (sent_us == 0) return;
      worker->metrics().observe(Histogram::node_lag_seconds, worker->server_us() - sent_us);
    });
  }
}

void SessionOutposts::close_all(Outpost& outpost, std::uint16_t code) noexcept {
  for (std::size_t i = 0; i < outpost.members_on.size(); ++i) {
    if (std::exchange(outpost.members_on[i], 0) == 0) continue;
    Hub* hub = &worker_.service().workers[i]->hub();
    worker_.run_on(i, [hub, key = outpost.key, code]() noexcept {
      hub->close_all(key, code, "the session has ended");
    });
  }
  outpost.members.clear();
}

}  // namespace videosync
