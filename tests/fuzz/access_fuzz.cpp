// Fuzzes by what a request is let in, and the ids that it names: Origin, Host, targets, cookies,
// tokens, keys and codes.
//
// The first line is taken for each of them, the rest for fields of a request. Nobody is known by
// what was not signed; what one function writes the other reads.
//
// Reads: core/base/short_code.cpp, core/base/uuid.h, proto/http/http_authority.cpp,
// proto/http/http_cookie.cpp, proto/http/http_target.cpp, proto/wire/token.cpp,
// server/access/browser_cookie.cpp, server/access/dated_cookie.cpp,
// server/access/film_sources.cpp, server/access/origin_policy.cpp, server/http/bearer.h
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "core/base/short_code.h"
#include "core/base/utf8.h"
#include "core/base/uuid.h"
#include "proto/http/http_authority.h"
#include "proto/http/http_cookie.h"
#include "proto/http/http_target.h"
#include "proto/wire/messages.h"
#include "proto/wire/token.h"
#include "server/access/browser_cookie.h"
#include "server/access/dated_cookie.h"
#include "server/access/film_sources.h"
#include "server/access/origin_policy.h"
#include "server/http/bearer.h"
#include "tests/fuzz/support/fuzz_lines.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

constexpr std::int64_t now_s = 1'700'000'000;

void check_ids(std::string_view text) {
  if (const auto key = Uuid::parse_v4(text)) VS_ASSERT(Uuid::parse_v4(key->to_string()) == key);
  if (const auto code = ShortCode::parse(text)) {
    VS_ASSERT(code->value > 0 && code->value <= ShortCode::value_max);
    const auto digits = code->to_digits();
    VS_ASSERT(ShortCode::parse(code->to_string()) == code);
    VS_ASSERT(ShortCode::parse({digits.data(), digits.size()}) == code);
  }
  if (const auto token = parse_token(text)) {
    const auto again = parse_token(to_hex(token->bytes));
    VS_ASSERT(again && again->equals(*token));
  }
  if (const auto resume = parse_resume_token(text)) VS_ASSERT(resume->member);
  if (const auto member = parse_member_id(text)) VS_ASSERT(*member);
}

void check_target(std::string_view text) {
  std::string decoded(text.size(), '\0');
  const auto target = read_target(HttpMethod::options, text, decoded.data());
  if (!target) {
    VS_ASSERT(!target.error().empty());
    return;
  }
  VS_ASSERT(target->path == "*" || target->path.starts_with('/'));
  VS_ASSERT(is_valid_utf8(target->path) && !has_control_bytes(target->path));
  VS_ASSERT(target->path.size() <= text.size() + 1);
  VS_ASSERT(target->host.empty() || is_authority(target->host));
}

void check_origin(std::string_view text, std::string_view host) {
  const auto origin = canonical_origin(text);
  const std::vector<std::string> list{origin.value_or("https://films.example:8443")};
  const auto policy = OriginPolicy::create(list);
  VS_ASSERT(policy.has_value());
  if (origin) {
    VS_ASSERT(canonical_origin(*origin) == origin && origin->size() <= text.size());
    VS_ASSERT(policy->allows(text, host) && policy->allows(*origin, host));
  } else {
    VS_ASSERT(!policy->allows(text, host));
  }
  const auto sources = FilmSources::create(list);
  if (!sources) return;
  VS_ASSERT(sources->origins().size() == 1);
  VS_ASSERT(sources->allows(list[0]) && sources->allows(list[0] + "/film.mp4"));
  if (sources->allows(text))
    VS_ASSERT(text.starts_with("https://") && text.find('\\') == text.npos);
  VS_ASSERT(!sources->allows("https://user@" + list[0].substr(8)));
  VS_ASSERT(!sources->allows(list[0] + ".evil.example/"));
}

// `text`: what somebody has made up.
void check_cookies(const HttpRequest& request, std::string_view text) {
  Token key;
  key.bytes.fill(7);
  constexpr DatedCookie entrance{"entrance", "to come in", 60};
  VS_ASSERT(!browser_of(request, key) && !is_shown(entrance, request, key, now_s));
  const std::string_view value = cookie_value(request, "entrance");
  VS_ASSERT(value.find(';') == value.npos);

  const auto show = [&](const std::string& given) {
    HttpRequest shown;
    const std::string line = given.substr(0, given.find(';'));
    const std::string all = std::string(text.substr(0, text.find(';'))) + "=; " + line + " ; a=b";
    shown.fields.push_back({"Cookie", all});
    return is_shown(entrance, shown, key, now_s) || browser_of(shown, key);
  };
  // Of two of a name the first counts.
  const auto names = [&](std::string_view name) { return text.find(name) != text.npos; };
  if (names("entrance") || names("videosync_browser")) return;
  VS_ASSERT(show(given(entrance, key, now_s, true)));
  VS_ASSERT(show(browser_cookie({std::uint64_t{text.size()} + 1}, key, false)));
  VS_ASSERT(!show(given(entrance, key, now_s - 61, true)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = text_of(data, size);
  const std::string_view first = take_line(text);
  const HttpRequest request = request_of(text);
  check_ids(first);
  check_target(first);
  check_origin(first, request.host);
  check_cookies(request, first);
  const std::string_view bearer = bearer_text(request);
  VS_ASSERT(trim(bearer, http_blanks) == bearer);
  for (const HttpField& field : request.fields) {
    check_ids(field.value);
    check_origin(field.value, first);
    check_target(field.value);
  }
  return 0;
}
