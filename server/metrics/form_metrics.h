// Form metrics: what is made of films, as text for Prometheus.
#pragma once

#include <string>

namespace videosync {

struct Service;

// Empty where no forms are made. Any thread.
std::string render_form_metrics(const Service& service);

}  // namespace videosync
