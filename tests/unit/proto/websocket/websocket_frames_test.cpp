#include "proto/websocket/websocket_frames.h"

#include <criterion/criterion.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/base/close_code.h"
#include "proto/session/session_values.h"

using namespace videosync;
using Kind = WebSocketEvent::Kind;
using Op = WebSocketOpcode;

namespace {

constexpr std::array<std::uint8_t, 4> mask_key{0x12, 0x34, 0x56, 0x78};

struct Seen {
  Kind kind;
  std::uint16_t code = 0;
  std::string payload;

  friend bool operator==(const Seen&, const Seen&) = default;
};
using Events = std::vector<Seen>;

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void drain(WebSocketDecoder& decoder, Events& events) {
  for (;;) {
    const WebSocketEvent event = decoder.next();
    if (event.kind == Kind::need_more) return;
    // Why a fault is one is for people: only its code is compared.
    const bool is_fault = event.kind == Kind::fault;
    events.push_back({event.kind, event.code, is_fault ? "" : std::string(event.payload)});
    if (is_fault) cr_assert(!event.payload.empty() && event.payload.size() <= 123);
  }
}

// What comes of `stream`, in pieces of `piece_bytes`.
Events decode(WebSocketDecoder& decoder, std::string_view stream, std::size_t piece_bytes) {
  Events events;
  while (!stream.empty()) {
    const std::string_view piece = stream.substr(0, piece_bytes);
    decoder.feed(bytes_of(piece));
    drain(decoder, events);
    stream.remove_prefix(piece.size());
  }
  return events;
}

std::string frame(Op opcode, std::string_view payload, bool is_final = true) {
  std::string out;
  append_masked_frame(out, opcode, payload, mask_key, is_final);
  return out;
}

std::string close_payload(int code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return payload.append(reason);
}

// A masked frame with any first byte, and a length in the form that is asked for.
std::string raw_frame(int first_byte, int length_code, std::uint64_t length, int length_bytes,
                      std::string_view payload) {
  std::string out{static_cast<char>(first_byte), static_cast<char>(0x80 | length_code)};
  for (int i = length_bytes - 1; i >= 0; --i) {
    out += static_cast<char>(length >> (8 * i));
  }
  out.append(reinterpret_cast<const char*>(mask_key.data()), 4);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out += static_cast<char>(payload[i] ^ mask_key[i % 4]);
  }
  return out;
}

Seen text(std::string_view payload) {
  return {Kind::text, 0, std::string(payload)};
}
Seen fault(std::uint16_t code) {
  return {Kind::fault, code, ""};
}

void expect(const std::string& stream, const Events& expected, const char* what) {
  auto decoder = std::make_unique<WebSocketDecoder>();
  for (const std::size_t piece_bytes : {std::size_t{1} << 20, std::size_t{1}, std::size_t{7}}) {
    cr_assert(decode(*decoder, stream, piece_bytes) == expected, "%s, in pieces of %zu", what,
              piece_bytes);
    const bool is_ended = !expected.empty() && (expected.back().kind == Kind::fault ||
                                                expected.back().kind == Kind::close);
    if (is_ended) cr_assert_not(decoder->at_boundary(), "%s", what);
    decoder->reset();
    cr_assert(decoder->at_boundary());
  }
}

std::string bytes_in(const BufferRef& buffer) {
  return {buffer.bytes().begin(), buffer.bytes().end()};
}

}  // namespace

Test(websocket_frames, whole_messages_of_every_length_form) {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 4082u, 4096u, 5000u, 16'384u}) {
    const std::string payload(size, 'x');
    expect(frame(Op::text, payload), {text(payload)}, "text");
    expect(frame(Op::binary, payload), {{Kind::binary, 0, payload}}, "binary");
  }
}

Test(websocket_frames, many_frames_in_one_piece) {
  std::string stream;
  Events expected;
  for (int i = 0; i < 500; ++i) {
    const std::string payload = "message " + std::to_string(i);
    stream += frame(Op::text, payload);
    expected.push_back(text(payload));
  }
  expect(stream, expected, "500 messages");
}

Test(websocket_frames, pings_and_pongs) {
  const std::string full(125, '\xfe');  // any bytes
  expect(frame(Op::ping, ""), {{Kind::ping, 0, ""}}, "empty ping");
  expect(frame(Op::ping, full), {{Kind::ping, 0, full}}, "full ping");
  expect(frame(Op::pong, "late"), {{Kind::pong, 0, "late"}}, "unasked pong");
}

Test(websocket_frames, fragments_make_one_message) {
  expect(frame(Op::text, "Hel", false) + frame(Op::continuation, "", false) +
             frame(Op::continuation, "lo"),
         {text("Hello")}, "three fragments");
  expect(frame(Op::text, "", false) + frame(Op::continuation, ""), {text("")}, "empty fragments");
  expect(frame(Op::text, "a", false) + frame(Op::continuation, "b") + frame(Op::text, "c"),
         {text("ab"), text("c")}, "a message after it");
}

Test(websocket_frames, control_frames_come_between_fragments) {
  expect(frame(Op::text, "one ", false) + frame(Op::ping, "now") +
             frame(Op::continuation, "", false) + frame(Op::pong, "") +
             frame(Op::continuation, "two"),
         {{Kind::ping, 0, "now"}, {Kind::pong, 0, ""}, text("one two")}, "interleaved");
  expect(frame(Op::text, "one ", false) + frame(Op::close, close_payload(1000)),
         {{Kind::close, 1000, ""}}, "close inside a message");
}

Test(websocket_frames, fragments_out_of_order_are_refused) {
  expect(frame(Op::continuation, "x"), {fault(1002)}, "continuation of nothing");
  expect(frame(Op::continuation, "", false), {fault(1002)}, "empty continuation of nothing");
  expect(frame(Op::text, "a", false) + frame(Op::text, "b"), {fault(1002)}, "text inside text");
  expect(frame(Op::text, "a", false) + frame(Op::binary, "b"), {fault(1002)}, "binary inside");
  expect(frame(Op::text, "a") + frame(Op::continuation, "b"), {text("a"), fault(1002)}, "after it");
}

Test(websocket_frames, reserved_bits_and_opcodes_are_refused) {
  for (const int rsv : {0x40, 0x20, 0x10, 0x70}) {
    expect(raw_frame(0x80 | rsv | 0x1, 1, 0, 0, "x"), {fault(1002)}, "text");
    expect(raw_frame(0x80 | rsv | 0x9, 0, 0, 0, ""), {fault(1002)}, "ping");
  }
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    expect(raw_frame(0x80 | opcode, 0, 0, 0, ""), {fault(1002)}, "empty");
    expect(raw_frame(0x80 | opcode, 1, 0, 0, "x"), {fault(1002)}, "with payload");
  }
}

Test(websocket_frames, control_frames_are_short_and_whole) {
  for (const int opcode : {0x8, 0x9, 0xa}) {
    expect(raw_frame(opcode, 0, 0, 0, ""), {fault(1002)}, "fragmented");
    expect(raw_frame(0x80 | opcode, 126, 126, 2, std::string(126, 'x')), {fault(1002)}, "long");
  }
}

Test(websocket_frames, lengths_come_in_their_shortest_form) {
  expect(raw_frame(0x81, 126, 125, 2, std::string(125, 'x')), {fault(1002)}, "125 in 16 bits");
  expect(raw_frame(0x81, 127, 65'535, 8, "x"), {fault(1002)}, "65535 in 64 bits");
  expect(raw_frame(0x81, 127, std::uint64_t{1} << 63, 8, "x"), {fault(1002)}, "the top bit");
}

Test(websocket_frames, a_client_masks) {
  expect(bytes_in(make_frame(Op::text, "hello")), {fault(1002)}, "text");
  expect(bytes_in(make_frame(Op::ping, "")), {fault(1002)}, "ping");
}

Test(websocket_frames, a_message_has_16_kib) {
  expect(frame(Op::text, std::string(16'385, 'x')), {fault(1009)}, "one frame");
  expect(raw_frame(0x81, 127, std::uint64_t{1} << 62, 8, "x"), {fault(1009)}, "declared only");
  const std::string half(8'192, 'x');
  expect(frame(Op::text, half, false) + frame(Op::continuation, half), {text(half + half)}, "full");
  expect(frame(Op::binary, half, false) + frame(Op::continuation, half, false) +
             frame(Op::continuation, "x"),
         {fault(1009)}, "one byte more");
  expect(frame(Op::text, half + half) + frame(Op::text, half + half),
         {text(half + half), text(half + half)}, "each message anew");
}

Test(websocket_frames, a_message_has_256_fragments) {
  std::string stream = frame(Op::text, "x", false);
  for (int i = 0; i < 254; ++i)
    stream += frame(Op::continuation, "x", false);
  expect(stream + frame(Op::continuation, "x"), {text(std::string(256, 'x'))}, "256");
  expect(stream + frame(Op::continuation, "", false) + frame(Op::continuation, ""), {fault(1008)},
         "257");
}

Test(websocket_frames, text_is_utf8_across_fragments) {
  expect(frame(Op::text, "\xe2", false) + frame(Op::ping, "") +
             frame(Op::continuation, "\x82", false) + frame(Op::continuation, "\xac"),
         {{Kind::ping, 0, ""}, text("\xe2\x82\xac")}, "a character in three fragments");
  expect(frame(Op::text, "\xe2\x82"), {fault(1007)}, "ends inside a character");
  expect(frame(Op::text, "\xe2\x82", false) + frame(Op::continuation, ""), {fault(1007)},
         "the same");
  expect(frame(Op::text, "\xed\xa0\x80"), {fault(1007)}, "surrogate");
  expect(frame(Op::text, "\xff", false), {fault(1007)}, "in the first fragment");
  expect(frame(Op::binary, "\xff"), {{Kind::binary, 0, "\xff"}}, "binary is not judged");
}

Test(websocket_frames, bad_utf8_is_refused_before_the_frame_ends) {
  WebSocketDecoder decoder;
  const std::string stream = frame(Op::text, "good \xc0 and a long rest");
  const std::size_t bad_byte = 6 + 5;
  cr_assert(decode(decoder, stream.substr(0, bad_byte), 1).empty());
  cr_assert(decode(decoder, stream.substr(bad_byte, 1), 1) == Events{fault(1007)});
}

Test(websocket_frames, close_codes) {
  for (int code = 0; code <= 65'535; ++code) {
    const bool is_valid = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                          (code >= 3000 && code <= 4999);
    cr_assert_eq(close_code::is_valid(static_cast<std::uint16_t>(code)), is_valid, "%d", code);
  }
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1011, 3000, 3999, 4000, 4999}) {
    expect(frame(Op::close, close_payload(code, "bye")),
           {{Kind::close, static_cast<std::uint16_t>(code), "bye"}}, "valid");
  }
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65'535}) {
    expect(frame(Op::close, close_payload(code)), {fault(1002)}, "not for the wire");
  }
}

Test(websocket_frames, close_payloads) {
  expect(frame(Op::close, ""), {{Kind::close, websocket_no_close_code, ""}}, "empty");
  expect(frame(Op::close, "\x03"), {fault(1002)}, "one byte");
  const std::string reason(123, 'r');
  expect(frame(Op::close, close_payload(1000, reason)), {{Kind::close, 1000, reason}}, "full");
  expect(frame(Op::close, close_payload(1000, "\xce\xba\xff")), {fault(1007)}, "bad UTF-8");
  expect(frame(Op::close, close_payload(1000, "\xce")), {fault(1007)}, "cut UTF-8");
}

Test(websocket_frames, nothing_is_read_after_the_end) {
  expect(frame(Op::close, "") + frame(Op::text, "late"),
         {{Kind::close, websocket_no_close_code, ""}}, "after a close");
  expect(frame(Op::continuation, "x") + frame(Op::text, "late"), {fault(1002)}, "after a fault");
}

Test(websocket_frames, a_boundary_is_where_nothing_is_held) {
  WebSocketDecoder decoder;
  const std::string stream =
      frame(Op::text, "ab", false) + frame(Op::ping, "p") + frame(Op::continuation, "c");
  cr_assert(decoder.at_boundary());
  for (std::size_t i = 0; i < stream.size(); ++i) {
    decode(decoder, stream.substr(i, 1), 1);
    cr_assert_eq(decoder.at_boundary(), i + 1 == stream.size(), "after byte %zu", i);
  }
}

Test(websocket_frames, input_that_is_left_is_no_boundary) {
  WebSocketDecoder decoder;
  const std::string stream = frame(Op::text, "a") + frame(Op::text, "b");
  decoder.feed(bytes_of(stream));
  cr_assert_eq(decoder.next().payload, "a");
  cr_assert_not(decoder.at_boundary());
  cr_assert_eq(decoder.next().payload, "b");
  cr_assert(decoder.at_boundary());
}

Test(websocket_frames, reset_forgets_what_was_held) {
  const std::string whole = frame(Op::text, "before", false) + frame(Op::continuation, "after");
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    WebSocketDecoder decoder;
    decode(decoder, whole.substr(0, cut), whole.size());
    decoder.reset();
    cr_assert(decoder.at_boundary());
    cr_assert(decode(decoder, frame(Op::text, "new"), 1) == Events{text("new")}, "cut at %zu", cut);
  }
}

Test(websocket_frames, any_cut_gives_the_same_events) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  const auto below = [&random](std::size_t n) { return random() % n; };
  auto decoder = std::make_unique<WebSocketDecoder>();
  for (int round = 0; round < 300; ++round) {
    std::string stream;
    for (std::size_t frames = 1 + below(12); frames > 0; --frames) {
      static constexpr Op opcodes[] = {Op::text, Op::text, Op::continuation, Op::binary,
                                       Op::ping, Op::pong, Op::close};
      const Op opcode = opcodes[below(std::size(opcodes))];
      const bool is_control = static_cast<int>(opcode) >= 8;
      const std::string payload(below(is_control ? 126 : 600), static_cast<char>('a' + below(26)));
      stream += frame(opcode, payload, is_control || below(2) == 0);
    }
    if (below(4) == 0) stream[below(stream.size())] ^= static_cast<char>(1 << below(8));
    const Events expected = decode(*decoder, stream, stream.size());
    decoder->reset();
    Events events;
    for (std::string_view rest = stream; !rest.empty();) {
      const std::string_view piece = rest.substr(0, 1 + below(200));
      decoder->feed(bytes_of(piece));
      drain(*decoder, events);
      rest.remove_prefix(piece.size());
    }
    decoder->reset();
    cr_assert(events == expected, "seed %u, round %d", seed, round);
  }
}

Test(websocket_frames, server_frames_have_the_shortest_header) {
  struct Case {
    std::size_t payload_bytes;
    std::string header;
  };
  const Case cases[] = {{0, std::string("\x81\x00", 2)},
                        {125, "\x81\x7d"},
                        {126, std::string("\x81\x7e\x00\x7e", 4)},
                        {65'535, "\x81\x7e\xff\xff"},
                        {65'536, std::string("\x81\x7f\0\0\0\0\0\1\0\0", 10)}};
  for (const Case& each : cases) {
    const std::string payload(each.payload_bytes, 'x');
    const std::string bytes = bytes_in(make_frame(Op::text, payload));
    cr_assert(bytes == each.header + payload, "%zu", each.payload_bytes);
  }
}

Test(websocket_frames, close_frames) {
  cr_assert_eq(bytes_in(make_close_frame(1001, "bye")),
               "\x88\x05\x03\xe9"
               "bye");
  cr_assert_eq(bytes_in(make_close_frame(websocket_no_close_code, "")), std::string("\x88\x00", 2));
  // 122 bytes, then a character of two: it does not fit whole.
  const std::string reason = std::string(122, 'r') + "\xc3\xa4";
  cr_assert_eq(bytes_in(make_close_frame(4003, reason)),
               "\x88\x7c\x0f\xa3" + std::string(122, 'r'));
}
