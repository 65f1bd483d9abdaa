// One JSON object to the fields that messages know: syntax and depth here, meaning in
// messages_decode.cpp. The only door of proto to simdjson (On Demand) is json_fields.cpp.
//
// On Demand judges only what it is asked for, so every value is visited, the ignored ones too:
// what passes is JSON to the last byte. Views last until the parser's next text.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "proto/wire/messages.h"

namespace videosync {

enum class FieldKey : std::uint8_t {
  type,
  position,
  rate,
  video,
  to,
  host_token,
  control,
  on_stall,
  id,
  t1,
  drift_ms,
  rtt_ms,
  buffering,
  form,
  cannot_play,
  audio_language,
  text,
  emoji,
  name,
  ready,
  countdown_ms,
  queue,
  controllers,
  item,
  at,
  door,
  url,
  duration,
  own_pace,
  first_frame_ms,
  count,
};

// The key on the wire.
std::string_view field_name(FieldKey key) noexcept;

struct JsonField {
  enum class Kind : std::uint8_t { absent, boolean, number, string, strings, container };

  Kind kind = Kind::absent;  // also where the value is null
  bool boolean = false;
  double number = 0;      // infinite where the digits say more than a double holds
  std::string_view text;  // a string's value
  std::string_view raw;   // a number or string as it was written
};

class JsonFields {
 public:
  const JsonField& operator[](FieldKey key) const noexcept {
    return fields_[static_cast<std::size_t>(key)];
  }
  JsonField& operator[](FieldKey key) noexcept { return fields_[static_cast<std::size_t>(key)]; }

  // Of the one field that may be an array of strings, controllers, where it is one.
  std::vector<std::string_view> strings;

 private:
  std::array<JsonField, static_cast<std::size_t>(FieldKey::count)> fields_;
};

enum class JsonVerdict : std::uint8_t { object, other_value, malformed, too_deep };

// REQUIRES json_padding readable bytes behind `text`, and fresh `fields`, which are complete only
// where the verdict is `object`.
JsonVerdict parse_json_fields(std::string_view text, MessageDecoder& scratch, JsonFields& fields);

}  // namespace videosync
