// Where this program is installed: what it needs beside it, and where it may keep what it makes.
// Pure but for a look at the disk and the environment; any thread, before any is started.
#pragma once

#include <string>

#include "server/config/config.h"

namespace videosync {

// The pages beside the binary, unless the operator names others.
std::string pages_directory(const Config& config);
// videosync-media: beside this one, where the build and the installation put it, else in PATH.
std::string media_program();
// Where made pictures and forms are kept: as the operator says, where systemd's CacheDirectory=
// says, or among the user's other caches. "": nowhere.
std::string cache_directory(const Config& config);

}  // namespace videosync
