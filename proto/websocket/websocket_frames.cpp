#include "proto/websocket/websocket_frames.h"

#include <wslay/wslay.h>

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/close_code.h"

namespace videosync {

namespace {

constexpr bool is_control(WebSocketOpcode opcode) noexcept {
  return (static_cast<std::uint8_t>(opcode) & 0x8) != 0;
}

constexpr bool is_known(std::uint8_t opcode) noexcept {
  return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xa);
}

// RFC 6455, 5.2. wslay has refused lengths that are not in their shortest form.
constexpr std::size_t header_bytes(std::uint64_t payload_bytes, bool is_masked) noexcept {
  const std::size_t length_bytes = payload_bytes < 126 ? 0 : payload_bytes <= UINT16_MAX ? 2 : 8;
  return 2 + length_bytes + (is_masked ? 4 : 0);
}

std::string_view as_text(const std::uint8_t* bytes, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

WebSocketDecoder::WebSocketDecoder(std::size_t message_bytes_max)
    : message_bytes_max_(message_bytes_max),
      message_(std::make_unique<std::uint8_t[]>(message_bytes_max + websocket_payload_padding)) {
  open_context();
}

WebSocketDecoder::~WebSocketDecoder() {
  wslay_frame_context_free(context_);
}

void WebSocketDecoder::open_context() noexcept {
  const wslay_frame_callbacks callbacks{nullptr, on_wslay_read, nullptr};
  const int status = wslay_frame_context_init(&context_, &callbacks, this);
  VS_ASSERT(status == 0);  // it fails for want of memory only
}

void WebSocketDecoder::feed(std::span<const std::uint8_t> bytes) noexcept {
  VS_ASSERT(input_.empty());
  input_ = bytes;
}

// wslay reads ahead, up to the 4 KiB of its buffer.
std::ptrdiff_t WebSocketDecoder::on_wslay_read(std::uint8_t* buffer, std::size_t length, int,
                                               void* decoder) noexcept {
  auto& self = *static_cast<WebSocketDecoder*>(decoder);
  const std::size_t size = std::min(length, self.input_.size());
  if (size == 0) return -1;  // WSLAY_ERR_WANT_READ to whoever called wslay
  std::memcpy(buffer, self.input_.data(), size);
  self.input_ = self.input_.subspan(size);
  self.read_ahead_bytes_ += size;
  return static_cast<std::ptrdiff_t>(size);
}

WebSocketEvent WebSocketDecoder::next() noexcept {
  invariants();
  while (!is_ended_) {
    wslay_frame_iocb part{};
    const ssize_t received = wslay_frame_recv(context_, &part);
    if (received == WSLAY_ERR_WANT_READ) {
      VS_ASSERT(input_.empty());
      return {};
    }
    if (received < 0) {
      refuse(close_code::protocol_error, "malformed frame header");
      return fault_;
    }
    if (!in_frame_ && !begin_frame(part)) return fault_;
    if (!take_part({part.data, part.data_length})) return fault_;
    if (frame_bytes_left_ > 0) continue;
    if (const auto event = end_frame()) return *event;
  }
  input_ = {};
  return {};
}

// wslay shows a header with the first byte of its payload, not before.
bool WebSocketDecoder::begin_frame(const wslay_frame_iocb& part) noexcept {
  const std::size_t header = header_bytes(part.payload_length, part.mask != 0);
  VS_ASSERT(header <= read_ahead_bytes_);
  read_ahead_bytes_ -= header;
  in_frame_ = true;
  is_final_ = part.fin != 0;
  frame_bytes_left_ = part.payload_length;
  control_bytes_ = 0;
  if (part.rsv != 0) return refuse(close_code::protocol_error, "reserved bits set");
  if (!is_known(part.opcode)) return refuse(close_code::protocol_error, "reserved opcode");
  if (part.mask == 0) return refuse(close_code::protocol_error, "frame not masked");
  opcode_ = static_cast<WebSocketOpcode>(part.opcode);
  return is_control(opcode_) || begin_data_frame();
}

bool WebSocketDecoder::begin_data_frame() noexcept {
  const bool in_message = message_opcode_ != WebSocketOpcode::continuation;
  const bool is_continuation = opcode_ == WebSocketOpcode::continuation;
  if (is_continuation && !in_message) {
    return refuse(close_code::protocol_error, "continuation of nothing");
  }
  if (!is_continuation && in_message) {
    return refuse(close_code::protocol_error, "new message inside a message");
  }
  if (fragments_ == websocket_fragments_max) {
    return refuse(close_code::policy_violation, "too many fragments");
  }
  if (frame_bytes_left_ > message_bytes_max_ - message_bytes_) {
    return refuse(close_code::too_big, "message too big");
  }
  if (!is_continuation) {
    message_opcode_ = opcode_;
    utf8_.reset();
  }
  ++fragments_;
  return true;
}

bool WebSocketDecoder::take_part(std::span<const std::uint8_t> part) noexcept {
  VS_ASSERT(part.size() <= frame_bytes_left_ && part.size() <= read_ahead_bytes_);
  frame_bytes_left_ -= part.size();
  read_ahead_bytes_ -= part.size();
  if (is_control(opcode_)) {
    std::copy(part.begin(), part.end(), control_.begin() + control_bytes_);
    control_bytes_ += part.size();
    return true;
  }
  std::copy(part.begin(), part.end(), message_.get() + message_bytes_);
  message_bytes_ += part.size();
  if (message_opcode_ == WebSocketOpcode::text && !utf8_.feed(part)) {
    return refuse(close_code::invalid_payload, "text is not UTF-8");
  }
  return true;
}

std::optional<WebSocketEvent> WebSocketDecoder::end_frame() noexcept {
  using Kind = WebSocketEvent::Kind;
  in_frame_ = false;
  const std::string_view control = as_text(control_.data(), control_bytes_);
  switch (opcode_) {
    case WebSocketOpcode::ping:
      return WebSocketEvent{Kind::ping, 0, control};
    case WebSocketOpcode::pong:
      return WebSocketEvent{Kind::pong, 0, control};
    case WebSocketOpcode::close:
      return end_close_frame();
    default:
      if (is_final_) return end_message();
      return std::nullopt;
  }
}

WebSocketEvent WebSocketDecoder::end_message() noexcept {
  const bool is_text = message_opcode_ == WebSocketOpcode::text;
  if (is_text && !utf8_.is_complete()) {
    refuse(close_code::invalid_payload, "text ends inside a character");
    return fault_;
  }
  const std::string_view payload = as_text(message_.get(), message_bytes_);
  message_opcode_ = WebSocketOpcode::continuation;
  fragments_ = 0;
  message_bytes_ = 0;
  return {is_text ? WebSocketEvent::Kind::text : WebSocketEvent::Kind::binary, 0, payload};
}

WebSocketEvent WebSocketDecoder::end_close_frame() noexcept {
  const std::string_view payload = as_text(control_.data(), control_bytes_);
  std::uint16_t code = websocket_no_close_code;
  std::string_view reason;
  if (payload.size() == 1) {
    refuse(close_code::protocol_error, "close code cut short");
    return fault_;
  }
  if (!payload.empty()) {
    code = static_cast<std::uint16_t>(control_[0] << 8 | control_[1]);
    reason = payload.substr(2);
    if (!close_code::is_valid(code)) {
      refuse(close_code::protocol_error, "close code not allowed");
      return fault_;
    }
    if (!is_valid_utf8(reason)) {
      refuse(close_code::invalid_payload, "close reason is not UTF-8");
      return fault_;
    }
  }
  is_ended_ = true;
  return {WebSocketEvent::Kind::close, code, reason};
}

bool WebSocketDecoder::refuse(std::uint16_t code, std::string_view reason) noexcept {
  is_ended_ = true;
  input_ = {};
  fault_ = {WebSocketEvent::Kind::fault, code, reason};
  return false;
}

bool WebSocketDecoder::at_boundary() const noexcept {
  return !is_ended_ && input_.empty() && read_ahead_bytes_ == 0 && !in_frame_ &&
         message_opcode_ == WebSocketOpcode::continuation;
}

void WebSocketDecoder::reset() noexcept {
  const bool was_refused = fault_.kind == WebSocketEvent::Kind::fault;
  if (was_refused || in_frame_ || read_ahead_bytes_ > 0) {
    wslay_frame_context_free(context_);
    open_context();
  }
  input_ = {};
  read_ahead_bytes_ = 0;
  in_frame_ = false;
  frame_bytes_left_ = 0;
  control_bytes_ = 0;
  message_opcode_ = WebSocketOpcode::continuation;
  fragments_ = 0;
  message_bytes_ = 0;
  is_ended_ = false;
  fault_ = {};
  VS_ASSERT(at_boundary());
}

void WebSocketDecoder::invariants() const noexcept {
  VS_ASSERT(message_bytes_ <= message_bytes_max_);
  VS_ASSERT(fragments_ <= websocket_fragments_max);
  VS_ASSERT(control_bytes_ <= websocket_control_bytes_max);
  VS_ASSERT((message_opcode_ == WebSocketOpcode::continuation) == (fragments_ == 0));
  VS_ASSERT(is_ended_ || in_frame_ == (frame_bytes_left_ > 0));
}

}  // namespace videosync
