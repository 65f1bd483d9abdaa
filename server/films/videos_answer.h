// GET /api/videos: the list of videos, all of it or what its query asks for.
//
// Called on the connection's worker, for a request that has not been answered yet.
#pragma once

namespace videosync {

class Connection;
class Worker;

void answer_with_videos(Worker& worker, Connection& connection);

}  // namespace videosync
