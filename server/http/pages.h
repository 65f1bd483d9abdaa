// Pages: the web pages, loaded into memory at start. An immutable snapshot for all threads.
//
// A page may have precompressed siblings (app.js.br, app.js.gz), which the client's Accept-Encoding
// picks. Hidden files and symlinks are not loaded. Bodies are shared buffers: a response holds one
// reference, so a page outlives its snapshot where a slow client still reads it.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/error.h"
#include "core/base/shared_buffer.h"
#include "server/http/content_coding.h"

namespace videosync {

// One form of a page. Views are literals or live as long as the Pages.
struct PageBody {
  BufferRef bytes;
  std::string etag;  // strong, with its quotes: a hash of the bytes
};

struct PageView {
  const PageBody* body = nullptr;
  std::string_view content_type;
  std::string_view cache_control;
  std::string_view content_encoding;  // "": no such header
  std::string_view vary;              // "": no such header

  // Whether a browser would show it as a document of its own, scripts and all.
  bool is_document() const noexcept {
    return content_type.starts_with("text/html") || content_type.starts_with("image/svg");
  }
};

class Pages {
 public:
  static constexpr std::size_t file_bytes_max = std::size_t{16} << 20;
  static constexpr std::size_t total_bytes_max = std::size_t{64} << 20;

  // Errors name the file: unreadable, or beyond a limit (exhausted).
  static Result<std::shared_ptr<const Pages>> load(const std::string& directory,
                                                   std::size_t file_max = file_bytes_max,
                                                   std::size_t total_max = total_bytes_max);

  // `path` is percent-decoded and begins with '/'; a folder ("/", "/help/") means its index.html.
  // A view without a body: no such page.
  PageView find(std::string_view path, std::string_view accept_encoding) const;

 private:
  struct Page {
    std::string_view content_type;
    std::string_view cache_control;
    std::array<PageBody, content_coding_count> bodies;  // identity is always there
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view path) const noexcept {
      return std::hash<std::string_view>{}(path);
    }
  };

  void add(std::string_view name, ContentCoding coding, PageBody body);

  std::unordered_map<std::string, Page, Hash, std::equal_to<>> pages_;  // by "/path"
};

}  // namespace videosync
