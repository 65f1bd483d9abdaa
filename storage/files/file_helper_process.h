// What a file helper is: the bodies of the processes that FileHelpers starts.
//
// They run in a copy of the memory as it was at the start and in the very table of descriptors of
// the process that they help, one call after the other, and never return.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "storage/files/file_helpers.h"
#include "storage/files/file_requests.h"

namespace videosync {

// In memory that is shared with the helper that closes.
struct CloseProgress {
  std::atomic<std::uint64_t> closed{0};
};

struct FileHelperProcess {
  void (*body)(const FileHelperProcess& process);
  int channel;              // where its orders come from; of the keeper, what it closes first
  CloseProgress* progress;  // of the helper that closes
  pid_t helped = 0;
  const HelperTerms* terms = nullptr;
};

// In the new process: it does what it is for, and ends.
[[noreturn]] void run_file_helper(FileHelperProcess process, const HelperTerms& terms,
                                  pid_t helped) noexcept;

// The bodies. Requests of a socket; descriptors of a pipe. Both end with the process that they
// help.
void serve_file_requests(const FileHelperProcess& process);
void close_descriptors(const FileHelperProcess& process);
// Waits for the other process's end, however that comes, and then closes what others see of it:
// first its listeners, then the rest.
void keep_descriptors(const FileHelperProcess& process);

}  // namespace videosync
