// Fuzzes the small grammars: Range, HTTP dates, query strings, JSON strings.
//
// The first eight bytes are the file's size; the rest is the text.
//
// Reads: core/base/text.h, proto/http/http_query.cpp, proto/http/http_range.cpp
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/base/utf8.h"
#include "proto/http/http_conditions.h"
#include "proto/http/http_query.h"
#include "proto/http/http_range.h"
#include "proto/http/http_response.h"

namespace {

using namespace videosync;

void check_range(std::string_view text, std::uint64_t size) {
  RangeSet set;
  const RangeOutcome outcome = parse_range(text, size, set);
  VS_ASSERT((outcome == RangeOutcome::partial) == !set.list().empty());
  std::uint64_t total = 0;
  for (const ByteRange& range : set.list()) {
    VS_ASSERT(range.length > 0 && range.offset < size && range.length <= size - range.offset);
    total += range.length;
    VS_ASSERT(total <= size);
  }
  std::string framing;
  for (const ByteRange& range : set.list())
    append_part_head(framing, "b", "t", range, size);
  append_multipart_end(framing, "b");
  VS_ASSERT(multipart_length("b", "t", set.list(), size) == framing.size() + total);
}

void check_date(std::string_view text) {
  const auto time_s = parse_http_date(text, 1'700'000'000);
  if (!time_s) return;
  VS_ASSERT(parse_http_date(format_http_date(*time_s), 1'700'000'000) == *time_s);
}

void check_text(std::string_view text) {
  const auto value = query_value(text, "a");
  if (value) VS_ASSERT(is_valid_utf8(*value) && !has_control_bytes(*value));
  std::string json;
  append_json_string(json, text);
  VS_ASSERT(is_valid_utf8(json) && json.size() >= 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  std::uint64_t file_size = 0;
  std::memcpy(&file_size, data, 8);
  const std::string_view text(reinterpret_cast<const char*>(data) + 8, size - 8);
  check_range(text, file_size >> 1);
  check_range("bytes=" + std::string(text), file_size >> 1);
  check_range("bytes=" + std::string(text), file_size % 100);
  check_date(text);
  check_text(text);
  return 0;
}
