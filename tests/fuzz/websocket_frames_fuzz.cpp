// Any bytes from a client: the events are the same however the stream was cut, and the decoder is
// whole again after reset(). The first byte of the input chooses the cuts.
//
// Reads: core/base/utf8.h, proto/websocket/websocket_frames.cpp
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/base/close_code.h"
#include "core/base/utf8.h"
#include "proto/websocket/websocket_frames.h"

using videosync::WebSocketDecoder;
using videosync::WebSocketEvent;

namespace {

struct Seen {
  WebSocketEvent::Kind kind;
  std::uint16_t code;
  std::string payload;

  friend bool operator==(const Seen&, const Seen&) = default;
};

void check(const WebSocketEvent& event) {
  using Kind = WebSocketEvent::Kind;
  VS_ASSERT(event.payload.size() <= videosync::websocket_message_bytes_max);
  if (event.kind == Kind::text || event.kind == Kind::close || event.kind == Kind::fault) {
    VS_ASSERT(videosync::is_valid_utf8(event.payload));
  }
  if (event.kind == Kind::fault) VS_ASSERT(videosync::close_code::is_valid(event.code));
}

std::vector<Seen> decode(WebSocketDecoder& decoder, std::span<const std::uint8_t> stream,
                         std::size_t piece_bytes) {
  std::vector<Seen> seen;
  while (!stream.empty()) {
    const auto piece = stream.first(std::min(piece_bytes, stream.size()));
    stream = stream.subspan(piece.size());
    // A copy of its own size: reading past its end is seen.
    const std::vector<std::uint8_t> bytes(piece.begin(), piece.end());
    decoder.feed(bytes);
    for (;;) {
      const WebSocketEvent event = decoder.next();
      if (event.kind == WebSocketEvent::Kind::need_more) break;
      check(event);
      seen.push_back({event.kind, event.code, std::string(event.payload)});
    }
  }
  decoder.reset();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  static WebSocketDecoder decoder;
  const std::span<const std::uint8_t> stream(data + 1, size - 1);
  const auto whole = decode(decoder, stream, stream.size());
  VS_ASSERT(decode(decoder, stream, 1) == whole);
  VS_ASSERT(decode(decoder, stream, std::size_t{2} + data[0]) == whole);
  return 0;
}
