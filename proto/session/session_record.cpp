#include "proto/session/session_record.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/base/assert.h"
#include "core/base/byte_codec.h"
#include "proto/session/playback.h"
#include "proto/session/ready_members.h"

namespace videosync {

namespace {

// What came with which one: 7: a countdown and who is ready; 8: the queue's right and controllers;
// 9: what comes next by itself; 10: the door and the code; 11: removed browsers. What an older one
// does not have is as in a new session. A session without what came with the latest two is written
// as before, so that older nodes can go on with it.
constexpr std::uint8_t version_max = 11;
constexpr std::uint8_t version_min = 6;

void put_text(ByteWriter& writer, std::string_view text, std::size_t bytes_max) {
  VS_ASSERT(text.size() <= bytes_max);
  writer.put_text<std::uint16_t>(text);
}

std::uint64_t get_at_most(ByteReader& reader, std::uint64_t max) {
  const auto value = reader.get<std::uint64_t>();
  reader.require(value <= max);
  return value;
}

std::int64_t get_time(ByteReader& reader) {
  return static_cast<std::int64_t>(get_at_most(reader, told_number_max));
}

void put_state(ByteWriter& writer, const PlaybackState& state, double duration_s) {
  writer.put(state.epoch);
  writer.put(state.seq);
  writer.put_flag(state.playing);
  writer.put_real(state.position);
  writer.put_real(state.rate);
  writer.put_time(state.at_us);
  put_text(writer, state.video, SessionRecord::video_bytes_max);
  writer.put_real(duration_s);
  writer.put(state.by.value);
  writer.put(static_cast<std::uint8_t>(state.cause));
}

void get_state(ByteReader& reader, SessionRecord& record) {
  PlaybackState& state = record.state;
  state.epoch = get_at_most(reader, told_number_max);
  state.seq = get_at_most(reader, told_number_max);
  state.playing = reader.get_flag();
  state.position = reader.get_real(0, 1e300);
  state.rate = reader.get_real(Playback::rate_min, Playback::rate_max);
  state.at_us = get_time(reader);
  state.video = reader.get_text<std::uint16_t>(SessionRecord::video_bytes_max);
  record.duration_s = reader.get_real(0, 1e300);
  state.by.value = reader.get<std::uint32_t>();
  state.cause = reader.get_enum(Cause::ended);
}

void put_forks(ByteWriter& writer, const std::vector<Fork>& forks) {
  VS_ASSERT(forks.size() <= SessionRecord::forks_max);
  writer.put(static_cast<std::uint8_t>(forks.size()));
  for (const Fork& fork : forks) {
    writer.put(fork.fence);
    writer.put(fork.commands);
    writer.put(fork.epoch);
    writer.put(fork.after_epoch);
    writer.put(fork.after_seq);
  }
}

void get_forks(ByteReader& reader, SessionRecord& record) {
  const auto count = reader.get<std::uint8_t>();
  reader.require(count <= SessionRecord::forks_max);
  for (std::uint8_t i = 0; i < count && reader.ok(); ++i) {
    Fork& fork = record.forks.emplace_back();
    fork.fence = get_at_most(reader, count_max);
    fork.commands = get_at_most(reader, count_max);
    fork.epoch = get_at_most(reader, told_number_max);
    fork.after_epoch = get_at_most(reader, told_number_max);
    fork.after_seq = get_at_most(reader, told_number_max);
  }
}

void put_ids(ByteWriter& writer, const std::vector<MemberId>& ids, std::size_t ids_max) {
  VS_ASSERT(ids.size() <= ids_max);
  writer.put(static_cast<std::uint8_t>(ids.size()));
  for (const MemberId id : ids)
    writer.put(id.value);
}

// Each once, and each of somebody.
void get_ids(ByteReader& reader, const SessionRecord& record, std::vector<MemberId>& ids,
             std::size_t ids_max) {
  const auto count = reader.get<std::uint8_t>();
  reader.require(count <= ids_max);
  for (std::uint8_t i = 0; i < count && reader.ok(); ++i) {
    MemberId& id = ids.emplace_back();
    id.value = reader.get<std::uint32_t>();
    reader.require(id && id.value < record.next_member_id);
    reader.require(std::ranges::count(ids, id) == 1);
  }
}

// Of a countdown, and who is ready.
void put_start(ByteWriter& writer, const SessionRecord& record) {
  writer.put_time(record.start_us);
  put_ids(writer, record.ready, ReadyMembers::kept_max);
}

void get_start(ByteReader& reader, SessionRecord& record) {
  record.start_us = get_time(reader);
  constexpr std::int64_t ahead_us_max = std::int64_t{countdown_ms_max} * 1'000;
  reader.require(record.start_us <= record.state.at_us + ahead_us_max);
  get_ids(reader, record, record.ready, ReadyMembers::kept_max);
}

void put_rights(ByteWriter& writer, const SessionSettings& settings) {
  writer.put(static_cast<std::uint8_t>(settings.queue));
  put_ids(writer, settings.controllers, controllers_max);
}

void get_rights(ByteReader& reader, SessionRecord& record) {
  record.settings.queue = reader.get_enum(QueueRight::everyone);
  get_ids(reader, record, record.settings.controllers, controllers_max);
}

// Nothing is up next while something plays, or is about to go on.
void get_up_next(ByteReader& reader, SessionRecord& record) {
  record.up_next_us = get_time(reader);
  reader.require(record.up_next_us == 0 || !(record.state.playing || record.waiting));
}

// The first that can tell it all.
std::uint8_t version_of(const SessionRecord& record) noexcept {
  if (!record.removed_browsers.empty()) return 11;
  return record.code || record.settings.door != Door::open ? 10 : 9;
}

void get_door_and_code(ByteReader& reader, SessionRecord& record) {
  record.settings.door = reader.get_enum(Door::locked);
  record.code.value = get_at_most(reader, ShortCode::value_max);
}

void put_removed(ByteWriter& writer, const std::vector<BrowserId>& browsers) {
  VS_ASSERT(browsers.size() <= removed_browsers_max);
  writer.put(static_cast<std::uint8_t>(browsers.size()));
  for (const BrowserId browser : browsers)
    writer.put(browser.value);
}

// Each once, and each of some browser.
void get_removed(ByteReader& reader, std::vector<BrowserId>& browsers) {
  const auto count = reader.get<std::uint8_t>();
  reader.require(count <= removed_browsers_max);
  for (std::uint8_t i = 0; i < count && reader.ok(); ++i) {
    BrowserId& browser = browsers.emplace_back();
    browser.value = reader.get<std::uint64_t>();
    reader.require(browser && std::ranges::count(browsers, browser) == 1);
  }
}

void get_host(ByteReader& reader, SessionRecord& record) {
  if (!reader.get_flag()) return;
  SessionRecord::Host host;
  host.id.value = reader.get<std::uint32_t>();
  host.connection.value = reader.get<std::uint32_t>();
  host.name = reader.get_text<std::uint16_t>(member_name_bytes_max);
  host.reason = reader.get_enum(HostReason::left);
  reader.require(host.id && host.id.value < record.next_member_id);
  record.host = std::move(host);
}

}  // namespace

std::string encode(const SessionRecord& record) {
  ByteWriter writer;
  const std::uint8_t version = version_of(record);
  writer.put(version);
  writer.put(static_cast<std::uint8_t>(record.settings.control));
  writer.put(static_cast<std::uint8_t>(record.settings.on_stall));
  put_text(writer, record.settings.audio_language, language_bytes_max);
  writer.put_raw(record.host_token.bytes);
  writer.put_raw(record.resume_key.bytes);
  put_state(writer, record.state, record.duration_s);
  writer.put_flag(record.waiting);
  writer.put(record.next_member_id);
  writer.put_time(record.last_activity_us);
  writer.put_flag(record.occupied);
  writer.put(record.commands);
  put_forks(writer, record.forks);
  writer.put_flag(record.host.has_value());
  if (record.host) {
    writer.put(record.host->id.value);
    writer.put(record.host->connection.value);
    put_text(writer, record.host->name, member_name_bytes_max);
    writer.put(static_cast<std::uint8_t>(record.host->reason));
  }
  put_start(writer, record);
  put_rights(writer, record.settings);
  writer.put_time(record.up_next_us);
  if (version >= 10) {
    writer.put(static_cast<std::uint8_t>(record.settings.door));
    writer.put(record.code.value);
  }
  if (version >= 11) put_removed(writer, record.removed_browsers);
  return writer.take_bytes();
}

Result<SessionRecord> decode_session_record(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto given = reader.get<std::uint8_t>();
  if (given < version_min || given > version_max) {
    return fail(ErrorCode::corrupt, "stored session: not of this version");
  }
  SessionRecord record;
  record.settings.control = reader.get_enum(Control::everyone);
  record.settings.on_stall = reader.get_enum(OnStall::wait);
  record.settings.audio_language = reader.get_text<std::uint16_t>(language_bytes_max);
  reader.get_raw(record.host_token.bytes);
  reader.get_raw(record.resume_key.bytes);
  get_state(reader, record);
  record.waiting = reader.get_flag();
  reader.require(!(record.waiting && record.state.playing));
  record.next_member_id = reader.get<std::uint32_t>();
  reader.require(record.next_member_id != 0);
  record.last_activity_us = get_time(reader);
  record.occupied = reader.get_flag();
  record.commands = get_at_most(reader, count_max);
  get_forks(reader, record);
  get_host(reader, record);
  if (given >= 7) get_start(reader, record);
  if (given >= 8) get_rights(reader, record);
  if (given >= 9) get_up_next(reader, record);
  if (given >= 10) get_door_and_code(reader, record);
  if (given >= 11) get_removed(reader, record.removed_browsers);
  reader.require(given < 10 || given == version_of(record));
  if (!reader.ok() || !reader.at_end()) {
    return fail(ErrorCode::corrupt, "stored session: bytes that make no sense");
  }
  return record;
}

}  // namespace videosync
