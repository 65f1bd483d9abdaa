#include "server/access/origin_policy.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/base/text.h"
#include "proto/http/http_authority.h"

namespace videosync {

namespace {

// "" for schemes without one.
std::string_view default_port(std::string_view scheme) noexcept {
  if (equals_ignoring_case(scheme, "https")) return ":443";
  if (equals_ignoring_case(scheme, "http")) return ":80";
  return "";
}

std::string_view without_port(std::string_view authority, std::string_view port) noexcept {
  if (!port.empty() && authority.ends_with(port)) authority.remove_suffix(port.size());
  return authority;
}

// No pattern, and nothing that a list or a policy's text would take for its own.
bool is_one_host(std::string_view authority) noexcept {
  return is_authority(authority) && authority.find_first_of(";*") == authority.npos;
}

bool is_scheme(std::string_view text) noexcept {
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

// "scheme://authority" and nothing more; the authority without its scheme's default port.
struct Origin {
  std::string_view scheme;
  std::string_view authority;
};

std::optional<Origin> parse_origin(std::string_view text) noexcept {
  const std::size_t colon = text.find("://");
  if (colon == text.npos) return std::nullopt;
  const Origin origin{text.substr(0, colon), text.substr(colon + 3)};
  if (!is_scheme(origin.scheme) || !is_one_host(origin.authority)) return std::nullopt;
  return Origin{origin.scheme, without_port(origin.authority, default_port(origin.scheme))};
}

}  // namespace

std::optional<std::string> canonical_origin(std::string_view text) {
  const auto origin = parse_origin(text);
  if (!origin) return std::nullopt;
  std::string canonical = fmt::format("{}://{}", origin->scheme, origin->authority);
  std::ranges::transform(canonical, canonical.begin(), ascii_lower);
  return canonical;
}

Result<OriginPolicy> OriginPolicy::create(std::span<const std::string> entries) {
  OriginPolicy policy;
  for (const std::string& entry : entries) {
    if (entry == "*") {
      policy.allow_all_ = true;
      continue;
    }
    auto origin = canonical_origin(entry);
    if (!origin && entry != "null") {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("'{}' is not an origin: write scheme://host or scheme://host:port "
                              "without a path, or * for every page",
                              entry));
    }
    policy.origins_.push_back(origin ? *std::move(origin) : entry);
  }
  return policy;
}

bool OriginPolicy::allows(std::optional<std::string_view> origin,
                          std::string_view host) const noexcept {
  if (!origin || allow_all_) return true;
  const auto page = parse_origin(*origin);
  if (!page) {
    return *origin == "null" && std::ranges::find(origins_, "null") != origins_.end();
  }
  const std::string_view port = default_port(page->scheme);
  // RFC 3986, 6.2.3: a port that is empty is the default one.
  const std::string_view asked = without_port(without_port(host, ":"), port);
  if (!port.empty() && equals_ignoring_case(page->authority, asked)) return true;
  return std::ranges::any_of(origins_, [&](std::string_view listed) {
    const auto allowed = parse_origin(listed);
    return allowed && equals_ignoring_case(allowed->scheme, page->scheme) &&
           equals_ignoring_case(allowed->authority, page->authority);
  });
}

}  // namespace videosync
