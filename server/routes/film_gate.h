// Who may have films and what belongs to them, where the operator asks for a password
// (--create-password): whoever has said it, and whoever knows a session.
//
// That one knows it shows by its key or code: `?session=` on the request for what has no cookies,
// or once, to be told of the session, for a cookie that counts a week from then. It is not bound to
// that session: who may watch could as well be handed the file.
#pragma once

#include <optional>
#include <string>

namespace videosync {

class Connection;
class Worker;

// Where it may not go on now: answers, or asks for the session that it names, whose validity then
// comes back as a reply to this request.
bool refuse_film(Worker& worker, Connection& connection);
// For Set-Cookie, to whoever has named a session. Nothing: none is needed.
std::optional<std::string> viewing_cookie(Worker& worker, Connection& connection);

}  // namespace videosync
