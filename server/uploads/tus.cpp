#include "server/uploads/tus.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/utf8.h"
#include "server/digest.h"
#include "storage/names/library_names.h"

namespace videosync {

namespace {

constexpr std::size_t stem_bytes_max = 180;  // of the 255 that a name may have

constexpr HttpFault other_version{412, "precondition_failed",
                                  "send Tus-Resumable: 1.0.0, the only version spoken here"};
constexpr HttpFault no_length{400, "bad_request", "Upload-Length is a number of bytes, 1 or more"};
constexpr HttpFault deferred{400, "bad_request",
                             "say Upload-Length at once: it cannot be told later here"};
constexpr HttpFault no_metadata{
    400, "bad_request", "Upload-Metadata has filename and session, each with its value in base64"};
constexpr HttpFault no_session{400, "bad_request",
                               "session in Upload-Metadata is no session's key"};
constexpr HttpFault no_film{400, "not_a_film",
                            "the file's name does not end as that of a film (such as .mp4)"};
constexpr HttpFault no_offset{400, "bad_request", "Upload-Offset is a number of bytes"};
constexpr HttpFault other_type{415, "unsupported_media_type",
                               "send Content-Type: application/offset+octet-stream"};

std::optional<std::uint64_t> number_of(const HttpRequest& request,
                                       std::string_view field) noexcept {
  if (request.count(field) != 1) return std::nullopt;
  return parse_decimal<std::uint64_t>(request.header(field));
}

}  // namespace

std::optional<HttpFault> judge_tus_version(const HttpRequest& request) noexcept {
  if (request.header("Tus-Resumable") == tus_version) return std::nullopt;
  return other_version;
}

std::expected<UploadCreation, HttpFault> read_creation(const HttpRequest& request) {
  if (request.has_header("Upload-Defer-Length")) return std::unexpected(deferred);
  const auto length = number_of(request, "Upload-Length");
  if (!length || *length == 0) return std::unexpected(no_length);
  const std::string_view metadata = request.header("Upload-Metadata");
  const auto name = metadata_value(metadata, "filename");
  const auto session = metadata_value(metadata, "session");
  if (!name || !session) return std::unexpected(no_metadata);
  const auto key = Uuid::parse_v4(*session);
  if (!key) return std::unexpected(no_session);
  UploadCreation creation{*length, *key, upload_file_name(*name)};
  if (creation.name.empty()) return std::unexpected(no_film);
  return creation;
}

std::expected<std::uint64_t, HttpFault> read_offset(const HttpRequest& request) noexcept {
  if (!equals_ignoring_case(request.header("Content-Type"), "application/offset+octet-stream")) {
    return std::unexpected(other_type);
  }
  const auto offset = number_of(request, "Upload-Offset");
  if (!offset) return std::unexpected(no_offset);
  return *offset;
}

std::optional<std::string> metadata_value(std::string_view metadata, std::string_view key) {
  std::optional<std::string> found;
  while (!metadata.empty()) {
    const std::string_view pair = take_list_element(metadata);
    const std::size_t blank = pair.find(' ');
    if (pair.substr(0, blank) != key) continue;
    const bool has_value = blank != pair.npos;
    if (found) return std::nullopt;  // twice: nobody knows which one is meant
    found = decode_base64(has_value ? trim(pair.substr(blank), http_blanks) : std::string_view{});
    if (!found) return std::nullopt;
  }
  return found;
}

std::string upload_file_name(std::string_view name) {
  if (!is_valid_utf8(name)) return {};
  if (const std::size_t slash = name.find_last_of("/\\"); slash != name.npos) {
    name.remove_prefix(slash + 1);
  }
  if (!is_kind(name, video_kinds)) return {};
  std::string stem;
  for (const char c : trim(stem_of(name), " ."))
    stem += is_control_byte(c) ? ' ' : c;
  stem = trim(utf8_prefix(stem, stem_bytes_max), " .");
  if (stem.empty()) stem = "film";
  return stem + '.' + std::string(extension_of(name));
}

}  // namespace videosync
