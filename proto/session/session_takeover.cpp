// SessionMachine: going on where another place has stopped.
#include <algorithm>
#include <string>
#include <utility>

#include "core/base/assert.h"
#include "proto/session/session_machine.h"

namespace videosync {

std::unique_ptr<SessionMachine> SessionMachine::reopen(
    const Limits& limits, const SessionRecord& record, std::uint64_t epoch_floor,
    std::uint64_t fence, std::span<const MemberInfo> known, std::int64_t now_us) {
  auto machine = std::make_unique<SessionMachine>(limits, record, now_us);
  const auto time = static_cast<std::uint64_t>(std::max<std::int64_t>(machine->now_us_, 1));
  machine->playback_.next_epoch_above(std::max(epoch_floor, time - 1));
  machine->reopened_us_ = machine->now_us_;
  // Here and now, so that it is in the record before an id of them is given: who was cut off goes
  // on with the block that it had.
  machine->reserved_id_ = std::min(record.next_member_id, UINT32_MAX - reserved_ids);
  machine->reserved_id_ += reserved_ids;
  auto& forks = machine->forks_;
  if (forks.size() == SessionRecord::forks_max) forks.erase(forks.begin());
  forks.push_back(
      {fence, record.commands, machine->state().epoch, record.state.epoch, record.state.seq});
  VS_ASSERT(machine->state().epoch > record.state.epoch);
  VS_ASSERT(forks.size() <= SessionRecord::forks_max);
  for (const MemberInfo& info : known) {
    if (!info.id || info.id.value >= record.next_member_id) continue;
    Member* member = machine->roster_.find(info.id);
    if (member == nullptr) {
      member = &machine->roster_.add_connected(info.id, info.name, {}, machine->now_us_);
    } else {  // the host, of whom the record tells
      VS_ASSERT(info.id == machine->host_);
      VS_ASSERT(!member->connected);
      machine->roster_.reconnect(*member, machine->now_us_);
      member->connection = {};
    }
    machine->ready_.recount(*member);
    member->is_announced = true;
    member->was_connected = true;
    ++machine->unheard_;
  }
  VS_ASSERT(machine->unheard_ == machine->member_count());
  return machine;
}

void SessionMachine::enroll(const Enrollment& enrolled, std::int64_t now_us, Effects& effects) {
  begin_event(now_us, effects);
  if (ended_ || !enrolled.id || !enrolled.connection || is_removed(enrolled.id)) return;
  Member* member = roster_.find(enrolled.id);
  if (member == nullptr) {
    if (enrolled.id.value >= id_max) return;
    reserve_id(enrolled.id);
    member = &roster_.add_connected(enrolled.id, enrolled.name, enrolled.connection, now_us_);
    touch(*member);
  } else if (!member->connected) {
    roster_.reconnect(*member, now_us_);
    member->connection = enrolled.connection;
    touch(*member);
  } else if (!member->connection) {
    count_heard();
    member->connection = enrolled.connection;
  } else if (is_newer(enrolled.connection, member->connection)) {
    clear_reports(*member,
                  effects);  // it has come back there, and its older connection is not known
    member->connection = enrolled.connection;
  } else {
    return;
  }
  VS_ASSERT(member->connected);
  VS_ASSERT(member->connection == enrolled.connection);
  if (enrolled.browser) member->browser = enrolled.browser;
  // Its fellows elsewhere know it by the name that the record has.
  const bool is_renamed = member->is_announced && member->name.view() != enrolled.name;
  member->name.assign(enrolled.name);
  if (is_renamed) alter(*member);
  note_listed(*member);
  if (!host_) set_host(member->id, HostReason::joined, effects);
  VS_ASSERT(host_);
}

std::vector<SessionMachine::KnownMember> SessionMachine::known_members() const {
  std::vector<KnownMember> all;
  const auto add = [&](const Member& member) {
    all.push_back({member.id, std::string(member.name.view()), member.browser});
    return true;
  };
  roster_.connected().visit(add);
  roster_.away().visit(add);
  return all;
}

void SessionMachine::expect_back(std::span<const KnownMember> known) {
  VS_ASSERT(reopened_us_ == now_us_);
  knows_all_ = true;
  for (const KnownMember& one : known) {
    const bool is_possible = one.id && one.id.value < id_max && !one.name.empty() &&
                             one.name.size() <= member_name_bytes_max;
    if (!is_possible) continue;
    Member* member = roster_.find(one.id);
    if (member == nullptr) {  // the host is there
      reserve_id(one.id);
      member = &roster_.add_away(one.id, one.name, now_us_);
      ready_.recount(*member);
    }
    VS_ASSERT(!member->connected);
    member->browser = one.browser;
  }
}

// Another number for each line: by its fence, spread as in Knuth, The Art of Computer
// Programming 6.4.
std::uint32_t SessionMachine::skipped_blocks() const noexcept {
  constexpr int bits = 10;
  const std::uint64_t fence = forks_.empty() ? 0 : forks_.back().fence;
  return 1 + static_cast<std::uint32_t>(fence * 0x9e3779b97f4a7c15 >> (64 - bits));
}

// It was given elsewhere, perhaps beyond what the record knew of: then by a line that may go on, as
// may those that come of it, and this one gets out of their way.
void SessionMachine::reserve_id(MemberId id) noexcept {
  VS_ASSERT(id);
  VS_ASSERT(id.value < id_max);
  const bool is_of_another_line = id.value >= reserved_id_ && id.value < UINT32_MAX / 2;
  const std::uint32_t skipped = is_of_another_line ? skipped_blocks() * reserved_ids : 0;
  roster_.note_given({id.value + skipped});
  VS_ASSERT(roster_.next_id() > id.value);
  if (roster_.next_id() <= reserved_id_) return;
  reserved_id_ = roster_.next_id() + reserved_ids;
  durable_changed_ = true;
}

ConnectionNumber SessionMachine::connection_of(MemberId id) const noexcept {
  const Member* member = roster_.find(id);
  return member != nullptr && member->connected ? member->connection : ConnectionNumber{};
}

bool SessionMachine::is_removed(MemberId id) const noexcept {
  return std::find(removed_.begin(), removed_.end(), id) != removed_.end();
}

// One that connected to the place that is gone, and of which nobody here has heard.
Member* SessionMachine::find_resumable_elsewhere(const JoinRequest& request) {
  const MemberId id = request.resume->member;
  const std::int64_t window_us = std::max(limits_->resume_window_us, limits_->host_grace_us);
  const bool is_in_time = reopened_us_ != INT64_MIN && now_us_ - reopened_us_ <= window_us;
  if (!is_in_time || knows_all_ || !id || id.value >= id_max) return nullptr;
  const bool is_trusted = request.host_token && holds_host_token(*request.host_token);
  if (is_removed(id) || (is_barred(request.browser) && !is_trusted)) return nullptr;
  reserve_id(id);
  std::string name = request.name;
  if (name.empty() || name.size() > member_name_bytes_max)
    name = "Guest " + std::to_string(id.value);
  Member& member = roster_.add_away(id, name, now_us_);
  VS_ASSERT(member.id == id);
  VS_ASSERT(member.id != host_);
  return &member;
}

void SessionMachine::leave_unheard(Effects& effects) {
  std::vector<MemberId> unheard;
  roster_.connected().visit([&](const Member& member) {
    if (!member.connection) unheard.push_back(member.id);
    return true;
  });
  VS_ASSERT(unheard.size() == unheard_);
  for (const MemberId id : unheard)
    disconnect(roster_.known(id), effects);
  VS_ASSERT(unheard_ == 0);
}

}  // namespace videosync
