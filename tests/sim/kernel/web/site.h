// Site: pages and films on a real disk, made once a process and read by all its trials. The real
// file helpers open them, so it is made before a kernel is simulated and before processes fork.
#pragma once

#include <memory>
#include <string>

#include "server/films/video_catalog.h"
#include "server/http/pages.h"

namespace videosync::sim {

struct Site {
  std::shared_ptr<const Pages> pages;
  VideoCatalogRef catalog;
};

// This process's own.
const Site& the_site();

}  // namespace videosync::sim
