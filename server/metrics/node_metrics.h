// Node metrics: what a node that shares a store with others knows of the store and of them, as text
// for Prometheus.
#pragma once

#include <string>

namespace videosync {

struct Service;

// Empty where no store is shared. On the first worker's thread, on which the store lives and the
// internal listener, too. How long Redis and the way between nodes take is in Metrics.
std::string render_node_metrics(const Service& service);

}  // namespace videosync
