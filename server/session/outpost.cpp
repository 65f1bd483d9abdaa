// An outpost: what local clients want of a session elsewhere, and time.
#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "proto/websocket/websocket_frames.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

namespace {

constexpr std::int64_t tick_us = 250'000;
constexpr std::int64_t answer_way_us = 500'000;  // for the answer to come back in that time
constexpr std::int64_t refused_us = saying_us + 500'000;

// Done twice it is done once, or the record tells that it was done.
bool is_repeatable(const ClientMessage& message) noexcept {
  return !std::holds_alternative<ChatMessage>(message) &&
         !std::holds_alternative<ReactionMessage>(message);
}

}  // namespace

void Impl::add_member(Residence& residence, MemberId id, LocalMember member) noexcept {
  Outpost& outpost = residence.outpost_part();
  shared_.insert(residence.key);
  VS_ASSERT(id);
  VS_ASSERT(member.number);
  VS_ASSERT(!outpost.members.contains(id));
  VS_ASSERT(member.at.worker < outpost.members_on.size());
  outpost.left_here.erase(id);
  ++outpost.members_on[member.at.worker];
  outpost.members_sum += seat_hash(id, member.number);
  outpost.members.emplace(id, std::move(member));
}

void Impl::remove_member(Outpost& outpost, LocalMembers::iterator member) noexcept {
  const std::size_t worker = member->second.at.worker;
  VS_ASSERT(outpost.members_on[worker] > 0);
  --outpost.members_on[worker];
  outpost.members_sum -= seat_hash(member->first, member->second.number);
  outpost.members.erase(member);
  outpost.assert_sound();
}

void Impl::unfollow(Residence& residence) noexcept {
  if (std::exchange(residence.outpost->is_following, false)) {
    ports_.store.unfollow(residence.key);
  }
}

void Impl::drop_if_idle(Residence& residence) noexcept {
  if (residence.home || !residence.away().is_idle()) return;
  VS_ASSERT(depth_ > 0);
  VS_ASSERT(!is_alone());
  may_be_written_back(slot_of(residence.key)) ? leave_copy(residence) : keep_copy(residence);
  unfollow(residence);
  erase(residence);
}

// --- What local clients want ---------------------------------------------------------------------

void Impl::add_ask(const Uuid& key, Asks::Ask ask) noexcept {
  if (unremoved_.contains(key)) return refuse_ask(key, ask, SessionFault::not_found);
  if (!presence_.has(key)) return refuse_ask(key, ask, SessionFault::unavailable);
  ask.deadline_us = now_us() + ask_us;
  ask.expires_us = static_cast<std::uint64_t>(server_us() + ask_us - answer_way_us);
  Residence& residence = open(key);
  Outpost& outpost = residence.outpost_part();
  if (ask.kind != Asks::Ask::Kind::info) outpost.wants_home = true;
  VS_ASSERT(ask.kind != Asks::Ask::Kind::join || ask.request.connection);
  const std::uint64_t number = ++last_number_;
  outpost.asks.add(number, std::move(ask));
  waiting_.insert(key);
  if (residence.home) return;  // on its way: it is asked when it has arrived
  if (outpost.phase == Outpost::Phase::settled) {
    // Whoever only asked so far did not need the session's channel.
    if (!outpost.is_following && outpost.needs_home()) {
      return settle_on(residence, outpost.home, outpost.fence);
    }
    return send_home(residence, outpost.asks.attempt_one(number));
  }
  if (outpost.phase == Outpost::Phase::idle) look(residence);
}

void Impl::refuse_ask(const Uuid& key, const Asks::Ask& ask, SessionFault fault) noexcept {
  if (ask.kind == Asks::Ask::Kind::join) return answer_join(key, ask.request, ask.from, fault);
  answer(ask.from, fault);
}

void Impl::refuse_asks(Residence& residence, SessionFault fault) noexcept {
  Outpost& outpost = residence.away();
  for (const Asks::Ask& ask : outpost.asks.take_all())
    refuse_ask(residence.key, ask, fault);
  for (const node::Envelope& envelope : std::exchange(outpost.foreign, {}))
    refuse_foreign(envelope, outpost.fence, fault);
  outpost.wants_home = false;
  VS_ASSERT(outpost.asks.empty());
  VS_ASSERT(outpost.foreign.empty());
}

// Nothing where it asks for nothing.
void Impl::refuse_foreign(const node::Envelope& envelope, std::uint64_t fence,
                          SessionFault fault) noexcept {
  VS_ASSERT(envelope.from != self());
  const auto refuse = [&](const node::AskRef& ref) noexcept {
    send(envelope.from, envelope.key, fence,
         node::Answer{ref, static_cast<std::uint8_t>(fault), {}});
  };
  if (const auto* join = std::get_if<node::Join>(&envelope.message)) return refuse(join->ask);
  if (const auto* info = std::get_if<node::AskInfo>(&envelope.message)) return refuse(info->ask);
  if (const auto* end = std::get_if<node::AskDelete>(&envelope.message)) refuse(end->ask);
}

void Impl::say(Residence& residence, MemberId member, const ClientMessage& message) noexcept {
  Outpost& outpost = residence.outpost_part();
  VS_ASSERT(outpost.members.contains(member));
  std::string text;
  encode_client_message(text, message);
  const bool can_send = !residence.home && outpost.phase == Outpost::Phase::settled;
  // The next one says more than this one.
  if (std::holds_alternative<ReportMessage>(message)) {
    if (can_send) send_home(residence, node::Said{.member = member, .text = std::move(text)});
    return;
  }
  const std::int64_t expires_us = server_us() + saying_us;
  Outbox::Saying saying{.member = member,
                        .type = message_type(message),
                        .text = std::move(text),
                        .said_us = now_us(),
                        .expires_us = static_cast<std::uint64_t>(expires_us),
                        .number = ++last_number_,
                        .is_repeatable = is_repeatable(message)};
  if (!presence_.has(residence.key) || outpost.outbox.is_full())
    return refuse_saying(outpost, saying);
  waiting_.insert(residence.key);
  outpost.outbox.keep(std::move(saying));
  if (can_send) send_unsent(residence);
}

void Impl::leave_outpost(Residence& residence, MemberId member, ConnectionNumber number) noexcept {
  Outpost& outpost = residence.outpost_part();
  const auto found = outpost.members.find(member);
  if (found != outpost.members.end() && found->second.number == number) {
    remove_member(outpost, found);
    if (outpost.everybody.contains(member)) outpost.left_here.insert(member);
  }
  outpost.assert_sound();
  if (residence.home) return;  // the handing over takes account of it
  if (outpost.phase == Outpost::Phase::settled && presence_.has(residence.key)) {
    outpost.needs_farewell = outpost.members.empty();
    send_home(residence, node::Leave{member, number});
  } else {
    outpost.needs_enroll = true;
    outpost.needs_farewell = outpost.home != Uuid{};
  }
  drop_if_idle(residence);
}

// --- Refusing ------------------------------------------------------------------------------------

// The connections stay, and are told that nobody can carry this out now.
void Impl::refuse_saying(const Outpost& outpost, const Outbox::Saying& saying) noexcept {
  const auto found = outpost.members.find(saying.member);
  if (found == outpost.members.end()) return;
  send_error(found->second.at, Refusal::unavailable,
             "the session's home cannot be reached now, try again", saying.type);
}

// What came of them was told in casts. Of those up to `missed_number` that cast may have been
// missed: what was said aloud is in no record, so nobody here would ever know.
void Impl::settle_heard(Outpost& outpost, const node::Heard& heard,
                        std::uint64_t missed_number) noexcept {
  for (const node::Refused& refused : heard.refused) {
    const auto saying = outpost.outbox.take(refused.number);
    if (!saying) continue;
    const auto member = outpost.members.find(saying->member);
    if (member == outpost.members.end()) continue;
    ports_.delivery.send(member->second.at, make_frame(WebSocketOpcode::text, refused.text),
                         SendClass::answer);
  }
  const std::uint64_t doubted = std::min(heard.number, missed_number);
  refuse_sayings(outpost, outpost.outbox.take_unrepeatable(doubted));
  outpost.outbox.on_heard(heard.number);
  outpost.assert_sound();
}

void Impl::refuse_sayings(const Outpost& outpost,
                          const std::vector<Outbox::Saying>& sayings) noexcept {
  for (const Outbox::Saying& saying : sayings)
    refuse_saying(outpost, saying);
}

// --- Time ----------------------------------------------------------------------------------------

void Impl::node_lost(const Uuid& node) noexcept {
  VS_ASSERT(node != self());
  VS_ASSERT(depth_ > 0);
  dead_.try_emplace(node);
  deaf_.erase(node);
  std::vector<Uuid> orphans;
  for (const auto& [key, residence] : residences_) {
    if (!residence->home && residence->away().home == node) orphans.push_back(key);
  }
  for (const Uuid& key : orphans) {
    if (Residence* residence = find(key)) look(*residence);
  }
  home_node_lost(node);
}

// It was not gone, then. What it was told of who is home it may not have heard, and while nobody
// there changes anything it would not find out.
void Impl::node_alive(const Uuid& node) noexcept {
  VS_ASSERT(node != self());
  const auto taken = dead_.extract(node);
  if (taken.empty()) return;
  for (const Uuid& key : taken.mapped()) {
    Residence* residence = find(key);
    if (residence != nullptr && residence->is_home()) tell_who_is_home(node, *residence);
  }
}

void Impl::refuse_late() noexcept {
  VS_ASSERT(depth_ > 0);
  const std::vector<Uuid> keys(waiting_.begin(), waiting_.end());
  for (const Uuid& key : keys) {
    Residence* residence = find(key);
    Outpost* outpost = residence != nullptr ? residence->out() : nullptr;
    if (outpost != nullptr) {
      for (const Asks::Ask& ask : outpost->asks.take_late(now_us()))
        refuse_ask(key, ask, SessionFault::unavailable);
      refuse_sayings(*outpost, outpost->outbox.take_older(now_us() - refused_us));
    }
    const bool is_over = outpost == nullptr || (outpost->asks.empty() && outpost->outbox.empty());
    if (is_over) waiting_.erase(key);
    if (outpost != nullptr) drop_if_idle(*residence);
  }
}

void Impl::tick() noexcept {
  VS_ASSERT(!tick_timer_.is_armed());
  refuse_late();
  forget_kept();
  forget_removals();
  presence_.forget_old_returns(now_us());
  if (presence_.is_there()) {
    for (const Uuid& key : std::exchange(look_later_, {})) {
      Residence* residence = find(key);
      const bool is_due = residence != nullptr && !residence->home &&
                          residence->away().phase == Outpost::Phase::idle;
      if (!is_due) continue;
      presence_.is_apart(key) ? look_later(*residence) : look(*residence);
    }
    tend_homes();
  }
  validate_unsure();
  schedule(tick_timer_, tick_us);
}

}  // namespace videosync
