// Routes: which request is answered by what. The public listener's and the internal one's.
//
// Called on the connection's worker with a whole request; answers it, or leaves it waiting for a
// session's home.
#pragma once

namespace videosync {

class Connection;
class Worker;

void route_request(Worker& worker, Connection& connection);
// /healthz, /readyz, /metrics, /debug/sessions.
void route_admin_request(Worker& worker, Connection& connection);

}  // namespace videosync
