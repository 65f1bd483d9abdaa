// Routes: which request is answered by what. The public listener's and the internal one's.
//
// Called on the peer's worker with a whole request; answers it, or leaves it waiting for a
// session's home.
#pragma once

namespace videosync {

class Peer;
class Worker;

void route_request(Worker& worker, Peer& peer);
// /healthz, /readyz, /metrics.
void route_admin_request(Worker& worker, Peer& peer);

}  // namespace videosync
