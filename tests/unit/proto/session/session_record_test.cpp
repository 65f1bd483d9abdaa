// What a record may say: it comes from a store, and whoever reads it goes on from its numbers.
#include "proto/session/session_record.h"

#include <criterion/criterion.h>

#include <cmath>
#include <string>
#include <utility>

#include "tests/unit/proto/session/session_fixture.h"

using namespace videosync;

namespace {

bool is_corrupt(const SessionRecord& record) {
  const auto decoded = decode_session_record(encode(record));
  return !decoded && decoded.error().code == ErrorCode::corrupt;
}

SessionRecord at_the_bounds() {
  SessionRecord record;
  record.state.epoch = record.state.seq = told_number_max;
  record.state.at_us = record.last_activity_us = static_cast<std::int64_t>(told_number_max);
  record.state.playing = true;
  record.state.position = record.duration_s = 1e300;
  record.state.video = std::string(SessionRecord::video_bytes_max, 'v');
  record.next_member_id = UINT32_MAX;
  record.commands = count_max;
  record.forks = std::vector(SessionRecord::forks_max, Fork{count_max, count_max, told_number_max,
                                                            told_number_max, told_number_max});
  record.host = SessionRecord::Host{MemberId{1}, ConnectionNumber{UINT32_MAX},
                                    std::string(member_name_bytes_max, 'n'), HostReason::left};
  for (std::uint32_t i = 1; i <= ReadyMembers::kept_max; ++i)
    record.ready.push_back(MemberId{UINT32_MAX - i});
  record.start_us = record.state.at_us;
  record.settings.queue = QueueRight::everyone;
  record.settings.door = Door::locked;
  for (std::uint32_t i = 1; i <= controllers_max; ++i)
    record.settings.controllers.push_back(MemberId{i});
  record.code.value = ShortCode::value_max;
  for (std::uint64_t i = 0; i < removed_browsers_max; ++i)
    record.removed_browsers.push_back(BrowserId{UINT64_MAX - i});
  return record;
}

}  // namespace

Test(session_record, a_machine_goes_on_from_whatever_is_within_the_bounds) {
  SessionFixture t;
  const auto record = decode_session_record(encode(at_the_bounds()));
  cr_assert(record.has_value());
  t.machine = std::make_unique<SessionMachine>(t.limits, *record, t.now);
  t.machine->check_invariants();
  t.machine = SessionMachine::reopen(t.limits, *record, told_number_max, count_max, {}, t.now);
  t.machine->check_invariants();
  cr_assert(t.machine->state().epoch > record->state.epoch);
  cr_assert(t.machine->record().next_member_id == UINT32_MAX, "it does not go round");
  Effects effects;
  const auto joined = t.machine->join({}, t.now, effects);
  cr_assert(!joined && joined.error() == SessionMachine::JoinRefusal::full, "no id is left");
  t.machine->tick(t.now + 1, effects);
  t.machine->check_invariants();
}

Test(session_record, values_that_no_machine_can_have_come_to_are_corrupt) {
  const auto with = [](auto change) {
    SessionRecord record = at_the_bounds();
    change(record);
    return record;
  };
  cr_assert(!is_corrupt(with([](SessionRecord&) {})));
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.state.epoch; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.state.seq; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.state.at_us; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.state.at_us = -1; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.last_activity_us; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.last_activity_us = -1; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.state.position = std::nan(""); })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.state.rate = HUGE_VAL; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.duration_s = -1; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.next_member_id = 0; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.commands; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.code.value; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.removed_browsers[7] = {}; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.removed_browsers[7].value; })), "twice");
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.forks[0].fence; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.forks[7].commands; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.forks[1].epoch; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.forks[2].after_epoch; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.forks[3].after_seq; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.host->id = {}; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.host->id.value = r.next_member_id; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { ++r.start_us; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.settings.queue = QueueRight{2}; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.settings.door = Door{3}; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.up_next_us = 1; })), "it plays");
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.settings.controllers[3] = {}; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.settings.controllers[3] = MemberId{1}; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.ready[0] = {}; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.ready[1] = r.ready[0]; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) { r.ready[2].value = r.next_member_id; })));
  cr_assert(is_corrupt(with([](SessionRecord& r) {
    r.state.at_us = 0;
    r.start_us = std::int64_t{countdown_ms_max} * 1'000 + 1;
  })));
}

Test(session_record, a_name_that_no_message_could_carry_is_corrupt) {
  SessionRecord record = at_the_bounds();
  record.host->name = "Ann";
  std::string bytes = encode(record);
  const std::size_t at = bytes.find("Ann");
  bytes.replace(at - 2, 5, std::string("\xa1\0", 2) + std::string(member_name_bytes_max + 1, 'n'));
  cr_assert(!decode_session_record(bytes).has_value());
}

Test(session_record, without_what_came_last_it_is_one_that_older_nodes_read) {
  SessionRecord record = at_the_bounds();
  cr_assert_eq(encode(record)[0], 11);
  cr_assert_eq(decode_session_record(encode(record))->removed_browsers.size(),
               removed_browsers_max);
  record.removed_browsers.clear();
  cr_assert_eq(encode(record)[0], 10);
  cr_assert(decode_session_record(encode(record))->code == record.code);
  std::string nobody = encode(record) + '\0';
  nobody[0] = 11;
  cr_assert_not(decode_session_record(nobody).has_value(), "it would have been written without");
  record.code = {};
  cr_assert_eq(encode(record)[0], 10, "its door is locked");
  cr_assert_not(decode_session_record(encode(record))->code);
  record.settings.door = Door::open;
  const std::string bytes = encode(record);
  cr_assert_eq(bytes[0], 9);
  cr_assert_not(decode_session_record(bytes)->code);
  std::string nil = bytes + std::string(1 + 8, '\0');
  nil[0] = 10;
  cr_assert_not(decode_session_record(nil).has_value(), "it would have been written without");
}

// What nodes of the versions before have stored, of which each has something more at the end.
Test(session_record, the_versions_before_are_read) {
  SessionRecord record = at_the_bounds();
  record.start_us = 0;
  record.ready.clear();
  record.settings.controllers.clear();
  record.code = {};
  record.settings.door = Door::open;
  record.removed_browsers.clear();
  std::string bytes = encode(record);
  constexpr std::size_t rights = 1 + 1;  // of the queue, and how many control
  constexpr std::size_t start = 8 + 1;   // of a countdown, and how many are ready
  constexpr std::size_t next = 8;        // what comes by itself
  for (const auto& [version, added] :
       {std::pair('\x08', next), std::pair('\x07', rights), std::pair('\x06', start)}) {
    bytes.resize(bytes.size() - added);
    cr_assert_not(decode_session_record(bytes).has_value());
    bytes[0] = version;
    const auto read = decode_session_record(bytes);
    cr_assert(read.has_value());
    cr_assert(encode(*read) == encode(record));
  }
  bytes[0] = 5;
  cr_assert_not(decode_session_record(bytes).has_value());
}
