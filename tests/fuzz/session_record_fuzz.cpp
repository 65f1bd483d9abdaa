// Fuzzes what a store keeps of a session: its record, what lies around that, and its queue.
//
// The first byte: which of them. What is understood is written the same again (older forms: in the
// present one, once), and a machine goes on from it, also as one that has taken it over.
//
// Reads: core/base/byte_codec.h, proto/session/queue.cpp, proto/session/session_record.cpp,
// server/session/stored_session.cpp
#include "proto/session/session_record.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "proto/session/queue.h"
#include "proto/session/session_machine.h"
#include "server/session/stored_session.h"
#include "tests/fuzz/support/fuzz_lines.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

constexpr SessionMachine::Limits limits;
constexpr std::int64_t now_us = 1'700'000'000'000'000;
constexpr std::uint8_t version_written_as_it_is = 9;  // and those behind it

// No session comes there: what goes on from the greatest numbers cannot be told any more.
bool is_far_from_the_ends(const SessionRecord& record) {
  constexpr std::uint64_t far = told_number_max / 2;
  const PlaybackState& state = record.state;
  return state.epoch < far && state.seq < far && static_cast<std::uint64_t>(state.at_us) < far &&
         static_cast<std::uint64_t>(record.last_activity_us) < far && record.commands < far;
}

// Somebody comes, plays and goes, and time passes.
void live_in(SessionMachine& machine) {
  const bool is_to_be_told = is_far_from_the_ends(machine.record());
  machine.check_invariants();
  Effects effects;
  std::int64_t at_us = now_us;
  const auto joined = machine.join(SessionMachine::JoinRequest{}, at_us, effects);
  machine.check_invariants();
  if (joined) {
    machine.handle(joined->id, PlayMessage{}, at_us += 1'000, effects);
    machine.check_invariants();
  }
  constexpr std::int64_t later_us = now_us + std::int64_t{10} * 366 * 86'400 * 1'000'000;
  for (int i = 0; i < 8 && machine.next_deadline_us() < later_us && !machine.ended(); ++i) {
    at_us = std::max(at_us + 1, machine.next_deadline_us());
    machine.tick(at_us, effects);
    machine.check_invariants();
  }
  if (joined) machine.leave(joined->id, joined->connection, at_us, effects);
  machine.check_invariants();
  if (is_to_be_told) VS_ASSERT(decode_session_record(machine.encode()).has_value());
}

void check_record(const SessionRecord& record, std::string_view bytes) {
  const std::string written = encode(record);
  VS_ASSERT(written.size() <= bytes.size() + 256);
  if (static_cast<std::uint8_t>(bytes[0]) >= version_written_as_it_is) VS_ASSERT(written == bytes);
  const auto again = decode_session_record(written);
  VS_ASSERT(again && encode(*again) == written);

  SessionMachine machine(limits, record, now_us);
  live_in(machine);
  // Who were members elsewhere have a host there; the record may be older than it.
  std::vector<MemberInfo> known{{MemberId{1}, "Bob", Role::participant}};
  if (record.host) known.push_back({record.host->id, record.host->name, Role::host});
  if (!record.host || record.host->id == MemberId{1}) known.erase(known.begin());
  const auto taken = SessionMachine::reopen(limits, record, 7, 9, known, now_us);
  VS_ASSERT(taken->state().epoch > record.state.epoch);
  live_in(*taken);
  SessionMachine::state_as_left(limits, record, now_us);
}

void check_queue(std::string_view bytes) {
  auto queue = Queue::decode(bytes);
  if (!queue) {
    VS_ASSERT(queue.error().code == ErrorCode::corrupt);
    return;
  }
  VS_ASSERT(queue->encode() == bytes && queue->items().size() <= Queue::items_max);
  if (!queue->full()) {
    const std::uint64_t version = queue->version();
    const QueueItemId id = queue->add({.id = "film"}, MemberId{1}, "Ann", 0, now_us);
    VS_ASSERT(queue->find(id) != nullptr && queue->version() > version);
    VS_ASSERT(queue->items().front().id == id && queue->move(id, SIZE_MAX));
  }
  while (!queue->empty())
    VS_ASSERT(queue->take(queue->items().back().id));
  const auto again = Queue::decode(queue->encode());
  VS_ASSERT(again && again->encode() == queue->encode());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes = text_of(data + 1, size - 1);
  if (data[0] % 4 == 0) {
    check_queue(bytes);
  } else if (data[0] % 4 == 1) {
    const auto stored = decode_stored_session(bytes);
    if (!stored) return 0;
    const auto again = decode_stored_session(encode(*stored));
    VS_ASSERT(again && encode(*again) == encode(*stored));
    VS_ASSERT(stored->heard.size() <= StoredSession::heard_max);
  } else {
    const auto record = decode_session_record(bytes);
    if (record) {
      check_record(*record, bytes);
    } else {
      VS_ASSERT(record.error().code == ErrorCode::corrupt);
    }
  }
  return 0;
}
