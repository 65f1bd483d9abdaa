// The way to a WebSocket: /ws, from the handshake to the session that is asked to let it in.
//
// A browser tells its page nothing of a WebSocket that was refused. So a plain GET of the same
// address is judged like the handshake that it is not, and 426 is the answer where all else is
// right.
#pragma once

namespace videosync {

class Connection;
class Worker;
struct SessionInfo;

void route_websocket(Worker& worker, Connection& connection);

// True for who asks by a plain GET whether a WebSocket would be let in.
bool is_join_question(const Connection& connection) noexcept;
// What is left to be said then, once the session is found.
void answer_join_question(Worker& worker, Connection& connection, const SessionInfo& info) noexcept;

}  // namespace videosync
