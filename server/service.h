// Service: what all workers share. Made by Program before threads start, destroyed after they end.
//
// Everything here is immutable, atomic, or guards itself. Workers reach each other's threads only
// through Worker::run_on.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/clock.h"
#include "core/base/uuid.h"
#include "proto/session/session_machine.h"
#include "server/access/create_password.h"
#include "server/access/film_sources.h"
#include "server/access/origin_policy.h"
#include "server/access/rate_limiter.h"
#include "server/access/upgrade_advice.h"
#include "server/config/config.h"
#include "server/http/pages.h"
#include "server/http/security_headers.h"
#include "server/metrics/metrics.h"
#include "server/pulse.h"
#include "server/session/ports.h"
#include "server/shared_secret.h"
#include "storage/session_store.h"

namespace videosync {

struct FormCounts;
class Nodes;
class RedisStore;
class StoreClock;
class Worker;

struct Service {
  const Config& config;
  const Clock& clock;
  SessionStore& store;  // on the first worker's thread, if it is shared: else see Worker::store
  Metrics& metrics;
  std::shared_ptr<const Pages> pages;
  OriginPolicy origins;
  FilmSources film_sources{};
  std::string page_policy = content_security_policy({});  // of every page
  SessionMachine::Limits session_limits;
  RateLimiter session_limiter;
  RateLimiter code_limiter;  // of codes that are nobody's
  ConnectionCounter per_address;
  UpgradeAdvice upgrade_advice{};
  RateLimiter password_limiter{{}};  // of wrong ones
  CreatePassword create_password{""};
  SharedSecret secret{};  // signs what browsers are given
  std::vector<Worker*> workers;
  Pulse pulse{config.workers, clock.monotonic_us()};

  // The other nodes; null where no store is shared with any.
  Nodes* nodes = nullptr;
  const RedisStore* redis = nullptr;  // likewise; the first worker's
  const StoreClock* store_clock = nullptr;

  // What is made of films; null where no forms are.
  const FormCounts* form_counts = nullptr;

  std::atomic<std::uint32_t> connections{0};  // public ones that were let in, of all workers
  std::atomic<std::uint32_t> opens_late{0};   // media files that storage has not opened in time
  std::atomic<bool> is_draining{false};
  std::atomic<bool> has_successor{false};  // another process serves where this one did
  std::atomic<bool> is_degraded{false};    // members have been told so

  // The worker whose thread has this session.
  std::size_t worker_of(const Uuid& key) const noexcept {
    return videosync::worker_of(key, workers.size());
  }
};

}  // namespace videosync
