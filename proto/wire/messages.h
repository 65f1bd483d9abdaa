// JSON messages: text from a client to checked values, effects of a session to text.
//
// Decoding (messages_decode.cpp over json_fields.h) checks types, ranges and lengths as the public
// contract has them; what it lets through needs no second look but for rights and existence.
// Encoding (messages_encode.cpp, messages_encode_client.cpp) appends to the caller's string, whose
// capacity it reuses. No I/O, no clock; a MessageDecoder belongs to one thread. Ids and tokens as
// text: token.h.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/short_code.h"
#include "core/base/uuid.h"
#include "proto/session/effects.h"
#include "proto/session/queue.h"
#include "proto/session/session_values.h"
#include "proto/wire/token.h"

namespace videosync {

// --- From a client -------------------------------------------------------------------------------

// Bytes behind a text that must be readable (of any value): the parser looks ahead.
inline constexpr std::size_t json_padding = 64;
inline constexpr std::size_t json_depth_max = 16;

// The parser and its buffers (100 KiB), reused from text to text: one a worker.
class MessageDecoder {
 public:
  MessageDecoder();
  ~MessageDecoder();
  MessageDecoder(MessageDecoder&&) noexcept;
  MessageDecoder& operator=(MessageDecoder&&) noexcept;

  struct Parser;
  Parser& parser() noexcept { return *parser_; }

 private:
  std::unique_ptr<Parser> parser_;
};

struct DecodeFailure {
  Refusal code = Refusal::bad_json;
  std::string message;  // for a person
  std::string_view re;  // the type's literal, "" where it is not known
};

// One message of a client. REQUIRES json_padding readable bytes behind `text`.
//
// - bad_json: not JSON, or deeper than json_depth_max. bad_message: JSON, but a field is missing or
//   of the wrong type. out_of_range: the right type, but outside of its range or length.
//   unknown_type. no_such_member, not_host: a `to`, `id` or `hostToken` that cannot be anybody's.
// - Fields that a type does not have are ignored; of a key that comes twice the last counts; null
//   is as good as absent. A position of -0 becomes 0, a negative rttMs (jitter) 0.
// - `name` is cleaned (member_name.h). `id` and `t1` of a ping are numbers or strings of at most 64
// bytes.
// - Allocates only for strings of more than 15 bytes (and for a failure's message).
std::expected<ClientMessage, DecodeFailure> decode_client_message(std::string_view text,
                                                                  MessageDecoder& scratch);

// The same message as a client would write it, appended to `out`: decoding gives it back. REQUIRES
// a message that decoding could have given.
void encode_client_message(std::string& out, const ClientMessage& message);

// The message's type as it stands on the wire: a literal.
std::string_view message_type(const ClientMessage& message) noexcept;

// The body of POST /api/sessions; an empty one takes every default. Same precondition and failures.
struct CreateSession {
  std::optional<std::string> video;
  SessionSettings settings;
};
std::expected<CreateSession, DecodeFailure> decode_create_session(std::string_view body,
                                                                  MessageDecoder& scratch);

// --- To clients: each appends one JSON text to `out` ---------------------------------------------

struct WelcomeView {
  const MemberInfo& you;
  const ResumeToken& resume;
  const Uuid& key;
  const SessionSettings& settings;
  MemberId host;  // none: null
  std::optional<HostAway> host_away;
  const PlaybackState& state;
  std::uint32_t member_count = 0;
  std::string_view member_list;  // as encode_member_list() makes it
  std::int64_t server_us = 0;
  std::uint32_t report_every_ms = 5'000;
  std::span<const Fork> forks{};
  std::uint32_t ready_count = 0;
  bool are_you_ready = false;
  UpNext up_next{};  // without an item: nothing
  std::string_view up_next_title{};
  ShortCode code{};                             // nil: it has none
  std::span<const std::string> film_sources{};  // origins of films that are not of the library
};

enum class NoticeCode : std::uint8_t { degraded, restored, draining, undone };

void encode_welcome(std::string& out, const WelcomeView& welcome);
// The list of a welcome, which is much of it and the same for many.
void encode_member_list(std::string& out, std::span<const MemberInfo> members);
void encode_state(std::string& out, const PlaybackState& state);
void encode_host(std::string& out, const HostEffect& host);
void encode_members(std::string& out, const MembersEffect& members);
// t2: server time when the ping was received; t3: when this is sent.
void encode_pong(std::string& out, const PingMessage& ping, std::int64_t t2_us, std::int64_t t3_us);
void encode_viewers(std::string& out, const ViewersEffect& viewers);
void encode_waiting(std::string& out, const WaitingEffect& waiting);
// How far a film is that the host brings; no percentage: it is given up.
void encode_upload(std::string& out, std::string_view name, std::optional<std::uint8_t> percent);
void encode_settings(std::string& out, const SessionSettings& settings);
// To who waits at the door; to the host, of it.
void encode_knocking(std::string& out);
void encode_knock(std::string& out, const KnockEffect& knock);
void encode_chat(std::string& out, const ChatLine& line);
// Of these lines from `first` on as many as fit a message, at least one; answers with the first of
// the next message. REQUIRES that there is one.
std::size_t encode_history(std::string& out, std::span<const ChatLine> lines, std::size_t first);
// The first of the turn on top, the others, if any, in "more". REQUIRES at least one.
void encode_reactions(std::string& out, const ReactionsEffect& reactions);

// The queue as one text or, where it is long, as several in their order, each for any client to
// take. Where all of it would be more than queue_told_bytes_max, titles and names are cut, and what
// is beyond that even then is left out.
inline constexpr std::size_t queue_told_bytes_max = 44 * 1024;
struct QueueView {
  std::uint64_t epoch = 0;
  const Queue& queue;
  std::span<const std::string> titles;  // one of each item
};
std::vector<std::string> encode_queue(const QueueView& view);
void encode_up_next(std::string& out, const UpNext& next, std::string_view title);
void encode_notice(std::string& out, NoticeCode code,
                   std::optional<std::uint32_t> retry_after_ms = std::nullopt);
void encode_error(std::string& out, Refusal code, std::string_view message, std::string_view re);

struct SessionInfoView {
  const Uuid& key;
  std::string_view video_json;  // one JSON value as it shall stand there
  const SessionSettings& settings;
  std::uint32_t member_count = 0;
  const PlaybackState& state;
  std::int64_t server_us = 0;
  ShortCode code{};  // nil: it is not told
};

void encode_session_created(std::string& out, const Uuid& key, const Token& host_token,
                            ShortCode code);
void encode_session_validity(std::string& out, const std::optional<Uuid>& key);
void encode_session_info(std::string& out, const SessionInfoView& session);

// The name on the wire.
std::string_view refusal_name(Refusal code) noexcept;

}  // namespace videosync
