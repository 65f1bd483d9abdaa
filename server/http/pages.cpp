#include "server/http/pages.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/base/unique_fd.h"
#include "server/digest.h"
#include "storage/files/open_beneath.h"
#include "storage/names/content_type.h"

namespace videosync {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 4096;
constexpr std::string_view revalidate = "no-cache";
constexpr std::string_view keep_for_good = "public, max-age=31536000, immutable";

// The regular files below the directory, as "js/app.js".
Result<std::set<std::string>> list_files(const std::string& directory) {
  std::set<std::string> names;
  std::error_code error;
  fs::recursive_directory_iterator item(directory, error);
  for (; !error && item != fs::recursive_directory_iterator(); item.increment(error)) {
    if (item->path().filename().native().starts_with('.')) {
      item.disable_recursion_pending();
      continue;
    }
    const fs::file_status status = item->symlink_status(error);
    if (error) break;
    if (!fs::is_regular_file(status)) continue;
    names.insert(item->path().lexically_relative(directory).generic_string());
    if (names.size() > files_max) {
      return fail(ErrorCode::exhausted,
                  fmt::format("{} holds more than {} files", directory, files_max));
    }
  }
  if (error) return fail_errno("read the pages in " + directory, error.value());
  return names;
}

// "app.js.br" is the br form of "app.js"; any other name is itself.
std::pair<std::string_view, ContentCoding> split_coding(std::string_view name) {
  if (name.ends_with(".br")) return {name.substr(0, name.size() - 3), ContentCoding::br};
  if (name.ends_with(".gz")) return {name.substr(0, name.size() - 3), ContentCoding::gzip};
  return {name, ContentCoding::identity};
}

// Whether the name carries a hash of its content ("app.3f9c2b7e.js", "app-3f9c2b7e.js"): at least
// eight lower-case hex digits, letters and figures both, so that neither a word nor a date is one.
bool is_hashed_name(std::string_view name) {
  const std::string_view stem = name.substr(0, name.rfind('.'));
  const std::size_t separator = stem.find_last_of(".-");
  if (separator == std::string_view::npos) return false;
  const std::string_view hash = stem.substr(separator + 1);
  const bool hex = hash.find_first_not_of(hex_digits) == std::string_view::npos;
  return hash.size() >= 8 && hex && hash.find_first_of("0123456789") != std::string_view::npos &&
         hash.find_first_of("abcdef") != std::string_view::npos;
}

Result<PageBody> read_body(const std::string& name, int fd, std::uint64_t size) {
  PageBody body{BufferRef::allocate(size), {}};
  const std::span<std::uint8_t> bytes = body.bytes.mutable_bytes();
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t n =
        ::pread(fd, bytes.data() + filled, bytes.size() - filled, static_cast<off_t>(filled));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read the page " + name, errno);
    if (n == 0) return fail(ErrorCode::io, "the page " + name + " shrank while it was read");
    filled += static_cast<std::size_t>(n);
  }
  body.etag = entity_tag({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return body;
}

}  // namespace

Result<std::shared_ptr<const Pages>> Pages::load(const std::string& directory, std::size_t file_max,
                                                 std::size_t total_max) {
  const UniqueFd folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail_errno("open the folder of pages " + directory, errno);
  const Result<std::set<std::string>> names = list_files(directory);
  if (!names) return std::unexpected(names.error());

  auto pages = std::make_shared<Pages>();
  std::size_t total = 0;
  for (const std::string& name : *names) {
    const auto [base, coding] = split_coding(name);
    // The set is in order, so a page precedes its siblings; a form without its page is none.
    const bool is_form = coding != ContentCoding::identity;
    if (is_form && !pages->pages_.contains("/" + std::string(base))) continue;
    const OpenedFile opened = open_beneath(folder.get(), name.c_str());
    if (!opened.descriptor) return open_failure(name, opened.error);
    const std::uint64_t size = opened.facts.size;
    if (size > file_max) {
      return fail(ErrorCode::exhausted,
                  fmt::format("the page {} has {} bytes, more than {}", name, size, file_max));
    }
    total += size;
    if (total > total_max) {
      return fail(ErrorCode::exhausted,
                  fmt::format("the pages in {} have more than {} bytes, at {}", directory,
                              total_max, name));
    }
    Result<PageBody> body = read_body(name, opened.descriptor.get(), size);
    if (!body) return std::unexpected(body.error());
    pages->add(base, coding, std::move(*body));
  }
  return pages;
}

void Pages::add(std::string_view name, ContentCoding coding, PageBody body) {
  Page& page = pages_["/" + std::string(name)];
  page.content_type = content_type_of(name);
  page.cache_control = is_hashed_name(name) ? keep_for_good : revalidate;
  page.bodies[static_cast<std::size_t>(coding)] = std::move(body);
}

PageView Pages::find(std::string_view path, std::string_view accept_encoding) const {
  const auto found =
      path.ends_with('/') ? pages_.find(std::string(path) + "index.html") : pages_.find(path);
  if (found == pages_.end()) return {};
  const Page& page = found->second;
  const auto has = [&](ContentCoding coding) {
    return static_cast<bool>(page.bodies[static_cast<std::size_t>(coding)].bytes);
  };
  const bool has_br = has(ContentCoding::br);
  const bool has_gzip = has(ContentCoding::gzip);
  const ContentCoding coding = choose_coding(accept_encoding, has_br, has_gzip);
  return {&page.bodies[static_cast<std::size_t>(coding)], page.content_type, page.cache_control,
          to_header_value(coding),
          has_br || has_gzip ? std::string_view("Accept-Encoding") : std::string_view()};
}

}  // namespace videosync
