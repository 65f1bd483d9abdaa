// NodeMessage: what the nodes that share sessions say to each other, as values and as bytes.
//
// A session's machine lives on one node, its home; other nodes with members of it keep an outpost.
// Three ways: to the home's node, to an outpost's node, and to everyone who follows the session or
// the nodes. Bytes are versioned and little-endian. Decoding trusts nothing: lengths are bounded,
// texts are valid UTF-8, nothing may follow. Plain values, pure functions; any thread.
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

namespace videosync {

inline constexpr std::size_t node_text_bytes_max = 64 * 1024;
inline constexpr std::size_t node_message_bytes_max = 1024 * 1024;
inline constexpr std::size_t node_list_max = 1'000;  // elements of any list here

// A connection on the node that asks. Whoever answers returns it and knows no more of it.
struct PeerRef {
  std::uint32_t worker = 0;
  std::uint64_t slot = 0;

  friend bool operator==(const PeerRef&, const PeerRef&) = default;
};

// --- To the home's node --------------------------------------------------------------------------

struct JoinAsk {
  PeerRef peer;
  std::string name;  // at most member_name_bytes_max
  std::optional<ResumeToken> resume;
  std::optional<Token> host_token;
};
struct Leave {
  MemberId member;
  ConnectionNumber connection;
};
// What a member said, as the JSON text of a client (encode_client_message). The home says up to
// which number of a node it has heard: see Cast. 0: nobody waits for that.
struct Said {
  MemberId member;
  std::string text;
  std::uint64_t number = 0;  // greater than those before
};
struct InfoAsk {
  PeerRef peer;
};
struct DeleteAsk {
  PeerRef peer;
  std::optional<Token> host_token;
};
struct EnrolledMember {
  MemberId id;
  ConnectionNumber connection;
  std::string name;
};
// The members that are connected to the sender. More of them than node_list_max: several messages.
struct Enroll {
  std::vector<EnrolledMember> members;
  // Of several messages. After the last the home casts how things are: some of it may have been
  // missed; and whoever was connected there before and is not among them has left.
  bool is_first = false;
  bool is_last = false;
};

// --- To an outpost's node ------------------------------------------------------------------------

struct JoinAnswer {
  PeerRef peer;
  MemberId member;
  ConnectionNumber connection;
  std::string welcome;
  std::vector<MemberInfo> members;  // the list in the welcome
  std::optional<MemberId> host{};   // before it joined; what changed with it is told to all
};
// Any answer to an HTTP request: also to a join that is refused.
struct Answer {
  PeerRef peer;
  std::uint16_t status = 0;
  std::string body;
  std::string location;  // empty: none
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
// Please become the session's home.
struct Take {};
// I am not the session's home: the envelope comes back as it was.
struct Returned {
  std::string envelope;
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
};
// With it `joined` is all who are there, or the first member_list_max: whoever else an outpost
// knows has left then.
struct Present {
  std::uint32_t count = 0;
  std::optional<std::uint64_t>
      host_until_us{};  // see HostAway: there exactly while the host is away
  std::optional<MemberId> next_host{};
  bool is_roll_call = false;  // every outpost is to enroll its members
};
// The node's Said up to this number have been heard; what came of them has been told by now.
struct Heard {
  Uuid node;
  std::uint64_t number = 0;
};
// The frames are for every member; the rest is for the outposts themselves.
struct Cast {
  std::vector<CastFrame> frames{};
  std::optional<Newest> newest{};  // of the playback state
  std::vector<MemberInfo> joined{}, left{}, changed{};
  std::optional<std::uint16_t> ended_code{};  // the session is over: close everyone with it
  std::uint64_t sent_us = 0;                  // server time
  std::optional<Present> present{};
  // In their order. An outpost tells its members what they have not yet heard.
  std::vector<HostNews> hosts{};
  std::vector<Heard> heard{};  // of each node that said something since the last cast
};
// The sender is the session's home from this epoch on.
struct Moved {
  std::uint64_t epoch = 0;
};

// --- To all nodes --------------------------------------------------------------------------------

struct Alive {
  std::uint32_t members = 0;
  std::uint32_t sessions = 0;
  bool draining = false;
};
struct Bye {};

// The place in this list is the type on the wire: new ones go to the end.
using NodeMessage = std::variant<JoinAsk, Leave, Said, InfoAsk, DeleteAsk, Enroll, JoinAnswer,
                                 Answer, Tell, Close, Take, Returned, Cast, Moved, Alive, Bye>;

struct NodeEnvelope {
  std::uint8_t hops = 0;  // how often it was passed on
  Uuid from;              // the sending node
  Uuid key;               // the session; nil for Alive and Bye
  NodeMessage message;
};

// REQUIRES valid UTF-8. Empty where a text, a list or the whole is over its bound: there is nothing
// to send then.
std::string encode(const NodeEnvelope& envelope);
// ErrorCode::corrupt for bytes that are not exactly one message of this version.
Result<NodeEnvelope> decode_node_message(std::string_view bytes);

}  // namespace videosync
