// Short codes over HTTP: whose one is, as JSON, and `/r/{code}`, which leads there.
//
// Forty bits could be found by trying, so an address that has tried its fill of unknown ones gets
// 429 for every code: one is counted when it is asked for, and no more when it turns out to be
// somebody's. Called on the connection's worker, for a request that has not been answered yet.
#pragma once

#include <string_view>

#include "core/base/short_code.h"
#include "server/access/forwarded.h"
#include "server/session/session_reply.h"

namespace videosync {

class Connection;
class Worker;

inline constexpr std::string_view code_links_prefix = "/r/";
inline constexpr std::string_view sessions_prefix = "/api/sessions/";

ClientView client_of(Worker& worker, Connection& connection);

void validate_code(Worker& worker, Connection& connection, ShortCode code);
// `/r/...`; `text` is what comes after that.
void route_code(Worker& worker, Connection& connection, std::string_view text);

// Before the answer to either: whether it was one of these, and unknown or not.
void settle_code(Worker& worker, Connection& connection, bool is_unknown) noexcept;
// Whether a session's validity was asked for by a link.
bool is_code_link(const Connection& connection) noexcept;
void answer_code_link(Worker& worker, Connection& connection,
                      const SessionValidity& validity) noexcept;

}  // namespace videosync
