#include "proto/session/session_record.h"

#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <utility>

#include "core/base/assert.h"
#include "proto/session/playback.h"

namespace videosync {

namespace {

constexpr std::uint8_t version = 5;
constexpr std::size_t text_bytes_max = 4'096;

class Writer {
 public:
  template <std::unsigned_integral Integer>
  void put(Integer value) {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      bytes_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
    }
  }
  void put_flag(bool value) { put(static_cast<std::uint8_t>(value)); }
  void put_time(std::int64_t us) { put(static_cast<std::uint64_t>(us)); }
  void put_real(double value) { put(std::bit_cast<std::uint64_t>(value)); }
  void put_token(const Token& token) {
    for (const std::uint8_t byte : token.bytes)
      put(byte);
  }
  void put_text(std::string_view text) {
    VS_ASSERT(text.size() <= text_bytes_max);
    put(static_cast<std::uint16_t>(text.size()));
    bytes_ += text;
  }
  std::string take_bytes() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// After the first value that does not fit, `ok()` is false and every value is 0.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <std::unsigned_integral Integer>
  Integer get() {
    if (rest_.size() < sizeof(Integer)) return broken<Integer>();
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
      value |= std::uint64_t{static_cast<std::uint8_t>(rest_[i])} << (8 * i);
    }
    rest_.remove_prefix(sizeof(Integer));
    return static_cast<Integer>(value);
  }
  // An enumeration or flag with values up to `last`.
  template <class Enum>
  Enum get_enum(Enum last) {
    const auto value = get<std::uint8_t>();
    if (value > static_cast<std::uint8_t>(last)) return broken<Enum>();
    return static_cast<Enum>(value);
  }
  bool get_flag() { return get_enum<bool>(true); }
  std::int64_t get_time() {
    const auto us = static_cast<std::int64_t>(get<std::uint64_t>());
    // Far from where sums of times would overflow.
    return us < 0 || us > INT64_MAX / 2 ? broken<std::int64_t>() : us;
  }
  double get_real(double min, double max) {
    const double value = std::bit_cast<double>(get<std::uint64_t>());
    return value >= min && value <= max ? value : broken<double>();
  }
  Token get_token() {
    Token token;
    for (std::uint8_t& byte : token.bytes)
      byte = get<std::uint8_t>();
    return token;
  }
  std::string get_text() {
    const std::size_t size = get<std::uint16_t>();
    if (size > text_bytes_max || size > rest_.size()) return broken<std::string>();
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  void require(bool holds) { ok_ = ok_ && holds; }
  bool ok() const noexcept { return ok_; }
  bool at_end() const noexcept { return rest_.empty(); }

 private:
  template <class Value>
  Value broken() {
    ok_ = false;
    rest_ = {};
    return Value{};
  }

  std::string_view rest_;
  bool ok_ = true;
};

void put_state(Writer& writer, const PlaybackState& state, double duration_s) {
  writer.put(state.epoch);
  writer.put(state.seq);
  writer.put_flag(state.playing);
  writer.put_real(state.position);
  writer.put_real(state.rate);
  writer.put_time(state.at_us);
  writer.put_text(state.video);
  writer.put_real(duration_s);
  writer.put(state.by.value);
  writer.put(static_cast<std::uint8_t>(state.cause));
}

void get_state(Reader& reader, SessionRecord& record) {
  PlaybackState& state = record.state;
  state.epoch = reader.get<std::uint64_t>();
  state.seq = reader.get<std::uint64_t>();
  state.playing = reader.get_flag();
  state.position = reader.get_real(0, 1e300);
  state.rate = reader.get_real(Playback::rate_min, Playback::rate_max);
  state.at_us = reader.get_time();
  state.video = reader.get_text();
  record.duration_s = reader.get_real(0, 1e300);
  state.by.value = reader.get<std::uint32_t>();
  state.cause = reader.get_enum(Cause::ended);
}

void put_forks(Writer& writer, const std::vector<Fork>& forks) {
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

void get_forks(Reader& reader, SessionRecord& record) {
  const auto count = reader.get<std::uint8_t>();
  reader.require(count <= SessionRecord::forks_max);
  for (std::uint8_t i = 0; i < count && reader.ok(); ++i) {
    Fork& fork = record.forks.emplace_back();
    fork.fence = reader.get<std::uint64_t>();
    fork.commands = reader.get<std::uint64_t>();
    fork.epoch = reader.get<std::uint64_t>();
    fork.after_epoch = reader.get<std::uint64_t>();
    fork.after_seq = reader.get<std::uint64_t>();
  }
}

void get_host(Reader& reader, SessionRecord& record) {
  if (!reader.get_flag()) return;
  SessionRecord::Host host;
  host.id.value = reader.get<std::uint32_t>();
  host.connection.value = reader.get<std::uint32_t>();
  host.name = reader.get_text();
  host.reason = reader.get_enum(HostReason::left);
  reader.require(host.id && host.id.value < record.next_member_id);
  record.host = std::move(host);
}

}  // namespace

std::string encode(const SessionRecord& record) {
  Writer writer;
  writer.put(version);
  writer.put(static_cast<std::uint8_t>(record.settings.control));
  writer.put(static_cast<std::uint8_t>(record.settings.on_stall));
  writer.put_token(record.host_token);
  writer.put_token(record.resume_key);
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
    writer.put_text(record.host->name);
    writer.put(static_cast<std::uint8_t>(record.host->reason));
  }
  return writer.take_bytes();
}

Result<SessionRecord> decode_session_record(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.get<std::uint8_t>() != version) {
    return fail(ErrorCode::corrupt, "stored session: not of this version");
  }
  SessionRecord record;
  record.settings.control = reader.get_enum(Control::everyone);
  record.settings.on_stall = reader.get_enum(OnStall::wait);
  record.host_token = reader.get_token();
  record.resume_key = reader.get_token();
  get_state(reader, record);
  record.waiting = reader.get_flag();
  reader.require(!(record.waiting && record.state.playing));
  record.next_member_id = reader.get<std::uint32_t>();
  reader.require(record.next_member_id != 0);
  record.last_activity_us = reader.get_time();
  record.occupied = reader.get_flag();
  record.commands = reader.get<std::uint64_t>();
  get_forks(reader, record);
  get_host(reader, record);
  if (!reader.ok() || !reader.at_end()) {
    return fail(ErrorCode::corrupt, "stored session: bytes that make no sense");
  }
  return record;
}

}  // namespace videosync
