// HlsFolders: which paths lie in a library's HLS folders and may be served, though no scan has seen
// them.
//
// Filled before threads share it, immutable then.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

namespace videosync {

class HlsFolders {
 public:
  void add(std::string path) { paths_.insert(std::move(path)); }

  // A path below the library, not encoded: "cat/v0/seg1.ts". False for all that is not of a known
  // kind inside of a listed folder, reached without hidden names or dots.
  bool is_servable(std::string_view path) const;
  friend bool operator==(const HlsFolders&, const HlsFolders&) = default;

 private:
  std::unordered_set<std::string> paths_;
};

}  // namespace videosync
