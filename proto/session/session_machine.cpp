// Members, the host's seat and the record; session_commands.cpp has what members say,
// session_queue.cpp what they are going to watch, session_timers.cpp what time brings.
#include "proto/session/session_machine.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

namespace {

// Further apart they are not of one coming and going: see ConnectionNumber.
constexpr std::uint32_t late_max = 10'000;

// `present`: of the member's connection that is here, or none.
bool is_late(ConnectionNumber joining, ConnectionNumber present) noexcept {
  if (!joining || !present || !is_newer(present, joining)) return false;
  return present.value - joining.value <= late_max;
}

}  // namespace

SessionMachine::SessionMachine(const Limits& limits, SessionSettings settings,
                               const Token& host_token, VideoChoice video, std::int64_t now_us,
                               const Token& resume_key)
    : limits_(&limits),
      host_token_(host_token),
      resume_key_(resume_key),
      now_us_(now_us),
      last_activity_us_(now_us),
      playback_(std::move(video), now_us),
      roster_(1),
      reserved_id_(1 + reserved_ids),
      settings_(settings) {}

SessionMachine::SessionMachine(const Limits& limits, const SessionRecord& record,
                               std::int64_t now_us)
    : limits_(&limits),
      host_token_(record.host_token),
      resume_key_(record.resume_key),
      code_(record.code),
      now_us_(now_us),
      last_activity_us_(record.occupied ? now_us : record.last_activity_us),
      start_lead_us_(limits.lead_default_us),
      playback_(record.state, record.duration_s, record.start_us),
      roster_(record.next_member_id),
      ready_(record.ready),
      forks_(record.forks),
      commands_(record.commands),
      reserved_id_(record.next_member_id),
      settings_(record.settings),
      durable_changed_(record.occupied) {
  removed_browsers_ = record.removed_browsers;
  up_next_us_ = record.up_next_us;
  if (record.host) {
    const SessionRecord::Host& host = *record.host;
    Member& member = roster_.add_away(host.id, host.name, now_us);
    member.connection = host.connection;
    ready_.recount(member);
    host_ = host.id;
    host_reason_ = host.reason;
  }
  // Whom it waited for is not known any more: the wait is over with the first event.
  if (record.waiting) stall_wait_.begin(now_us);
  assert_sound();
}

Result<std::unique_ptr<SessionMachine>> SessionMachine::decode(const Limits& limits,
                                                               std::string_view bytes,
                                                               std::int64_t now_us) {
  auto record = decode_session_record(bytes);
  if (!record) return std::unexpected(std::move(record.error()));
  return std::make_unique<SessionMachine>(limits, *record, now_us);
}

SessionRecord SessionMachine::record() const {
  SessionRecord record{.settings = settings_,
                       .host_token = host_token_,
                       .resume_key = resume_key_,
                       .state = playback_.state(),
                       .duration_s = playback_.duration_s(),
                       .start_us = playback_.start_us(),
                       .up_next_us = up_next_us_,
                       .waiting = stall_wait_.active(),
                       .host = std::nullopt,
                       .next_member_id = reserved_id_,
                       .last_activity_us = last_activity_us_,
                       .occupied = !roster_.connected().empty(),
                       .commands = commands_,
                       .forks = forks_,
                       .ready = ready_.kept(),
                       .code = code_,
                       .removed_browsers = removed_browsers_};
  if (host_) {
    const Member& host = roster_.known(host_);
    record.host =
        SessionRecord::Host{host.id, host.connection, std::string(host.name.view()), host_reason_};
  }
  return record;
}

bool SessionMachine::take_durable_changed() noexcept {
  return std::exchange(durable_changed_, false);
}

// --- Members -------------------------------------------------------------------------------------

std::expected<SessionMachine::JoinOutcome, SessionMachine::JoinRefusal> SessionMachine::join(
    const JoinRequest& request, std::int64_t now_us, Effects& effects) {
  const std::size_t first_effect = effects.size();
  begin_event(now_us, effects);
  if (ended_) return std::unexpected(JoinRefusal::ended);
  if (request.is_resume_proven && request.held > HeldState{state().epoch, state().seq}) {
    return std::unexpected(JoinRefusal::behind);
  }

  Member* member = find_resumable(request);
  const ConnectionNumber present =
      member != nullptr ? connection_of(member->id) : ConnectionNumber{};
  if (is_late(request.connection, present)) return std::unexpected(JoinRefusal::late);
  JoinOutcome outcome;
  if (member != nullptr && member->connected) {
    outcome.displaced = member->connection;
  } else if (member_count() >= limits_->members_max || roster_.next_id() > id_max) {
    return std::unexpected(JoinRefusal::full);
  }
  if (member == nullptr) {
    if (const auto refusal = stop_at_door(request, effects)) return std::unexpected(*refusal);
  }
  if (roster_.connected().empty()) durable_changed_ = true;
  outcome.resumed = member != nullptr;
  if (member != nullptr) {
    if (member->connected) clear_reports(*member, effects);
    if (member->connected && !member->connection) count_heard();
    roster_.reconnect(*member, now_us_);
  } else {
    member = &add_member(request);
  }
  if (request.connection) member->connection = request.connection;
  if (request.browser) member->browser = request.browser;
  VS_ASSERT(member->connected);
  VS_ASSERT(member->connection);
  outcome.id = member->id;
  outcome.connection = member->connection;
  touch(*member);
  presence_.note_list(*member);

  effects.insert(first_effect, WelcomeEffect{member->id});
  // Two that came to two places in the same moment may have one number: who seats the joiner closes
  // the other, and nobody could tell from a number which of them is meant.
  if (outcome.displaced && outcome.displaced != outcome.connection) {
    effects.push(CloseEffect{member->id, close_code::connected_elsewhere, outcome.displaced});
  }
  seat_joiner(*member, request, effects);
  VS_ASSERT(host_);
  return outcome;
}

Member* SessionMachine::find_resumable(const JoinRequest& request) {
  if (!request.resume || !request.is_resume_proven) return nullptr;
  VS_ASSERT(!ended_);
  Member* member = roster_.find(request.resume->member);
  return member != nullptr ? member : find_resumable_elsewhere(request);
}

Member& SessionMachine::add_member(const JoinRequest& request) {
  VS_ASSERT(roster_.next_id() <= id_max);
  std::string name = request.name;
  if (name.empty() || name.size() > member_name_bytes_max) {
    name = "Guest " + std::to_string(roster_.next_id());
  }
  Member& member = roster_.add(name, now_us_);
  // Early enough for the store to have it before the first id of the next block is given.
  if (roster_.next_id() + reserved_ids / 2 > reserved_id_) {
    reserved_id_ = roster_.next_id() + reserved_ids;
    durable_changed_ = true;
  }
  VS_ASSERT(member.id.value < reserved_id_);
  VS_ASSERT(roster_.next_id() <= reserved_id_);
  return member;
}

void SessionMachine::seat_joiner(Member& member, const JoinRequest& request, Effects& effects) {
  VS_ASSERT(member.connected);
  if (!host_) {
    set_host(member.id, HostReason::joined, effects);
  } else if (host_ != member.id && request.host_token && holds_host_token(*request.host_token)) {
    set_host(member.id, HostReason::claimed, effects);
  } else if (host_ == member.id) {
    tell_knocks(effects);  // it has come back
  }
}

void SessionMachine::leave(MemberId id, ConnectionNumber connection, std::int64_t now_us,
                           Effects& effects) {
  begin_event(now_us, effects);
  if (ended_) return;
  Member* member = roster_.find_connected(id);
  if (member == nullptr || !connection || member->connection != connection) return;
  disconnect(*member, effects);
  VS_ASSERT(!member->connected);
  // So many that left within one window: the newest of them may not resume, memory stays bounded.
  if (roster_.away_count() > limits_->members_max && id != host_) forget(*member, effects);
}

// The connection of `member` is no more; the member is away.
void SessionMachine::disconnect(Member& member, Effects& effects) {
  VS_ASSERT(member.connected);
  if (!member.connection) count_heard();
  clear_reports(member, effects);
  roster_.set_away(member, now_us_);
  touch(member);
  VS_ASSERT(unheard_ <= member_count());
  if (roster_.connected().empty()) {
    last_activity_us_ = now_us_;
    durable_changed_ = true;
  }
}

// What a member reported goes with the connection on which it did.
void SessionMachine::clear_reports(Member& member, Effects& effects) {
  VS_ASSERT(member.connected);
  if (member.reported) round_trips_.remove(member.rtt_ms);
  member.reported = false;
  member.was_ready = false;
  roster_.set_buffering(member, false);
  stop_awaiting(member, effects);
  VS_ASSERT(!member.buffering);
  VS_ASSERT(!member.is_awaited);
}

void SessionMachine::forget(Member& member, Effects& effects) {
  VS_ASSERT(member.id != host_);
  VS_ASSERT(!member.connected);
  VS_ASSERT(!member.reported);
  VS_ASSERT(!member.is_awaited);
  presence_.forget(member, Role::participant);
  ready_.forget(member);
  if (std::erase(settings_.controllers, member.id) > 0) {
    durable_changed_ = true;
    effects.push(SettingsEffect{settings_});
  }
  roster_.forget(member);
}

void SessionMachine::set_host(MemberId id, HostReason reason, Effects& effects) {
  VS_ASSERT(id != host_);
  VS_ASSERT(!id || roster_.known(id).connected);  // nobody inherits who may be gone
  const MemberId before = std::exchange(host_, id);
  ++members_version_;
  for (const MemberId changed : {before, id}) {
    Member* member = roster_.find(changed);
    if (member != nullptr) alter(*member);
  }
  host_reason_ = reason;
  playback_.next_epoch();
  durable_changed_ = true;
  presence_.note_host();
  effects.push(HostEffect{playback_.state().epoch, host_, reason});
  tell_knocks(effects);
}

void SessionMachine::end(std::int64_t now_us, Effects& effects) {
  begin_event(now_us, effects);
  if (!ended_) finish(effects);
}

void SessionMachine::finish(Effects& effects) {
  VS_ASSERT(!ended_);
  send_all_on(effects);
  ended_ = true;
  VS_ASSERT(earliest_due().timer == Timer::none);
  reactions_.clear();
  is_next_wanted_ = false;
  effects.push(EndedEffect{});
}

void SessionMachine::learn_chat(const ChatHistory& told) {
  for (const ChatLine& line : told.lines())
    chat_.add(line);
}

// --- What others ask -----------------------------------------------------------------------------

std::uint32_t SessionMachine::member_count() const noexcept {
  return static_cast<std::uint32_t>(roster_.connected().size());
}

std::vector<MemberInfo> SessionMachine::members() const {
  std::vector<MemberInfo> list;
  list.reserve(std::min<std::size_t>(member_count(), member_list_max));
  const Member* host = roster_.find(host_);
  if (host != nullptr && host->connected)
    list.push_back({host_, std::string(host->name.view()), Role::host});
  listed_until_ = MemberId{UINT32_MAX};
  roster_.connected().visit([&](const Member& member) {
    if (list.size() >= member_list_max) {
      listed_until_ = member.id;
      return false;
    }
    if (member.id != host_) {
      list.push_back({member.id, std::string(member.name.view()), Role::participant});
    }
    return true;
  });
  return list;
}

bool SessionMachine::is_ready(MemberId id) const noexcept {
  const Member* member = roster_.find(id);
  return member != nullptr && ready_.is_ready(*member);
}

void SessionMachine::touch(Member& member) {
  ready_.recount(member);
  presence_.touch(member, now_us_, presence_interval_us());
  note_listed(member);
}

void SessionMachine::relist(MemberId id) noexcept {
  Member* member = roster_.find_connected(id);
  if (member != nullptr) presence_.note_list(*member);
}

void SessionMachine::alter(Member& member) {
  presence_.alter(member, now_us_, presence_interval_us());
  note_listed(member);
}

void SessionMachine::note_listed(const Member& member) noexcept {
  if (member.id < listed_until_ || member.id == host_) ++members_version_;
}

std::optional<MemberInfo> SessionMachine::info(MemberId id) const {
  const Member* member = roster_.find(id);
  if (member == nullptr) return std::nullopt;
  return MemberInfo{id, std::string(member->name.view()),
                    id == host_ ? Role::host : Role::participant};
}

BrowserId SessionMachine::browser_of(MemberId id) const noexcept {
  const Member* member = roster_.find(id);
  return member != nullptr ? member->browser : BrowserId{};
}

std::uint32_t SessionMachine::report_every_ms() const noexcept {
  const std::uint64_t per_second = std::max(limits_->reports_per_second_max, 1U);
  const auto spread_ms = static_cast<std::uint32_t>(member_count() * 1'000ULL / per_second);
  return std::max(limits_->report_every_ms, spread_ms);
}

std::int64_t SessionMachine::presence_interval_us() const noexcept {
  const std::int64_t per_second = std::max(limits_->presence_per_second_max, 1U);
  const std::int64_t spread_us = member_count() * std::int64_t{1'000'000} / per_second;
  return std::max(limits_->presence_interval_us,
                  std::min(spread_us, limits_->presence_interval_max_us));
}

// Of a member that counted as connected through a connection of which nobody knew.
void SessionMachine::count_heard() noexcept {
  VS_ASSERT(unheard_ > 0);
  --unheard_;
}

void SessionMachine::check_invariants() const {
  assert_sound();
  VS_ASSERT(!stall_wait_.active() || !playback_.state().playing);
  std::size_t buffering = 0, awaited = 0, measured = 0, unheard = 0, ready = 0;
  MemberId before;
  roster_.connected().visit([&](const Member& member) {
    VS_ASSERT(member.id > before);
    VS_ASSERT(member.connected);
    VS_ASSERT(member.id.value < roster_.next_id());
    before = member.id;
    VS_ASSERT(member.buffering || !member.is_awaited);
    VS_ASSERT(member.reported || !member.buffering);
    buffering += member.buffering;
    unheard += !member.connection;
    ready += ready_.is_ready(member);
    awaited += member.is_awaited;
    measured += member.reported && member.rtt_ms > 0;
    return true;
  });
  VS_ASSERT(buffering == roster_.buffering_count());
  VS_ASSERT(awaited == stall_wait_.size());
  VS_ASSERT(ready == ready_.count());
  VS_ASSERT(measured == round_trips_.count());
  VS_ASSERT(member_count() <= limits_->members_max);
  VS_ASSERT(host_ ? roster_.find(host_) != nullptr : roster_.connected().empty() || ended_);
  VS_ASSERT(unheard == unheard_);
  VS_ASSERT(removed_browsers_.size() <= removed_browsers_max);
}

}  // namespace videosync
