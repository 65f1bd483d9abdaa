// Confinement: what this process gives up once it has what it needs, so that whoever takes it over
// has little of the machine.
//
// Of files it keeps by name (Landlock): the pages, to read; the cache, uploads, the state's folder
// and those of its sockets, to write; with a Redis what finds its name and its certificate. Not the
// library, which file helpers open, and no program, which the spawner starts. Of system calls
// (SyscallFilter) those that it makes: no programs, no processes, no rings, nothing of other
// processes but signals, no listening, and without a Redis no sockets at all. Its rings keep to
// their operations by themselves (Ring), for a filter does not see what goes through them.
//
// In two steps, because Landlock is each thread's own, and the filter can be given to all: the
// first is made in main before there are threads, the second when all listens.
#pragma once

#include <optional>
#include <string>

#include "core/base/error.h"
#include "server/config/config.h"
#include "server/succession/successor.h"
#include "storage/files/file_helpers.h"

namespace videosync {

class Confinement {
 public:
  explicit Confinement(const Config& config);

  // For the helpers, and for the programs that they start. `environment`: for a successor, besides
  // this process's own.
  HelperTerms terms(const Launch& launch, std::vector<std::string> environment) const;

  // Makes the cache's folder, if need be: a rule is of what is there. Errors: unsupported, where it
  // is required and cannot be had.
  Result<> restrict_files();
  // All threads' calls; says once in the log what this process has given up. Errors: as above.
  Result<> filter_calls();

 private:
  bool is_wanted() const noexcept;
  Result<> note_missing(std::string what, const Error& why);

  const Config& config_;
  std::string files_ = "all";  // for the log
  std::string missing_;        // what could not be given up, and why
};

}  // namespace videosync
