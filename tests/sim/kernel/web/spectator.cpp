#include "tests/sim/kernel/web/spectator.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "core/base/assert.h"

namespace videosync::sim {

namespace {

constexpr std::size_t unheard_bytes_max = 16'384;

// The number behind the first `name` of `text`, from `at` on.
std::uint64_t number_after(std::string_view text, std::string_view name, std::size_t at = 0) {
  const std::size_t place = text.find(name, at);
  if (place == text.npos) return 0;
  std::uint64_t value = 0;
  std::from_chars(text.data() + place + name.size(), text.data() + text.size(), value);
  return value;
}

}  // namespace

Spectator::Spectator(SimulatedKernel& kernel, const std::vector<int>& listeners, Show& show,
                     bool makes_it, std::uint32_t number, Random dice)
    : kernel_(kernel),
      listeners_(listeners),
      show_(show),
      makes_it_(makes_it),
      number_(number),
      dice_(dice) {
  pace_us_ = dice_.between(20, dice_.chance(0.2) ? 30'000 : 2'000);
  says_left_ = dice_.below(20);
  due_us = kernel.monotonic_us() + 1 + dice_.between(0, 500'000);
}

void Spectator::complain(const std::string& what) const {
  report_finding("protocol", fmt::format("{}: {}", describe(), what));
}

std::string Spectator::describe() const {
  return fmt::format("spectator {} (phase {}, {} to say, state {}.{}, {} bytes unsaid)", number_,
                     static_cast<int>(phase_), says_left_, state_.first, state_.second,
                     to_write_.size());
}

void Spectator::connect() {
  socket_ = std::make_shared<Socket>();
  socket_->room_bytes =
      static_cast<std::size_t>(dice_.between(100, dice_.chance(0.5) ? 3'000 : 300'000));
  kernel_.connect(listeners_[dice_.below(listeners_.size())], socket_);
  heard_.clear();
  to_write_.clear();
}

void Spectator::act() {
  due_us = kernel_.monotonic_us() + 1 + dice_.between(0, pace_us_);
  switch (phase_) {
    case Phase::gone:
      due_us = never;
      return;
    case Phase::waits:
      if (show_.is_called_off) return leave();
      if (makes_it_) {
        connect();
        phase_ = Phase::creating;
        write("POST /api/sessions HTTP/1.1\r\nHost: films.example\r\nContent-Length: 0\r\n\r\n");
      } else if (!show_.key.empty()) {
        phase_ = Phase::joining;
        connect();
        write(
            fmt::format("GET /ws?session={} HTTP/1.1\r\nHost: films.example\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        show_.key));
      } else {
        due_us += 5'000;
      }
      break;
    default:
      if (phase_ == Phase::watching && is_welcome_ && says_left_ > 0 && dice_.chance(0.3)) {
        say_something();
      }
  }
  flush();
  if (socket_ != nullptr) read_some();
}

void Spectator::leave() {
  if (socket_ != nullptr) {
    ++socket_->changes;
    if (dice_.chance(0.5)) {
      socket_->is_reset = true;
      socket_->in.clear();
    } else {
      socket_->has_peer_ended = socket_->has_peer_left = true;
    }
    socket_->out.clear();
  }
  if (makes_it_ && show_.key.empty()) show_.is_called_off = true;
  phase_ = Phase::gone;
  due_us = never;
}

// --- What it says --------------------------------------------------------------------------------

void Spectator::write(std::string_view text) {
  to_write_ += text;
}

void Spectator::write_frame(std::uint8_t opcode, std::string_view payload, bool is_last) {
  VS_ASSERT(payload.size() < 65'536);
  to_write_ += static_cast<char>((is_last ? 0x80 : 0) | opcode);
  if (payload.size() < 126) {
    to_write_ += static_cast<char>(0x80 | payload.size());
  } else {
    to_write_ += static_cast<char>(0x80 | 126);
    to_write_ += static_cast<char>(payload.size() >> 8);
    to_write_ += static_cast<char>(payload.size() & 0xff);
  }
  const std::uint64_t key = dice_.next();
  for (unsigned i = 0; i < 4; ++i)
    to_write_ += static_cast<char>(key >> (8 * i));
  for (std::size_t i = 0; i < payload.size(); ++i)
    to_write_ += static_cast<char>(payload[i] ^ static_cast<char>(key >> (8 * (i % 4))));
}

void Spectator::say_something() {
  --says_left_;
  // No more than is taken from one member.
  due_us = kernel_.monotonic_us() + dice_.between(100'000, 300'000);
  switch (dice_.below(6)) {
    case 0:
      return say(fmt::format(R"({{"type":"seek","position":{}}})", dice_.below(1'000)));
    case 1:
      return say(R"({"type":"play"})");
    case 2:
      return say(R"({"type":"pause"})");
    case 3:
      return say(fmt::format(R"({{"type":"chat","text":"line {} {}"}})", says_left_,
                             std::string(dice_.below(400), 'x')));
    default:
      return say(fmt::format(R"({{"type":"ping","id":{},"t1":{}}})", ++pings_,
                             kernel_.monotonic_us() / 1'000));
  }
}

// In frames of any size, with a ping between them once in a while (RFC 6455, 5.4 and 5.5).
void Spectator::say(const std::string& text) {
  std::string_view left = text;
  std::uint8_t opcode = 1;
  while (dice_.chance(0.4) && left.size() > 1) {
    const std::size_t count = dice_.below(left.size());
    write_frame(opcode, left.substr(0, count), false);
    left.remove_prefix(count);
    opcode = 0;
    if (dice_.chance(0.3)) write_frame(9, std::to_string(++control_pings_), true);
  }
  write_frame(opcode, left, true);
}

void Spectator::flush() {
  if (socket_ == nullptr || to_write_.empty() || socket_->is_reset || socket_->is_closed) return;
  if (socket_->in.size() >= unheard_bytes_max) return;
  const std::size_t count =
      dice_.chance(0.5) ? to_write_.size() : 1 + dice_.below(to_write_.size());
  socket_->in.put({reinterpret_cast<const std::uint8_t*>(to_write_.data()), count});
  to_write_.erase(0, count);
  ++socket_->changes;
}

// --- What it hears -------------------------------------------------------------------------------

void Spectator::read_some() {
  Fifo& out = socket_->out;
  if (out.empty()) return look_at_the_end();
  std::uint8_t bytes[8'192];
  const std::size_t most = std::min(out.size(), sizeof bytes);
  const std::size_t count = dice_.chance(0.7) ? most : 1 + dice_.below(most);
  out.take({bytes, count});
  ++socket_->changes;
  bytes_read_ += count;
  idle_us_ = 0;
  heard_.append(reinterpret_cast<const char*>(bytes), count);
  if (phase_ == Phase::creating || phase_ == Phase::joining) take_answer();
  while (phase_ == Phase::watching && take_frame()) {
  }
}

void Spectator::take_answer() {
  const std::size_t head = heard_.find("\r\n\r\n");
  if (head == heard_.npos) return;
  if (phase_ == Phase::joining) {
    if (!heard_.starts_with("HTTP/1.1 101 ")) complain("is not let in: " + heard_.substr(0, 60));
    heard_.erase(0, head + 4);
    phase_ = Phase::watching;
    return;
  }
  const std::size_t key = heard_.find("\"key\":\"");
  if (!heard_.starts_with("HTTP/1.1 201 ")) complain("makes none: " + heard_.substr(0, 60));
  if (key == heard_.npos || heard_.size() < key + 7 + 36) return;
  show_.key = heard_.substr(key + 7, 36);
  socket_->has_peer_ended = socket_->has_peer_left = true;
  socket_->out.clear();
  ++socket_->changes;
  phase_ = Phase::joining;
  connect();
  write(
      fmt::format("GET /ws?session={} HTTP/1.1\r\nHost: films.example\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                  show_.key));
}

bool Spectator::take_frame() {
  if (heard_.size() < 2) return false;
  const auto first = static_cast<std::uint8_t>(heard_[0]);
  const auto second = static_cast<std::uint8_t>(heard_[1]);
  if ((first & 0x70) != 0 || (second & 0x80) != 0)
    complain("a frame has bits that it may not have");
  std::size_t head = 2;
  std::uint64_t length = second;
  if (length >= 126) {
    const std::size_t bytes = length == 126 ? 2 : 8;
    head += bytes;
    if (heard_.size() < head) return false;
    length = 0;
    for (std::size_t i = 2; i < head; ++i)
      length = length << 8 | static_cast<std::uint8_t>(heard_[i]);
  }
  if (heard_.size() - head < length) return false;
  const std::string payload = heard_.substr(head, length);
  heard_.erase(0, head + length);
  const auto opcode = static_cast<std::uint8_t>(first & 0x0f);
  const bool is_last = (first & 0x80) != 0;
  if (opcode >= 8) {
    hear(opcode, payload);
    return phase_ == Phase::watching;
  }
  if ((opcode == 0) != is_fragmented_)
    complain("a fragment comes where none is open, or none does");
  fragments_ += payload;
  is_fragmented_ = !is_last;
  if (is_last) hear(1, std::exchange(fragments_, {}));
  return phase_ == Phase::watching;
}

void Spectator::hear(std::uint8_t opcode, std::string_view payload) {
  switch (opcode) {
    case 1:
      return hear_message(payload);
    case 8:
      complain(fmt::format("is closed with {}", payload.size() < 2
                                                    ? 0
                                                    : static_cast<std::uint8_t>(payload[0]) * 256 +
                                                          static_cast<std::uint8_t>(payload[1])));
    case 9:
      return write_frame(10, payload, true);
    case 10: {
      const std::uint64_t which = number_after(payload, "");
      if (which <= control_ponged_ || which > control_pings_) complain("a pong answers no ping");
      control_ponged_ = which;
      return;
    }
    default:
      complain(fmt::format("a frame has the opcode {}", opcode));
  }
}

void Spectator::hear_message(std::string_view text) {
  const bool is_welcome = text.starts_with(R"({"type":"welcome")");
  if (is_welcome == is_welcome_) complain("welcome is not the first message, and that alone");
  is_welcome_ = true;
  if (is_welcome || text.starts_with(R"({"type":"state")")) return hear_state(text, is_welcome);
  if (text.starts_with(R"({"type":"pong")")) return hear_pong(text);
  if (!text.starts_with(R"({"type":")") || !text.ends_with('}')) {
    complain("a message is none: " + std::string(text.substr(0, 60)));
  }
}

void Spectator::hear_state(std::string_view text, bool is_welcome) {
  const std::size_t at = is_welcome ? text.find("\"state\":{") : 0;
  if (at == text.npos) complain("a welcome tells no state");
  const State heard{number_after(text, "\"epoch\":", at), number_after(text, "\"seq\":", at)};
  if (heard.first == 0 || (!is_welcome && heard <= state_)) {
    complain(fmt::format("the state {}.{} comes after {}.{}", heard.first, heard.second,
                         state_.first, state_.second));
  }
  state_ = heard;
}

void Spectator::hear_pong(std::string_view text) {
  const std::uint64_t which = number_after(text, "\"id\":");
  if (which <= ponged_ || which > pings_) complain("a pong answers no ping: " + std::string(text));
  ponged_ = which;
}

void Spectator::look_at_the_end() {
  const bool is_over = socket_->is_reset || socket_->is_closed || socket_->has_ended;
  // Nothing is there: it looks again, but not again and again.
  idle_us_ = std::min<std::int64_t>(idle_us_ * 2 + 10, 50'000);
  due_us += idle_us_;
  if (!is_over) return;
  if (!socket_->was_refused_memory) complain("is cut off");
  leave();
}

}  // namespace videosync::sim
