// What every load generator needs of its own process.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/reactor/reactor.h"

namespace videosync::bench {

// Raises the soft limit of descriptors to the hard one; returns it.
std::uint64_t raise_descriptor_limit() noexcept;

// A reactor for this thread, which turns it.
Result<std::unique_ptr<Reactor>> start_reactor(const Clock& clock);

// A non-blocking socket to a server on loopback, or -1 and errno. With room in the listener's
// backlog it is connected already, otherwise what is sent waits for that. What it costs limits the
// joins a second that can be measured: no option is set that those who send one message at a time
// do without (TCP_NODELAY). `receive_bytes`: SO_RCVBUF; 0: the kernel's own.
int connect_to_loopback(std::uint16_t port, int receive_bytes = 0) noexcept;

}  // namespace videosync::bench
