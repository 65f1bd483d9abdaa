// FormCounts: what the FormMaker does, in numbers. Its thread writes, any thread reads.
#pragma once

#include <atomic>
#include <cstdint>

namespace videosync {

struct FormCounts {
  using Cell = std::atomic<std::uint64_t>;

  // Now:
  Cell pictures{0};     // runs that make pictures
  Cell other_runs{0};   // all else
  Cell waiting{0};      // asks without an answer
  Cell cache_bytes{0};  // of made files
  // Since the start:
  Cell runs{0};            // begun
  Cell segments{0};        // made
  Cell displaced{0};       // runs that gave way to who waited
  Cell files_kept{0};      // files handed out that were there
  Cell files_made{0};      // that were waited for
  Cell told_busy{0};       // asks that were told to come again
  Cell failed_film{0};     // runs that found something wrong with the film
  Cell failed_program{0};  // that crashed or hung
  Cell failed_storage{0};  // that their film's storage did not answer
  Cell failed_cache{0};    // that found no room to write
};

}  // namespace videosync
