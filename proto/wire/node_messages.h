// What the nodes that share sessions say to each other, as values and as bytes.
//
// A session's machine lives on one node, its home; other nodes with members of it keep an outpost.
// Three ways: to the home's node, to an outpost's node, and to everyone who follows the session or
// the nodes. Bytes are versioned and little-endian. Decoding trusts nothing: lengths are bounded,
// texts are valid UTF-8, nothing may follow, and numbers are such as some node may have come to:
// counts and times within their bounds, nobody without an id, no connection 0, no home without a
// fence. Plain values, pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/error.h"
#include "core/base/uuid.h"
#include "proto/session/session_values.h"

namespace videosync::node {

inline constexpr std::size_t text_bytes_max = 64 * 1024;
inline constexpr std::size_t message_bytes_max = 1280 * 1024;
inline constexpr std::size_t list_max = 1'000;  // elements of any list here
inline constexpr std::size_t refusal_bytes_max = 384;

// What a client of the asking node waits for. Whoever answers returns it and knows no more of it.
struct AskRef {
  std::uint32_t attempt = 0;
  std::uint64_t number = 0;
  std::uint64_t expires_us = 0;  // server time; from then on nobody carries it out

  friend bool operator==(const AskRef&, const AskRef&) = default;
};

// What a session is going to watch, as its home told it in that epoch.
struct QueueNews {
  std::uint64_t epoch = 0;
  std::string bytes;  // a Queue: to be read by who uses it
};

// --- To the home's node --------------------------------------------------------------------------

struct Join {
  AskRef ask;
  ConnectionNumber connection;
  std::string name;  // at most member_name_bytes_max
  std::optional<ResumeToken> resume;
  std::optional<Token> host_token;
  HeldState held{};
  BrowserId browser{};
  std::uint64_t chat_known = 0;  // the newest line of chat that the sender knows of
};
struct Leave {
  MemberId member;
  ConnectionNumber connection;
};
// What a member said, as the JSON text of a client (encode_client_message). What one outpost says
// is a chain: each names the number before it, 0 for the first since it enrolled; the home carries
// out what continues the chain, answers Gap to what does not, and says up to which number it has
// heard (Cast). It ignores numbers that it has heard, and what comes after its time.
struct Said {
  MemberId member;
  std::string text;
  std::uint64_t number = 0;  // greater than those before; 0: a report, outside of the chain
  std::uint64_t previous = 0;
  std::uint64_t settled = 0;     // what came of those up to this number is known to the sender
  std::uint64_t expires_us = 0;  // server time; from then on its sender may have refused it
};
// It waits at the door no more.
struct KnockGone {
  KnockId id;
};
// How far a film is that the host brings, to the sender. It is news of a moment: where it is lost,
// the next one makes up for it.
struct UploadNews {
  std::string name;
  std::optional<std::uint8_t> percent;  // nothing: it was given up
};
struct AskInfo {
  AskRef ask;
};
struct AskDelete {
  AskRef ask;
  std::optional<Token> host_token;
};
struct EnrolledMember {
  MemberId id;
  ConnectionNumber connection;
  std::string name;
  BrowserId browser{};
};
// The members that are connected to the sender. More of them than list_max: several messages.
struct Enroll {
  static constexpr std::uint64_t all_casts = UINT64_MAX;

  std::vector<EnrolledMember> members;
  // Of several messages. After the last the home casts how things are: some of it may have been
  // missed; and whoever was connected there before and is not among them has left.
  bool is_first = false;
  bool is_last = false;
  // The number of the last Cast that the sender has heard. Whom the home let in before that cast
  // the sender knows of; who came after it may be on the way there still. all_casts: nobody who is
  // on the way is awaited.
  std::uint64_t casts = 0;
};

// --- To an outpost's node ------------------------------------------------------------------------

struct Joined {
  AskRef ask;
  MemberId member;
  ConnectionNumber connection;
  std::string welcome;
  std::vector<MemberInfo> members;          // the list in the welcome
  std::optional<MemberId> host{};           // before it joined; what changed with it is told to all
  std::optional<MemberId> welcomed_host{};  // as the welcome has it
  std::uint64_t epoch = 0;                  // of the state in the welcome
  std::uint64_t seq = 0;
  std::uint64_t casts = 0;     // the number of the last Cast before this
  std::uint64_t revision = 1;  // see Cast
  std::uint64_t commands = 0;
  std::string record;
  std::vector<ChatLine> chat{};      // what was said before, above what the outpost knows
  std::optional<QueueNews> queue{};  // nothing: it never had anything
};
struct Info {
  SessionSettings settings;
  std::uint32_t members = 0;
  PlaybackState state;
};
// To a request: a fault (a SessionFault's number, checked by who uses it), or what was asked for;
// neither: it was done.
struct Answer {
  AskRef ask;
  std::optional<std::uint8_t> fault{};
  std::optional<Info> info{};
};
struct Tell {
  MemberId member;
  std::uint8_t send_class = 0;  // the sender's SendClass: to be checked by who uses it
  std::string text;
};
struct Close {
  MemberId member;
  ConnectionNumber connection;
  std::uint16_t code = close_code::normal;
};
// What the host said of one that waits there: it is to ask again.
struct KnockDecided {
  KnockId id;
};
// Please become the session's home.
struct Take {};
// I am not the session's home: the envelope comes back as it was; empty where none was sent. A home
// of a lower fence than its envelope has is told so that there is another.
struct Returned {
  std::string envelope;
};
// A Said that was refused: its member is to be given this text.
struct Refused {
  std::uint64_t number = 0;
  std::string text;  // at most refusal_bytes_max
};
// A Said came that does not continue the chain: this number is the last that was heard. Refusals as
// in Heard.
struct Gap {
  std::uint64_t heard = 0;
  std::vector<Refused> refused{};
};

// --- To everyone who follows the session ---------------------------------------------------------

struct CastFrame {
  std::uint8_t send_class = 0;
  std::string text;
};
struct Newest {
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;
  std::string video;
};
// Who is host from that epoch on, and why; nobody: nothing.
struct HostNews {
  std::uint64_t epoch = 0;
  std::optional<MemberId> id{};
  HostReason reason = HostReason::joined;
  std::uint32_t after = 0;  // so many of the cast's frames are told before
};
// With it `joined` is all who are there, or the first member_list_max: whoever else an outpost
// knows has left then.
struct Present {
  std::uint32_t count = 0;
  std::uint32_t ready = 0;  // of these
  // See HostAway: there exactly while the host is away.
  std::optional<std::uint64_t> host_until_us{};
  std::optional<MemberId> next_host{};
  bool is_roll_call = false;  // every outpost is to enroll its members
};
// The node's Said up to this number have been heard; what came of them has been told by now. The
// refusals come with the word that they were heard, so that neither is lost without the other:
// those that the node may not have got yet, at most refused_max.
struct Heard {
  static constexpr std::size_t refused_max = 32;

  Uuid node;
  std::uint64_t number = 0;
  std::vector<Refused> refused{};
};
// The frames are for every member; the rest is for the outposts themselves.
struct Cast {
  std::uint64_t number = 0;  // one more than the cast before it, of this home
  std::vector<CastFrame> frames{};
  std::optional<Newest> newest{};  // of the playback states among the frames
  std::vector<MemberInfo> joined{}, left{}, changed{};
  std::optional<std::uint16_t> ended_code{};  // the session is over: close everyone with it
  std::uint64_t sent_us = 0;                  // server time
  std::optional<Present> present{};
  // In their order. An outpost tells its members what they have not yet heard.
  std::vector<HostNews> hosts{};
  // What was said; with `present` also some of what was before, which may have been missed.
  std::vector<ChatLine> chat{};
  std::optional<QueueNews> queue{};  // is told before the frames
  std::vector<Heard> heard{};        // of each node that said something since the last cast
  // What is stored with this cast, or was last: whoever takes over goes on from there even where
  // the store has lost it. `record` is empty where nothing has changed.
  std::uint64_t revision = 1;  // from 1 on
  std::uint64_t commands = 0;  // see SessionRecord
  std::string record{};
};
// The sender is the session's home, by the envelope's fence.
struct Moved {};

// --- Between two nodes ---------------------------------------------------------------------------

// What the sender takes the two to share: of each session that is at home on the one of them and
// has an outpost on the other a hash, added up by the first bits of its key.
struct Digest {
  bool is_home = false;  // the sums are of sessions at home at the sender; else at the receiver
  std::int64_t gathered_us = 0;  // since when they were, by the sender's own monotonic clock
  std::vector<std::uint64_t> sums;
};
struct DigestEntry {
  Uuid key;
  std::uint64_t hash = 0;
};
// To the home's node: the sessions of one of the sums, as the outposts of one worker have them, who
// have heard all that was said to them before the digest was.
struct DigestList {
  std::int64_t gathered_us = 0;  // of the home's digest
  std::uint32_t bucket = 0;
  std::uint32_t worker = 0;  // of so many of its node: only that one's sessions are listed
  std::uint32_t workers = 1;
  bool is_whole = false;  // else there are more of them
  std::vector<DigestEntry> entries;
};

// --- To all nodes --------------------------------------------------------------------------------

struct Alive {
  std::uint32_t members = 0;
  std::uint32_t sessions = 0;
  bool draining = false;
  bool has_unsaved = false;  // of some of its sessions the store does not have the newest
};
struct Bye {};

// The place in this list is the type on the wire: new ones go to the end.
using Message = std::variant<Join, Leave, Said, AskInfo, AskDelete, Enroll, Joined, Answer, Tell,
                             Close, Take, Returned, Gap, Cast, Moved, Digest, DigestList, Alive,
                             Bye, KnockGone, KnockDecided, UploadNews>;

struct Envelope {
  std::uint8_t hops = 0;  // how often it was passed on
  Uuid from;              // the sending node
  Uuid key;               // the session; nil for what is of no session
  // By a home: its own. By an outpost: that of the home that it takes to be the session's; 0: none.
  std::uint64_t fence = 0;
  Message message;
};

// REQUIRES valid UTF-8. Empty where a text, a list or the whole is over its bound: there is nothing
// to send then.
std::string encode(const Envelope& envelope);
// ErrorCode::corrupt for bytes that are not exactly one message of this version.
Result<Envelope> decode(std::string_view bytes);

}  // namespace videosync::node
