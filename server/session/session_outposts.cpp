// SessionOutposts: what local clients want, an outpost's beginning and end, and time. Who is home
// is in outpost_home.cpp, what goes there in outpost_sending.cpp, what comes in
// outpost_messages.cpp.
#include "server/session/session_outposts.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "proto/wire/messages.h"
#include "server/nodes/nodes.h"
#include "server/session/homed_session.h"
#include "server/session/outpost.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr std::int64_t tick_ms = 250;
constexpr std::int64_t answer_us = 5'000'000;  // for an ask, and for a saying to be heard

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
  add_ask(order.key, {.kind = Ask::Kind::join,
                      .from_worker = order.from_worker,
                      .from_peer = order.from_peer,
                      .request = order.request});
}

void SessionOutposts::info(const Uuid& key, std::uint32_t from_worker,
                           SlotHandle from_peer) noexcept {
  add_ask(key, {.kind = Ask::Kind::info, .from_worker = from_worker, .from_peer = from_peer});
}

void SessionOutposts::end(const Uuid& key, const std::optional<Token>& host_token,
                          std::uint32_t from_worker, SlotHandle from_peer) noexcept {
  add_ask(key, {.kind = Ask::Kind::end,
                .from_worker = from_worker,
                .from_peer = from_peer,
                .host_token = host_token});
}

void SessionOutposts::add_ask(const Uuid& key, Ask ask) noexcept {
  if (!is_store_ready_) return refuse_ask(ask, store_away_fault);
  ask.deadline_us = worker_.monotonic_us() + answer_us;
  Outpost& outpost = open(key);
  if (ask.kind != Ask::Kind::info) outpost.wants_home = true;
  const std::uint64_t number = ++last_number_;
  outpost.asks.add(number, std::move(ask));
  waiting_.insert(key);
  if (outpost.phase == Outpost::Phase::settled) {
    // Whoever only asked so far did not need the session's channel.
    if (!outpost.is_following && outpost.needs_home()) return settle_on(outpost, outpost.home);
    return send_home(outpost, outpost.asks.try_one(number));
  }
  if (outpost.phase == Outpost::Phase::idle) look(outpost);
}

void SessionOutposts::said(const Uuid& key, MemberId member,
                           const ClientMessage& message) noexcept {
  Outpost* outpost = find(key);
  if (outpost == nullptr || !outpost->members.contains(member)) return;
  std::string text;
  encode_client_message(text, message);
  // The next one says more than this one.
  if (std::holds_alternative<ReportMessage>(message)) {
    return send_home(*outpost, Said{member, std::move(text)});
  }
  Outbox::Saying saying{member, message_names[message.index()], std::move(text),
                        worker_.monotonic_us(), ++last_number_};
  if (!is_store_ready_ || outpost->outbox.is_full()) return refuse_saying(*outpost, saying);
  waiting_.insert(key);
  if (outpost->phase != Outpost::Phase::settled) return outpost->outbox.keep(std::move(saying));
  send_home(*outpost, outpost->outbox.send(outpost->home, std::move(saying)));
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

// --- From and to SessionHome ---------------------------------------------------------------------

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

SessionOutposts::Closed SessionOutposts::take_apart(const Uuid& key) noexcept {
  auto closed = outposts_.extract(key);
  if (closed.empty()) return {};
  Outpost& outpost = *closed.mapped();
  if (outpost.is_following) worker_.store().unfollow(key);
  std::vector<NodeEnvelope> messages;
  for (Outbox::Saying& saying : outpost.outbox.take_unsent()) {
    messages.push_back({.from = worker_.service().nodes->self(),
                        .key = key,
                        .message = Said{saying.member, std::move(saying.text)}});
  }
  std::ranges::move(outpost.foreign, std::back_inserter(messages));
  return {std::move(outpost.members), outpost.host_told, std::move(outpost.asks),
          std::move(messages)};
}

SessionOutposts::Closed SessionOutposts::close(const Uuid& key) noexcept {
  if (Outpost* outpost = find(key)) refuse_sayings(*outpost, outpost->outbox.take_sent());
  return take_apart(key);
}

void SessionOutposts::deliver(const Uuid& key, Closed& closed) noexcept {
  SessionHome& home = worker_.home();
  for (Ask& ask : closed.asks.take_all()) {
    if (ask.kind == Ask::Kind::join) {
      home.on_join({ask.from_worker, ask.from_peer, key, std::move(ask.request)});
    } else if (ask.kind == Ask::Kind::info) {
      home.on_info(key, ask.from_worker, ask.from_peer);
    } else {
      home.on_delete(key, ask.host_token, ask.from_worker, ask.from_peer);
    }
  }
  for (NodeEnvelope& envelope : closed.messages)
    on_envelope(std::move(envelope));
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
    // Whether it has carried them out nobody can say.
    refuse_sayings(*outpost, outpost->outbox.take_sent_to(node));
    if (outpost->home == node) orphans.push_back(key);
  }
  for (const Uuid& key : orphans) {
    if (Outpost* outpost = find(key)) look(*outpost);
  }
  worker_.home().on_node_lost(node);
}

void SessionOutposts::refuse_late() noexcept {
  const std::int64_t now_us = worker_.monotonic_us();
  std::erase_if(waiting_, [&](const Uuid& key) noexcept {
    Outpost* outpost = find(key);
    if (outpost == nullptr) return true;
    for (const Ask& ask : outpost->asks.take_late(now_us))
      refuse_ask(ask, store_away_fault);
    refuse_sayings(*outpost, outpost->outbox.take_older(now_us - answer_us));
    const bool is_over = outpost->asks.empty() && outpost->outbox.empty();
    drop_if_idle(*outpost);
    return is_over;
  });
}

void SessionOutposts::on_tick() noexcept {
  refuse_late();
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
