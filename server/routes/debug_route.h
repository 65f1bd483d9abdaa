// GET /debug/sessions of the internal listener: what sessions this node has, for an operator's
// eyes. Keys are shortened, since whoever has one can join; and only this machine is told. On the
// connection's worker.
#pragma once

namespace videosync {

class Connection;
class Worker;

void route_debug_sessions(Worker& worker, Connection& connection);

}  // namespace videosync
