// The vocabulary of a session: ids, roles, settings, the playback vector, client messages.
//
// Plain values. Times are server time in microseconds (`..._us`), media positions are seconds.
// Everything here may be moved between threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/close_code.h"
#include "core/base/strong_id.h"

namespace videosync {

// Unique inside its session, never given twice; on the wire a short string (see messages.h).
using MemberId = StrongId<struct MemberIdTag, std::uint32_t>;

// Of what is in a session's queue; never given twice.
using QueueItemId = StrongId<struct QueueItemIdTag, std::uint64_t>;

// Of one that waits before a session's door: of its connection, wherever the session's home is.
using KnockId = StrongId<struct KnockIdTag, std::uint64_t>;

// A browser, as far as its cookie tells it from others; none: it has shown none.
using BrowserId = StrongId<struct BrowserIdTag, std::uint64_t>;

// Tells a member's connections apart, and which of them is the newer. Whoever has the connection
// makes it of server time in milliseconds, which goes round in 49 days; 0 is none.
using ConnectionNumber = StrongId<struct ConnectionNumberTag, std::uint32_t>;

constexpr bool is_newer(ConnectionNumber one, ConnectionNumber other) noexcept {
  return static_cast<std::int32_t>(one.value - other.value) > 0;
}

// 128 random bits: a host token or the secret half of a resume token.
struct Token {
  std::array<std::uint8_t, 16> bytes{};

  // In time that does not depend on where they differ.
  bool equals(const Token& other) const noexcept {
    unsigned difference = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      difference |= static_cast<unsigned>(bytes[i] ^ other.bytes[i]);
    }
    return difference == 0;
  }
};

// What a client presents to be the same member again: "<member id>.<32 hex digits>" on the wire.
struct ResumeToken {
  MemberId member;
  Token secret;
};

enum class Role : std::uint8_t { participant, host };
enum class Control : std::uint8_t { host, everyone };
enum class OnStall : std::uint8_t { keep_going, wait };  // "continue" and "wait" on the wire
enum class Cause : std::uint8_t { play, pause, seek, rate, load, stall, resume, ended };
enum class HostReason : std::uint8_t { joined, given, claimed, left };

enum class Refusal : std::uint8_t {
  bad_json,
  bad_message,
  unknown_type,
  not_host,
  no_such_member,
  no_such_video,
  out_of_range,
  rate_limited,
  unavailable,
  no_such_item,
  queue_full,
  not_admitted,
};

// In which form a member's player has the video (docs/MEDIA.md).
enum class Form : std::uint8_t { unknown, file, copy, transcode, stream };

// Who may change the queue: everyone may add to it and take back their own, or only who controls.
enum class QueueRight : std::uint8_t { host, everyone };

// Who may come in: everybody who has the key, whom the host lets in, or nobody any more.
enum class Door : std::uint8_t { open, knock, locked };

inline constexpr std::size_t controllers_max = 50;
inline constexpr std::size_t removed_browsers_max = 50;  // the newest of a session
inline constexpr std::size_t language_bytes_max = 35;    // a tag of BCP 47 that is not private

struct SessionSettings {
  Control control = Control::host;
  OnStall on_stall = OnStall::keep_going;
  std::string audio_language{};  // with which players begin; "" where nobody chose one
  QueueRight queue = QueueRight::everyone;
  std::vector<MemberId> controllers{};  // who may control besides the host: each once
  Door door = Door::open;
};

// What the session machine knows of a video. duration_s is 0 where nobody knows it.
struct VideoChoice {
  std::string id;
  double duration_s = 0;
};

// The playback vector and its place in the order. At server time t the media position is
// position + (playing ? rate * (t - at_us) / 1e6 : 0), within [0, duration].
// A scheduled start stands at `position` until at_us has come.
struct PlaybackState {
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;
  bool playing = false;
  double position = 0;
  double rate = 1;
  std::int64_t at_us = 0;  // may lie a little in the future: a scheduled start
  std::string video;       // "" where the library is empty
  MemberId by;             // none: the service itself
  Cause cause = Cause::load;
};

// When everybody had left a session that stands since then (nobody else's pause is the service's);
// 0: it does not.
inline std::int64_t left_us_of(const PlaybackState& state) noexcept {
  const bool is_left = state.cause == Cause::pause && !state.by && !state.playing;
  return is_left ? state.at_us : 0;
}

inline constexpr std::size_t video_id_bytes_max = 255;  // of one that a client names
// A film that is not of the library stands wherever an id of one may stand, by its address. No id
// has a colon or a slash.
inline constexpr std::string_view film_url_prefix = "https://";
inline constexpr std::size_t film_url_bytes_max = 2'048;
inline constexpr double film_url_duration_s_max = 864'000;
inline bool is_film_url(std::string_view video) noexcept {
  return video.starts_with(film_url_prefix);
}
inline constexpr std::uint32_t countdown_ms_max = 10'000;
inline constexpr std::uint32_t first_frame_ms_max = 600'000;
inline constexpr std::size_t member_name_bytes_max = 160;  // 40 characters

// Of what is told to clients as a number, which they hold exactly up to here: epochs and seqs, and
// times, which end in the year 2255.
inline constexpr std::uint64_t told_number_max = (std::uint64_t{1} << 53) - 1;
// Of whatever else is only counted up: far from where it would go round.
inline constexpr std::uint64_t count_max = std::uint64_t{1} << 62;

// The place of a state in the order of a session. Nothing held: {}, which is below every state.
struct HeldState {
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;

  friend constexpr auto operator<=>(const HeldState&, const HeldState&) noexcept = default;
};

// One take-over in a session's line: from `epoch` on the order goes on from the state that has the
// place (after_epoch, after_seq). A state of an epoch below that is newer than it does not count
// any more. `fence` and `commands` are the same for nodes: see SessionRecord.
struct Fork {
  std::uint64_t fence = 0;
  std::uint64_t commands = 0;  // carried out when it was taken over
  std::uint64_t epoch = 0;
  std::uint64_t after_epoch = 0;
  std::uint64_t after_seq = 0;
};

// Somebody who waits at the door: `place` is of whoever asks for it, and comes back as it was
// given.
struct KnockRef {
  KnockId id;
  std::uint32_t place = 0;
};

struct MemberInfo {
  MemberId id;
  std::string name;
  Role role = Role::participant;
};

// What somebody said.
struct ChatLine {
  std::uint64_t id = 0;  // greater than those before; from 1 on, at most told_number_max
  MemberId from;
  std::string name;  // of its speaker, then
  std::string text;
  std::int64_t at_us = 0;
};

// --- Messages from a client, checked for shape and range by messages.h -------------------------

struct PlayMessage {
  std::optional<double> position{};
  std::optional<std::uint32_t> countdown_ms{};  // at most countdown_ms_max
};
struct PauseMessage {
  std::optional<double> position;
};
struct SeekMessage {
  double position = 0;
};
struct RateMessage {
  double rate = 1;
};
struct LoadMessage {
  std::string video;      // or an address
  double duration_s = 0;  // of what is there, where its sender knows it
};
struct GiveMessage {
  MemberId to;
};
struct ClaimMessage {
  Token host_token;
};
// Shared, and a pointer, so that a message stays small enough for a task between threads.
using SharedIds = std::shared_ptr<const std::vector<MemberId>>;
inline SharedIds share_ids(std::vector<MemberId> ids) {
  return std::make_shared<const std::vector<MemberId>>(std::move(ids));
}
struct SettingsMessage {
  std::optional<Control> control{};
  std::optional<OnStall> on_stall{};
  std::optional<QueueRight> queue{};
  std::optional<Door> door{};
  std::optional<std::string> audio_language{};
  SharedIds controllers{};  // at most controllers_max, each once; null: as they are
};
struct KickMessage {
  MemberId id;
};
struct EndMessage {};
// `id` and `t1` are echoed untouched: the JSON text of each, as the client wrote it.
struct PingMessage {
  std::string id;
  std::string t1;
};
struct ReportMessage {
  double drift_ms = 0;
  double rtt_ms = 0;
  bool buffering = false;
  std::optional<double> position{};
  Form form = Form::unknown;
  bool cannot_play = false;
  bool own_pace = false;                          // it follows nobody: its drift is its wish
  std::optional<std::uint32_t> first_frame_ms{};  // at most first_frame_ms_max
};
struct ChatMessage {
  std::string text;
};
struct ReactionMessage {
  std::string emoji;
};
struct NameMessage {
  std::string name;
};
struct ReadyMessage {
  bool ready = false;
};
// Places are counted from 0; beyond the end is the end.
struct EnqueueMessage {
  std::string video;
  std::optional<std::uint32_t> at{};  // the end
};
struct DequeueMessage {
  QueueItemId item;
};
struct MoveMessage {
  QueueItemId item;
  std::uint32_t at = 0;
};
struct JumpMessage {
  QueueItemId item;
};
struct NextMessage {};
struct CancelNextMessage {};
struct AdmitMessage {
  KnockId id;
};
struct RefuseMessage {
  KnockId id;
};

using ClientMessage =
    std::variant<PlayMessage, PauseMessage, SeekMessage, RateMessage, LoadMessage, GiveMessage,
                 ClaimMessage, SettingsMessage, KickMessage, EndMessage, PingMessage, ReportMessage,
                 ChatMessage, ReactionMessage, NameMessage, ReadyMessage, EnqueueMessage,
                 DequeueMessage, MoveMessage, JumpMessage, NextMessage, CancelNextMessage,
                 AdmitMessage, RefuseMessage>;

}  // namespace videosync
