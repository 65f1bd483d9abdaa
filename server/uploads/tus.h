// The words of tus 1.0.0 (resumable uploads, https://tus.io/protocols/resumable-upload) in
// requests: core, creation, termination and expiration.
//
// Pure functions, any thread. A fault is what the request is refused with; views in it are
// literals.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/uuid.h"
#include "proto/http/http_message.h"

namespace videosync {

inline constexpr std::string_view tus_version = "1.0.0";
inline constexpr std::string_view tus_extensions = "creation,termination,expiration";

struct UploadCreation {
  std::uint64_t length = 0;  // 1 at least
  Uuid session;
  std::string name;  // of the film's file: upload_file_name()
};

// 412 where the client speaks another version, or none.
std::optional<HttpFault> judge_tus_version(const HttpRequest& request) noexcept;

// Upload-Length and Upload-Metadata, with the keys `filename` and `session`; others do not matter.
std::expected<UploadCreation, HttpFault> read_creation(const HttpRequest& request);

// Upload-Offset of a PATCH, whose Content-Type it judges too.
std::expected<std::uint64_t, HttpFault> read_offset(const HttpRequest& request) noexcept;

// The value of that key, decoded. Nothing: the key is absent, or the field is malformed.
std::optional<std::string> metadata_value(std::string_view metadata, std::string_view key);

// What a film's file is to be called that came under this name: its last part, without what no name
// of a listed file has, cut to a length that file systems take. "": it is no kind of film.
std::string upload_file_name(std::string_view name);

}  // namespace videosync
