// Frame: what a member reads of one message of its server.
//
// A reader for our own messages: JSON as docs/PROTOCOL.md has it, texts without escapes, fields it
// does not know passed over. One that cannot be read is of the type `broken`. Texts point into the
// frame's own bytes. A broadcast is read once for all who get it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/base/shared_buffer.h"
#include "proto/session/session_values.h"

namespace videosync::sim {

// The place of a state in the order of its session.
struct Place {
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;

  friend constexpr auto operator<=>(const Place&, const Place&) noexcept = default;
};

struct SeenState {
  Place place;
  bool playing = false;
  double position = 0;
  double rate = 1;
  std::int64_t at_us = 0;
  std::string_view video;
  MemberId by;
  std::string_view cause;
};

struct SeenMember {
  MemberId id;
  std::string_view name;
  bool is_host = false;
};

struct SeenTalk {
  MemberId from;
  std::string_view text;  // of a chat, or the emoji of a reaction
  std::uint64_t id = 0;   // of a chat
};

struct TakenOver {
  std::uint64_t epoch = 0;
  Place after;
};

struct Frame {
  enum class Type : std::uint8_t {
    broken,
    welcome,
    state,
    host,
    members,
    settings,
    knocking,
    knock,
    queue,
    up_next,
    pong,
    viewers,
    waiting,
    chat,
    history,
    reaction,
    notice,
    error,
    other,
  };

  BufferRef bytes;
  Type type = Type::broken;
  std::string_view text;  // all of it

  SeenState state;  // of a state or a welcome
  MemberId you;
  std::string_view your_name;
  std::string_view resume;
  MemberId host;
  std::uint64_t epoch = 0;    // of a host or a queue
  std::uint64_t version = 0;  // of a queue, as the next two
  std::uint64_t from = 0;
  std::vector<QueueItemId> items;
  QueueItemId up_next;  // of a welcome, too; none: nothing is
  std::string_view reason;
  std::uint32_t count = 0;
  std::uint32_t ready = 0;
  std::int64_t server_us = 0;      // of a welcome: the server time at which it was written
  std::vector<SeenMember> joined;  // or all, of a welcome
  std::vector<SeenMember> left;
  std::vector<SeenMember> changed;
  bool is_host_away = false;
  std::string_view control;
  std::string_view on_stall;
  std::string_view audio_language;
  std::string_view queue_right;
  std::vector<MemberId> controllers;
  std::string_view door;
  KnockId knock;
  bool is_gone = false;        // of a knock
  std::vector<SeenTalk> talk;  // of a chat, a history, a reaction
  std::string_view code;       // of a notice or an error
  std::string_view re;
  std::vector<TakenOver> taken_over;
};

using FrameRef = std::shared_ptr<const Frame>;

// `bytes`: a WebSocket frame, or the text alone.
FrameRef read_frame(const BufferRef& bytes);

}  // namespace videosync::sim
