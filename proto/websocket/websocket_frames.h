// WebSocket frames (RFC 6455): bytes from a client to messages, messages to bytes for a client.
//
// The decoder is wslay's frame layer with our own assembly of messages, limits and fail-fast UTF-8
// check. It is heavy (21 KiB): an idle connection holds none; its owner takes one from a pool when
// a frame begins, and gives it back, after reset(), when at_boundary(). One thread. No I/O.
// Encoding is stateless: frames of the server are unmasked and never fragmented.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/shared_buffer.h"
#include "core/base/utf8.h"

struct wslay_frame_context;
struct wslay_frame_iocb;

namespace videosync {

// Of all fragments together, where nobody says otherwise.
inline constexpr std::size_t websocket_message_bytes_max = 16 * 1024;
inline constexpr std::size_t websocket_fragments_max = 256;      // of one message
inline constexpr std::size_t websocket_control_bytes_max = 125;  // RFC 6455, 5.5
// Readable bytes behind every payload that the decoder hands out: what messages.h asks for.
inline constexpr std::size_t websocket_payload_padding = 64;
// Stands for "the Close frame carried no code" (RFC 6455, 7.4.1); never sent.
inline constexpr std::uint16_t websocket_no_close_code = 1005;

enum class WebSocketOpcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xa,
};

struct WebSocketEvent {
  enum class Kind : std::uint8_t {
    need_more,  // all input is consumed
    text,       // a whole message, valid UTF-8
    binary,     // a whole message; a service that speaks text only answers with 1003
    ping,
    pong,
    close,  // `code` is valid for the wire or websocket_no_close_code; `payload` is the reason
    fault,  // the peer broke the protocol: close with `code` (1002, 1007, 1008, 1009);
            // `payload` says why, fit for a Close frame
  };

  Kind kind = Kind::need_more;
  std::uint16_t code = 0;
  std::string_view payload;  // valid until the next call of next() or reset()
};

// The server's side: frames must be masked.
//
//   decoder.feed(received);
//   while ((event = decoder.next()).kind != need_more) ...
//
// The sequence of events depends on the bytes alone, not on how they were cut into feeds.
// After `close` or `fault` whatever else comes is discarded, until reset().
class WebSocketDecoder {
 public:
  explicit WebSocketDecoder(std::size_t message_bytes_max = websocket_message_bytes_max);
  ~WebSocketDecoder();
  WebSocketDecoder(const WebSocketDecoder&) = delete;
  WebSocketDecoder& operator=(const WebSocketDecoder&) = delete;

  // `bytes` is not copied and must stay as it is until next() has answered need_more.
  // REQUIRES that the previous input is consumed.
  void feed(std::span<const std::uint8_t> bytes) noexcept;

  WebSocketEvent next() noexcept;

  // True exactly when no part of a frame or message is held and no input is left; false after
  // `close` and `fault`.
  bool at_boundary() const noexcept;

  // As new. Free of cost at a boundary; elsewhere wslay's context is made anew (one malloc).
  void reset() noexcept;

 private:
  static std::ptrdiff_t on_wslay_read(std::uint8_t* buffer, std::size_t length, int flags,
                                      void* decoder) noexcept;
  void open_context() noexcept;
  // These answer false when they refused, which left the fault in fault_.
  bool begin_frame(const wslay_frame_iocb& part) noexcept;
  bool begin_data_frame() noexcept;
  bool take_part(std::span<const std::uint8_t> part) noexcept;
  bool refuse(std::uint16_t code, std::string_view reason) noexcept;
  // These make the event of a frame whose last byte has come; end_frame none inside a message.
  std::optional<WebSocketEvent> end_frame() noexcept;
  WebSocketEvent end_message() noexcept;
  WebSocketEvent end_close_frame() noexcept;
  void invariants() const noexcept;

  wslay_frame_context* context_ = nullptr;
  std::span<const std::uint8_t> input_;  // not yet handed to wslay

  // Bytes that wslay holds: handed to it, and not yet given back as a frame's header or payload.
  std::size_t read_ahead_bytes_ = 0;

  // The frame whose header is known and whose payload is still to come, in part or whole.
  bool in_frame_ = false;
  bool is_final_ = false;
  WebSocketOpcode opcode_ = WebSocketOpcode::continuation;
  std::uint64_t frame_bytes_left_ = 0;
  std::size_t control_bytes_ = 0;  // in control_

  // The message being assembled. message_opcode_ is `continuation` exactly when there is none;
  // then fragments_ and message_bytes_ are 0.
  WebSocketOpcode message_opcode_ = WebSocketOpcode::continuation;
  std::size_t fragments_ = 0;
  std::size_t message_bytes_ = 0;  // in message_
  Utf8Validator utf8_;

  bool is_ended_ = false;  // a close or a fault was handed out
  WebSocketEvent fault_;   // need_more until something is refused

  std::array<std::uint8_t, websocket_control_bytes_max + websocket_payload_padding> control_{};
  const std::size_t message_bytes_max_;
  const std::unique_ptr<std::uint8_t[]> message_;  // message_bytes_max_ and the padding
};

// One unmasked, final frame as a shared buffer: encoded once, sent to many. A control frame's
// payload is at most 125 bytes.
BufferRef make_frame(WebSocketOpcode opcode, std::string_view payload) noexcept;

// `reason` is cut to the 123 bytes that fit, between code points. websocket_no_close_code makes an
// empty Close frame.
BufferRef make_close_frame(std::uint16_t code, std::string_view reason) noexcept;

// A client's frame, for tests and load generators.
void append_masked_frame(std::string& out, WebSocketOpcode opcode, std::string_view payload,
                         std::array<std::uint8_t, 4> mask_key, bool is_final = true);

}  // namespace videosync
