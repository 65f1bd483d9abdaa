// /api/sessions and what is below it. Called on the connection's worker; the answer is a reply of
// the session's home.
#pragma once

#include <string_view>

namespace videosync {

class Connection;
class Worker;

// POST /api/sessions.
void create_session(Worker& worker, Connection& connection);
// `rest`: of the path, behind "/api/sessions/".
void route_session(Worker& worker, Connection& connection, std::string_view rest);
// Whether there is a session of that key or code comes as a SessionValidity.
void ask_validity(Worker& worker, Connection& connection, std::string_view name);

}  // namespace videosync
