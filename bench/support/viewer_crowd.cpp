#include "bench/support/viewer_crowd.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "bench/support/load_process.h"
#include "core/base/assert.h"
#include "proto/websocket/websocket_frames.h"

namespace videosync::bench {

namespace {

constexpr std::size_t connects_a_turn = 32;
// What a silent member's kernel takes off the server: as little as it can be told to.
constexpr int silent_receive_bytes = 4096;
// As long as our own state frames, with its header of four bytes.
constexpr std::size_t plain_payload_bytes = 146;

struct ServerFrame {
  WebSocketOpcode opcode;
  std::string_view payload;
  std::size_t bytes;  // header and payload
};

// The unmasked, final frame at the front of `text`, where it is whole.
std::optional<ServerFrame> front_frame(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const auto at = [&](std::size_t i) { return std::size_t{static_cast<std::uint8_t>(text[i])}; };
  std::size_t header = 2;
  std::size_t length = at(1) & 0x7f;
  if (length == 126) {
    if (text.size() < 4) return std::nullopt;
    header = 4;
    length = at(2) << 8 | at(3);
  }
  VS_ASSERT(length < 127 || header == 4);  // no message to a viewer is longer than 64 KiB
  if (text.size() < header + length) return std::nullopt;
  return ServerFrame{static_cast<WebSocketOpcode>(at(0) & 0xf), text.substr(header, length),
                     header + length};
}

// When the state of a seek was due: publish() put it into the position.
std::int64_t time_of(std::string_view state) {
  constexpr std::string_view name = R"("position":)";
  double position = 0;
  const std::size_t at = state.find(name);
  if (at != std::string_view::npos)
    std::from_chars(state.data() + at + name.size(), state.data() + state.size(), position);
  return std::llround(position * 1e6);
}

std::string plain_payload() {
  std::string text = R"({"type":"state","padding":")";
  text.append(plain_payload_bytes - text.size() - 2, 'x');
  return text + "\"}";
}

}  // namespace

class ViewerCrowd::Member final : public StreamOwner {
 public:
  Member(ViewerCrowd& crowd, int socket, bool is_silent)
      : is_silent_(is_silent),
        crowd_(crowd),
        began_us_(crowd.now_us()),
        stream_(crowd.reactor_, *this) {
    stream_.open(UniqueFd(socket));
    stream_.send(
        BufferRef::copy_of(fmt::format("GET {} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
                                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                                       crowd.dialect_.target)));
  }

  std::int64_t began_us() const noexcept { return began_us_; }
  void close() noexcept { stream_.close(CloseReason::by_owner); }
  void fall_silent() noexcept {
    if (is_silent_) stream_.pause_input();
  }
  void send(WebSocketOpcode opcode, std::string_view payload) {
    std::string frame;
    append_masked_frame(frame, opcode, payload, {1, 2, 3, 4});
    stream_.send(BufferRef::copy_of(frame));
  }

  void on_received(std::span<std::uint8_t> bytes) noexcept override {
    crowd_.bytes_received_ += bytes.size();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (held_.empty()) {
      const std::size_t used = consume(text);
      if (used < text.size()) hold(text.substr(used));
      return;
    }
    held_.append(text);
    held_.erase(0, consume(held_));
    if (held_.empty()) crowd_.idle_texts_.push_back(std::exchange(held_, {}));
  }
  void on_input_ended() noexcept override { close(); }
  void on_output_empty() noexcept override {}
  void on_closed(CloseReason) noexcept override { crowd_.on_lost("a connection was closed"); }
  void on_retired() noexcept override { ++crowd_.retired_; }

  std::size_t next_broadcast = 0;  // the one that the next arrival belongs to

 private:
  friend class ViewerCrowd;

  // Memory for it goes round: in a join storm of long welcomes making it would be a tenth of the
  // load's time.
  void hold(std::string_view text) {
    if (!crowd_.idle_texts_.empty()) {
      held_ = std::move(crowd_.idle_texts_.back());
      crowd_.idle_texts_.pop_back();
    }
    held_.assign(text);
  }

  std::size_t consume(std::string_view text) {
    std::size_t used = 0;
    if (!is_upgraded_) {
      const auto end = text.find("\r\n\r\n");
      if (end == std::string_view::npos) return 0;
      if (!text.starts_with("HTTP/1.1 101 ")) {
        crowd_.trouble_ = "refused: " + std::string(text.substr(0, text.find('\r')));
        close();
        return text.size();
      }
      is_upgraded_ = true;
      used = end + 4;
      if (!crowd_.dialect_.is_ours) crowd_.on_joined(*this);
    }
    while (const auto frame = front_frame(text.substr(used))) {
      used += frame->bytes;
      if (frame->opcode == WebSocketOpcode::text)
        crowd_.on_text(*this, frame->payload, frame->bytes);
      if (frame->opcode == WebSocketOpcode::ping) send(WebSocketOpcode::pong, frame->payload);
    }
    return used;
  }

  const bool is_silent_;
  bool is_upgraded_ = false;
  ViewerCrowd& crowd_;
  const std::int64_t began_us_;
  TcpStream stream_;
  std::string held_;  // an incomplete head or frame
};

ViewerCrowd::ViewerCrowd(Reactor& reactor, std::uint16_t port, Dialect dialect)
    : reactor_(reactor), port_(port), dialect_(std::move(dialect)) {}

ViewerCrowd::~ViewerCrowd() {
  VS_ASSERT(retired_ == members_.size());
}

void ViewerCrowd::want_members(std::size_t count, std::size_t silent) noexcept {
  wanted_ = count;
  silent_ = silent;
}

void ViewerCrowd::connect_one() {
  const bool is_silent = members_.size() >= readers();
  const int socket = connect_to_loopback(port_, is_silent ? silent_receive_bytes : 0);
  if (socket < 0) {
    if (trouble_.empty()) trouble_ = std::string("cannot connect: ") + std::strerror(errno);
    return;
  }
  members_.push_back(std::make_unique<Member>(*this, socket, is_silent));
}

void ViewerCrowd::on_joined(Member& member) {
  ++joined_;
  joins_->add(now_us() - member.began_us());
  member.next_broadcast = broadcasts_.size();
  member.fall_silent();
}

void ViewerCrowd::on_text(Member& member, std::string_view text, std::size_t frame_bytes) {
  if (text.starts_with(R"({"type":"state")")) {
    on_state(member, text, frame_bytes);
  } else if (text.starts_with(R"({"type":"welcome")")) {
    on_joined(member);
  } else if (text.starts_with(R"({"type":"error")")) {
    trouble_ = text;
  }
}

void ViewerCrowd::on_state(Member& member, std::string_view text, std::size_t frame_bytes) {
  if (member.is_silent_) return;
  if (member.next_broadcast == broadcasts_.size()) {
    if (!follows_) return;
    begin_broadcast(time_of(text));
  }
  Broadcast& broadcast = broadcasts_[member.next_broadcast++];
  if (follows_ && broadcast.intended_us != time_of(text)) trouble_ = "a state was left out";
  const std::int64_t took_us = now_us() - broadcast.intended_us;
  if (broadcast.arrivals++ == 0) broadcast.first_us = took_us;
  broadcast.last_us = std::max(broadcast.last_us, took_us);
  deliveries_->add(took_us);
  frame_bytes_ = frame_bytes;
  --outstanding_;
}

void ViewerCrowd::on_lost(std::string_view why) {
  if (!is_closing_ && trouble_.empty()) trouble_ = why;
}

void ViewerCrowd::begin_broadcast(std::int64_t intended_us) {
  broadcasts_.push_back({.intended_us = intended_us});
  outstanding_ += readers();
}

void ViewerCrowd::publish(std::int64_t intended_us) {
  begin_broadcast(intended_us);
  members_.front()->send(WebSocketOpcode::text,
                         dialect_.is_ours ? fmt::format(R"({{"type":"seek","position":{}}})",
                                                        static_cast<double>(intended_us) / 1e6)
                                          : plain_payload());
}

void ViewerCrowd::turn(std::int64_t wait_max_ms) {
  for (std::size_t i = 0; i < connects_a_turn && trouble_.empty(); ++i) {
    const std::size_t in_flight = members_.size() - joined_;
    if (members_.size() >= wanted_ || in_flight >= joins_in_flight) break;
    connect_one();
  }
  reactor_.turn(wait_max_ms);
}

void ViewerCrowd::close_all() {
  is_closing_ = true;
  for (auto& member : members_)
    member->close();
  while (retired_ < members_.size())
    reactor_.turn(10);
}

}  // namespace videosync::bench
