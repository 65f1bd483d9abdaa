// What a session says to a request, as an HTTP answer. Called on the connection's worker, for a
// request that waits for it.
#pragma once

#include "server/session/session_reply.h"

namespace videosync {

class Connection;
class Worker;

void answer_with_session(Worker& worker, Connection& connection,
                         const SessionReply& reply) noexcept;

}  // namespace videosync
