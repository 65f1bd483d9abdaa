#include "proto/wire/json_fields.h"

#include <simdjson.h>

#include <limits>

#include "core/base/assert.h"
#include "core/base/text.h"

namespace videosync {

using simdjson::error_code;
namespace ondemand = simdjson::ondemand;

static_assert(json_padding >= simdjson::SIMDJSON_PADDING);

struct MessageDecoder::Parser {
  ondemand::parser json;
};

namespace {

constexpr std::size_t text_bytes_expected = 16 * 1024;  // a longer text makes the parser grow once

constexpr std::array<std::string_view, static_cast<std::size_t>(FieldKey::count)> names{
    "type",          "position", "rate",        "video",   "to",
    "hostToken",     "control",  "onStall",     "id",      "t1",
    "driftMs",       "rttMs",    "buffering",   "form",    "cannotPlay",
    "audioLanguage", "text",     "emoji",       "name",    "ready",
    "countdownMs",   "queue",    "controllers", "item",    "at",
    "door",          "url",      "duration",    "ownPace", "firstFrameMs",
};

std::size_t digits_at(std::string_view text, std::size_t at) noexcept {
  const std::size_t end = text.find_first_not_of("0123456789", at);
  return (end == std::string_view::npos ? text.size() : end) - at;
}

// The grammar of RFC 8259, 6.
bool is_json_number(std::string_view text) noexcept {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = digits_at(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) return false;
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = digits_at(text, ++at);
    if (fraction == 0) return false;
    at += fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = digits_at(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == text.size();
}

// simdjson reports a number that overflows (1e999) like one that is malformed.
error_code read_number(ondemand::value& value, JsonField& field) {
  field.kind = JsonField::Kind::number;
  field.raw = trim(value.raw_json_token(), json_blanks);
  const error_code error = value.get_double().get(field.number);
  if (error && is_json_number(field.raw)) {
    field.number = std::numeric_limits<double>::infinity();
    return simdjson::SUCCESS;
  }
  return error;
}

error_code read_string(ondemand::value& value, JsonField& field) {
  field.kind = JsonField::Kind::string;
  field.raw = trim(value.raw_json_token(), json_blanks);
  return value.get_string().get(field.text);
}

error_code read_null(ondemand::value& value) {
  bool is_null = false;
  if (const error_code error = value.is_null().get(is_null)) return error;
  return is_null ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
}

// `depth` counts the containers around the value, itself included where it is one.
error_code read_value(ondemand::value& value, std::size_t depth, JsonField& field);

// `Value` is a value or the document: On Demand takes a closer look at the ends of the latter.
template <class Value>
error_code read_array(Value& value, std::size_t depth) {
  if (depth > json_depth_max) return simdjson::DEPTH_ERROR;
  ondemand::array array;
  if (const error_code error = value.get_array().get(array)) return error;
  for (auto result : array) {
    ondemand::value element;
    if (const error_code error = std::move(result).get(element)) return error;
    JsonField ignored;
    if (const error_code error = read_value(element, depth + 1, ignored)) return error;
  }
  return simdjson::SUCCESS;
}

// `visit(key, value)` for each field.
template <class Value, class Visit>
error_code read_object(Value& value, std::size_t depth, Visit visit) {
  if (depth > json_depth_max) return simdjson::DEPTH_ERROR;
  ondemand::object object;
  if (const error_code error = value.get_object().get(object)) return error;
  for (auto result : object) {
    ondemand::field field;
    if (const error_code error = std::move(result).get(field)) return error;
    std::string_view key;
    if (const error_code error = field.unescaped_key().get(key)) return error;
    if (const error_code error = visit(key, field.value())) return error;
  }
  return simdjson::SUCCESS;
}

error_code read_value(ondemand::value& value, std::size_t depth, JsonField& field) {
  field = {};
  ondemand::json_type type;
  if (const error_code error = value.type().get(type)) return error;
  switch (type) {
    case ondemand::json_type::array:
      field.kind = JsonField::Kind::container;
      return read_array(value, depth);
    case ondemand::json_type::object:
      field.kind = JsonField::Kind::container;
      return read_object(value, depth, [depth](std::string_view, ondemand::value& inner) {
        JsonField ignored;
        return read_value(inner, depth + 1, ignored);
      });
    case ondemand::json_type::number:
      return read_number(value, field);
    case ondemand::json_type::string:
      return read_string(value, field);
    case ondemand::json_type::boolean:
      field.kind = JsonField::Kind::boolean;
      return value.get_bool().get(field.boolean);
    case ondemand::json_type::null:
      return read_null(value);
  }
  return simdjson::TAPE_ERROR;
}

// An array of strings is told in `strings`; anything else as ever.
error_code read_strings(ondemand::value& value, std::size_t depth, JsonField& field,
                        std::vector<std::string_view>& strings) {
  strings.clear();
  ondemand::json_type type;
  if (const error_code error = value.type().get(type)) return error;
  if (type != ondemand::json_type::array) return read_value(value, depth, field);
  field = {};
  field.kind = JsonField::Kind::strings;
  ondemand::array array;
  if (const error_code error = value.get_array().get(array)) return error;
  for (auto result : array) {
    ondemand::value element;
    if (const error_code error = std::move(result).get(element)) return error;
    JsonField one;
    if (const error_code error = read_value(element, depth + 1, one)) return error;
    if (one.kind != JsonField::Kind::string) field.kind = JsonField::Kind::container;
    strings.push_back(one.text);
  }
  return simdjson::SUCCESS;
}

// Every token was visited.
bool is_whole(ondemand::document& document) {
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

error_code read_known_fields(ondemand::document& document, JsonFields& fields) {
  return read_object(document, 1, [&fields](std::string_view key, ondemand::value& value) {
    JsonField ignored;
    JsonField* field = &ignored;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == key) field = &fields[static_cast<FieldKey>(i)];
    }
    if (field == &fields[FieldKey::controllers])
      return read_strings(value, 2, *field, fields.strings);
    return read_value(value, 2, *field);
  });
}

// A text that is one number, string or literal. Not On Demand's affair: its root null and booleans
// stumble over blanks behind them (3.0.1).
bool is_json_scalar(std::string_view text, ondemand::document& document) {
  text = trim(text, json_blanks);
  if (text.starts_with('"')) {
    return !document.get_string().error() && is_whole(document);
  }
  return text == "null" || text == "true" || text == "false" || is_json_number(text);
}

}  // namespace

MessageDecoder::MessageDecoder() : parser_(std::make_unique<Parser>()) {
  const error_code error = parser_->json.allocate(text_bytes_expected);
  VS_ASSERT(error == simdjson::SUCCESS);  // it fails for want of memory only
}

MessageDecoder::~MessageDecoder() = default;
MessageDecoder::MessageDecoder(MessageDecoder&&) noexcept = default;
MessageDecoder& MessageDecoder::operator=(MessageDecoder&&) noexcept = default;

std::string_view field_name(FieldKey key) noexcept {
  return names[static_cast<std::size_t>(key)];
}

JsonVerdict parse_json_fields(std::string_view text, MessageDecoder& scratch, JsonFields& fields) {
  ondemand::document document;
  const simdjson::padded_string_view padded(text.data(), text.size(), text.size() + json_padding);
  error_code error = scratch.parser().json.iterate(padded).get(document);
  ondemand::json_type type{};
  if (!error) error = document.type().get(type);
  if (error) return JsonVerdict::malformed;
  const bool is_object = type == ondemand::json_type::object;
  if (is_object) {
    error = read_known_fields(document, fields);
  } else if (type == ondemand::json_type::array) {
    error = read_array(document, 1);
  } else {
    return is_json_scalar(text, document) ? JsonVerdict::other_value : JsonVerdict::malformed;
  }
  if (error == simdjson::DEPTH_ERROR) return JsonVerdict::too_deep;
  if (error || !is_whole(document)) return JsonVerdict::malformed;
  return is_object ? JsonVerdict::object : JsonVerdict::other_value;
}

}  // namespace videosync
