// FilmSources: from which origins members' browsers may fetch films that are not of the library.
//
// Immutable after its making; any thread. Browsers are held to the same list by the pages'
// Content-Security-Policy, so an entry is checked to be an origin and nothing else.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace videosync {

class FilmSources {
 public:
  // Entries are "https://example.org[:port]".
  static Result<FilmSources> create(std::span<const std::string> entries);

  // Whether `url` is an absolute https: address of one of the origins, as a browser writes it: in
  // ASCII, without a user's name.
  bool allows(std::string_view url) const;

  // In lower case, without a default port.
  std::span<const std::string> origins() const noexcept { return origins_; }

 private:
  std::vector<std::string> origins_;
};

}  // namespace videosync
