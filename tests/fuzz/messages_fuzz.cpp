// Any text from a client: what decodes is JSON to a strict parser too, what is refused as "no JSON"
// is none or too deep, and a ping's answer is JSON again.
//
// Reads: proto/wire/json_fields.cpp, proto/wire/member_name.cpp, proto/wire/messages_decode.cpp
#include <simdjson.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "core/base/assert.h"
#include "proto/wire/member_name.h"
#include "proto/wire/messages.h"

using namespace videosync;

namespace {

std::size_t depth_of(std::string_view json) {
  std::size_t depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (in_string) {
      if (json[i] == '\\')
        ++i;
      else if (json[i] == '"')
        in_string = false;
    } else if (json[i] == '"') {
      in_string = true;
    } else if (json[i] == '[' || json[i] == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (json[i] == ']' || json[i] == '}') {
      --depth;
    }
  }
  return deepest;
}

void check_answer(const ClientMessage& message) {
  static simdjson::dom::parser parser;
  std::string out;
  if (const auto* ping = std::get_if<PingMessage>(&message)) {
    encode_pong(out, *ping, 1, 2);
  } else if (const auto* chat = std::get_if<ChatMessage>(&message)) {
    encode_chat(out, {7, MemberId{1}, "name", chat->text, 3});
  } else if (const auto* name = std::get_if<NameMessage>(&message)) {
    VS_ASSERT(clean_member_name(name->name) == name->name);
    encode_chat(out, {7, MemberId{1}, name->name, "text", 3});
  } else {
    return;
  }
  VS_ASSERT(parser.parse(out).error() == simdjson::SUCCESS);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static MessageDecoder scratch;
  static simdjson::dom::parser strict;
  // The first byte of the input fills the padding: whatever stands there must not matter.
  if (size < 1) return 0;
  const std::size_t text_size = size - 1;
  const auto buffer = std::make_unique<char[]>(text_size + json_padding);
  std::memcpy(buffer.get(), data + 1, text_size);
  std::memset(buffer.get() + text_size, data[0], json_padding);
  const std::string_view text(buffer.get(), text_size);

  const auto decoded = decode_client_message(text, scratch);
  const auto error = strict.parse(text.data(), text.size()).error();
  if (decoded) {
    VS_ASSERT(error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR);
    check_answer(*decoded);
  } else if (decoded.error().code == Refusal::bad_json) {
    VS_ASSERT(error != simdjson::SUCCESS || depth_of(text) > json_depth_max);
  } else {
    // A number too large for a double is JSON to us and an error to the other.
    VS_ASSERT(error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR);
  }
  VS_ASSERT(decode_create_session(text, scratch) || !text.empty());
  return 0;
}
