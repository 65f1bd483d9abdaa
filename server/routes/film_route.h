// Films and what belongs to them: /api/video, /media/... and /forms/...; who may have them,
// film_gate.h says. Called on the connection's worker; answers, or leaves the request waiting for a
// session.
#pragma once

#include "server/session/session_reply.h"
#include "storage/library/media_library.h"

namespace videosync {

class Connection;
class Worker;

bool is_film_request(const Connection& connection) noexcept;
// REQUIRES such a one.
void route_film(Worker& worker, Connection& connection);
// Null: 404. A video that exists as HLS alone: a redirect to its playlist.
void answer_with_video(Worker& worker, Connection& connection, const VideoEntry* video);
// What the session that the request names has said: it goes on, or is refused.
void go_on_with_film(Worker& worker, Connection& connection,
                     const SessionValidity& validity) noexcept;

}  // namespace videosync
