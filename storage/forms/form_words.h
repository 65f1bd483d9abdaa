// What videosync-media is told to do for a job. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/forms/form_runs.h"

namespace videosync {

struct WordsFor {
  std::string folder;          // of the film, in the cache
  std::int64_t end_ticks = 0;  // of the film; of a stretch
  std::uint32_t threads = 1;   // of making a picture
};

// The verb, and what follows the input.
std::vector<std::string> words_for(const FormJob& job, const WordsFor& with);

}  // namespace videosync
