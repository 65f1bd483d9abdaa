// The operator's password over HTTP: saying it, and being refused without it.
#pragma once

namespace videosync {

class Connection;
class Worker;

// POST /api/password, with `Authorization: Basic`: a cookie for whoever knows it.
void route_password(Worker& worker, Connection& connection);
// Answers where the request may not make sessions or list the library.
bool refuse_without_password(Worker& worker, Connection& connection);

}  // namespace videosync
