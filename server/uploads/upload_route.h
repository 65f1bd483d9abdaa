// /api/uploads: films that hosts bring, by tus 1.0.0 (docs/PROTOCOL.md).
//
// Who asks is found out by the session first, by its host token; the UploadKeeper then has the
// word.
// On the connection's worker.
#pragma once

#include <string_view>

#include "proto/http/http_message.h"

namespace videosync {

class Connection;
class Worker;
struct SessionInfo;

inline constexpr std::string_view uploads_path = "/api/uploads";

// Whether its body goes into a file: HttpLimits::is_streamed.
bool is_upload_body(const HttpRequest& request) noexcept;
bool is_upload_request(const Connection& connection) noexcept;
void route_upload(Worker& worker, Connection& connection);
// The session's answer to route_upload().
void on_uploader_known(Worker& worker, Connection& connection, const SessionInfo& info);

}  // namespace videosync
