#include "server/access/film_sources.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/base/text.h"
#include "server/access/origin_policy.h"

namespace videosync {

namespace {

constexpr std::string_view https = "https://";

// Of a host and port, IPv6 included: nothing that means something in a policy's text.
bool is_of_an_authority(char c) noexcept {
  return is_letter(c) || is_digit(c) || std::string_view(".-:[]").find(c) != std::string_view::npos;
}

}  // namespace

Result<FilmSources> FilmSources::create(std::span<const std::string> entries) {
  FilmSources sources;
  for (const std::string& entry : entries) {
    auto origin = canonical_origin(entry);
    const bool is_source = origin && origin->starts_with(https) &&
                           std::ranges::all_of(origin->substr(https.size()), is_of_an_authority);
    if (!is_source) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("'{}' is not a source of films: write https://host or "
                              "https://host:port without a path",
                              entry));
    }
    if (std::ranges::find(sources.origins_, *origin) == sources.origins_.end())
      sources.origins_.push_back(*std::move(origin));
  }
  return sources;
}

bool FilmSources::allows(std::string_view url) const {
  const bool is_plain =
      std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f && c != '\\'; });
  if (!is_plain || !url.starts_with(https)) return false;
  const auto origin = canonical_origin(url.substr(0, url.find_first_of("/?#", https.size())));
  return origin && std::ranges::find(origins_, *origin) != origins_.end();
}

}  // namespace videosync
