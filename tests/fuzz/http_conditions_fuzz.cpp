// Fuzzes validators, conditional requests and dates.
//
// The first byte: the method; the second: which file; the rest: fields of the request. Where the
// lists are well-formed their outcome is that of a slower reading of RFC 9110, 13.2.2; the order of
// different fields does not matter, nor how their names are written.
//
// Reads: proto/http/http_conditions.cpp
#include "proto/http/http_conditions.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "tests/fuzz/support/fuzz_lines.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

constexpr std::int64_t now_s = 1'700'000'000;
constexpr std::array<HttpMethod, 4> methods{HttpMethod::get, HttpMethod::head, HttpMethod::del,
                                            HttpMethod::put};
constexpr std::array<Validators, 4> files{{{"\"a\"", 784'111'777},  // Sun, 06 Nov 1994 08:49:37 GMT
                                           {"\"a,b\"", now_s},
                                           {"\"\"", 0},
                                           {"\"c\"", now_s + 5}}};

// All tags of all fields of that name, as they are written; none where a list is not well-formed.
std::optional<std::vector<std::string>> tags_of(const HttpRequest& request, std::string_view name) {
  std::vector<std::string> tags;
  for (const HttpField& field : request.fields) {
    if (!equals_ignoring_case(field.name, name)) continue;
    std::string rest(field.value);
    if (rest == "*") {
      tags.push_back(rest);
      continue;
    }
    bool may_begin = true;  // a tag, behind a comma or at the front
    while (!rest.empty()) {
      const bool is_weak = rest.starts_with("W/\"");
      if (rest[0] == ',' || rest[0] == ' ' || rest[0] == '\t') {
        may_begin = may_begin || rest[0] == ',';
        rest.erase(0, 1);
        continue;
      }
      const std::size_t open = is_weak ? 2 : 0;
      const std::size_t close = rest[open] == '"' ? rest.find('"', open + 1) : std::string::npos;
      if (!may_begin || close == std::string::npos) return std::nullopt;
      tags.push_back(rest.substr(0, close + 1));
      rest.erase(0, close + 1);
      may_begin = false;
    }
  }
  return tags;
}

bool has(const std::vector<std::string>& tags, std::string_view etag, bool is_weak_enough) {
  return std::ranges::any_of(tags, [&](const std::string& tag) {
    return tag == "*" || tag == etag || (is_weak_enough && tag == "W/" + std::string(etag));
  });
}

void check_lists(const HttpRequest& request, const Validators& file, Condition outcome) {
  const auto match = tags_of(request, "if-match");
  const auto none_match = tags_of(request, "if-none-match");
  const bool is_read = request.method == HttpMethod::get || request.method == HttpMethod::head;
  if (!match || !none_match) return;
  if (request.has_header("if-match") && !has(*match, file.etag, false)) {
    VS_ASSERT(outcome == Condition::precondition_failed);
  } else if (request.has_header("if-none-match") && !request.has_header("if-unmodified-since")) {
    const bool is_same = has(*none_match, file.etag, true);
    const Condition same = is_read ? Condition::not_modified : Condition::precondition_failed;
    VS_ASSERT(outcome == (is_same ? same : Condition::serve));
  }
}

void check_date(std::string_view text) {
  const auto time_s = parse_http_date(text, now_s);
  if (!time_s) return;
  const std::string shown = format_http_date(*time_s);
  VS_ASSERT(shown.size() == 29 && parse_http_date(shown, 0) == *time_s);
  // Two digits name a year that is not more than 50 ahead; four name any.
  const bool is_short = text.find('-') != text.npos;
  if (is_short) VS_ASSERT(*time_s < now_s + std::int64_t{52} * 366 * 86'400 && *time_s > 0);
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), ascii_upper);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Validators& file = files[data[1] % files.size()];
  const std::string_view text = text_of(data + 2, size - 2);
  HttpRequest request = request_of(text);
  request.method = methods[data[0] % methods.size()];
  for (const HttpField& field : request.fields)
    check_date(field.value);

  const ConditionOutcome outcome = evaluate_conditions(request, file, now_s);
  if (outcome.range_applies) {
    VS_ASSERT(outcome.condition == Condition::serve && request.method == HttpMethod::get);
    VS_ASSERT(request.count("range") == 1 && request.count("if-range") <= 1);
  }
  check_lists(request, file, outcome.condition);

  std::vector<std::string> names;
  for (const HttpField& field : request.fields)
    names.push_back(upper(field.name));
  HttpRequest sorted = request;
  for (std::size_t i = 0; i < names.size(); ++i)
    sorted.fields[i].name = names[i];
  std::ranges::stable_sort(sorted.fields, std::ranges::greater(), &HttpField::name);
  const ConditionOutcome again = evaluate_conditions(sorted, file, now_s);
  VS_ASSERT(again.condition == outcome.condition && again.range_applies == outcome.range_applies);
  return 0;
}
