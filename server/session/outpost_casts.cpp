// What a home tells all outposts at once, and what their members hear of it.
#include <algorithm>
#include <limits>
#include <unordered_set>
#include <utility>

#include "core/base/assert.h"
#include "proto/websocket/websocket_frames.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;
using Phase = Outpost::Phase;

namespace {

constexpr std::size_t everybody_max = 1'000;

}  // namespace

void Impl::apply(Residence& residence, const node::Cast& cast) noexcept {
  Outpost& outpost = residence.away();
  if (cast.number <= outpost.casts) return;  // it was told again because nobody knew
  if (outpost.knows_casts && cast.number > outpost.casts + 1) {
    outpost.needs_enroll = true;
    outpost.has_missed = true;
    outpost.missed_number = outpost.outbox.newest();
  }
  if (cast.present) outpost.has_missed = false;
  outpost.casts = cast.number;
  outpost.knows_casts = true;
  learn_record(residence, cast.revision, cast.commands, cast.record);
  for (const node::Heard& heard : cast.heard) {
    const bool is_meant = heard.node == self() && !outpost.outbox.has_doubts();
    if (is_meant) settle_heard(outpost, heard, outpost.missed_number);
  }
  if (cast.newest) outpost.video = cast.newest->video;
  if (cast.queue) hear_queue(residence, *cast.queue);
  deliver_frames(residence, cast);
  hear_chat(residence, cast.chat, cast.sent_us);
  outpost.assert_sound();
  // Whether the host is away, the list tells: it comes after who it is.
  if (cast.present) tell_who_is_there(residence, cast);
  for (const MemberInfo& member : cast.joined)
    remember(outpost, member);
  for (const MemberInfo& member : cast.changed)
    remember(outpost, member);
  for (const MemberInfo& member : cast.left)
    forget(outpost, member.id);
  if (cast.ended_code) {
    return close_outpost(residence, *cast.ended_code);
  }
  if (cast.present && cast.present->is_roll_call) outpost.needs_enroll = true;
  if (outpost.needs_enroll && outpost.phase == Phase::settled) speak(residence);
}

// A state or a host that is older than what somebody here was given comes to nobody: the newer one
// is on its way to the others. Of several states in one cast each is at most one above that before
// it.
void Impl::deliver_frames(Residence& residence, const node::Cast& cast) noexcept {
  Outpost& outpost = residence.away();
  const bool is_old = cast.newest && std::pair(cast.newest->epoch, cast.newest->seq) <
                                         std::pair(outpost.told_epoch, outpost.told_seq);
  const std::uint64_t told_seq = outpost.told_seq;
  const std::uint64_t told_epoch = outpost.told_epoch;
  auto later = static_cast<std::uint64_t>(std::ranges::count(
      cast.frames, static_cast<std::uint8_t>(SendClass::latest), &node::CastFrame::send_class));
  if (cast.newest) note_told(outpost, cast.newest->epoch, cast.newest->seq);
  auto news = cast.hosts.begin();
  const auto tell_hosts_until = [&](std::size_t frame) noexcept {
    for (; news != cast.hosts.end() && news->after <= frame; ++news)
      if (news->epoch >= told_epoch) tell_host(residence, *news);
  };
  for (std::size_t i = 0; i < cast.frames.size(); ++i) {
    tell_hosts_until(i);
    const node::CastFrame& frame = cast.frames[i];
    const SendClass send_class = send_class_of(frame.send_class);
    if (send_class == SendClass::latest) {
      --later;
      const bool is_passed =
          cast.newest && cast.newest->seq >= told_seq && cast.newest->seq < told_seq + later;
      if (is_old || is_passed) continue;
    }
    const bool is_last = i + 1 == cast.frames.size();
    broadcast_here(residence.key, outpost.members_on, frame.text, send_class,
                   is_last ? static_cast<std::int64_t>(cast.sent_us) : 0);
  }
  tell_hosts_until(std::numeric_limits<std::size_t>::max());
  VS_ASSERT(later == 0);
  VS_ASSERT(news == cast.hosts.end());
}

// Each line once, however often it is told: it may be on two ways here.
void Impl::hear_chat(Residence& residence, const std::vector<ChatLine>& lines,
                     std::uint64_t sent_us) noexcept {
  Outpost& outpost = residence.away();
  VS_ASSERT(outpost.members_on.size() == ports_.workers);
  for (const ChatLine& line : lines) {
    if (!outpost.chat.add(line)) continue;
    std::string& text = scratch();
    encode_chat(text, line);
    const bool is_last = &line == &lines.back();
    broadcast_here(residence.key, outpost.members_on, text, SendClass::droppable,
                   is_last ? static_cast<std::int64_t>(sent_us) : 0);
  }
}

// One word of each change, however often a home repeats who is host.
void Impl::tell_host(Residence& residence, const node::HostNews& news) noexcept {
  Outpost& outpost = residence.away();
  const MemberId host = news.id.value_or(MemberId{});
  if (outpost.host_told == host && !outpost.is_host_unsure) return;
  VS_ASSERT(!residence.home);
  VS_ASSERT(outpost.members_on.size() == ports_.workers);
  outpost.host_told = host;
  outpost.is_host_unsure = false;
  std::string& text = scratch();
  encode_host(text, {news.epoch, host, news.reason});
  broadcast_here(residence.key, outpost.members_on, text, SendClass::reliable);
}

// To members that may have missed who came and who went.
void Impl::tell_who_is_there(Residence& residence, const node::Cast& cast) noexcept {
  Outpost& outpost = residence.away();
  VS_ASSERT(cast.present);
  const node::Present& present = *cast.present;
  MembersEffect told{present.count, present.ready, cast.joined, {}, {}, {}};
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
    forget(outpost, member.id);
  outpost.assert_sound();
  if (told.left.size() > member_list_max) told.left.resize(member_list_max);
  std::string& text = scratch();
  encode_members(text, told);
  broadcast_here(residence.key, outpost.members_on, text, SendClass::droppable);
}

void Impl::forget(Outpost& outpost, MemberId member) noexcept {
  outpost.left_here.erase(member);
  outpost.everybody.erase(member);
  outpost.assert_sound();
}

// Members here know each other from `welcome` and `members`: what a new home needs to tell them who
// has gone. More than that is of no use to anybody.
void Impl::remember(Outpost& outpost, const MemberInfo& member) noexcept {
  const auto local = outpost.members.find(member.id);
  if (local != outpost.members.end()) local->second.name = member.name;
  if (outpost.everybody.size() < everybody_max || outpost.everybody.contains(member.id)) {
    outpost.everybody[member.id] = member;
  }
  VS_ASSERT(outpost.everybody.size() <= everybody_max);
  outpost.assert_sound();
}

}  // namespace videosync
