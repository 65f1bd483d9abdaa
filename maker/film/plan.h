// Plan: where a film is cut so that its picture can be copied: at key frames, some seconds apart.
//
// Made from the container's index, or, where there is none, by reading the whole film once. All
// runs of the program find the same plan for the same file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "maker/film/film.h"

namespace videosync {

struct Cut {
  std::int64_t mark;      // how its key frame is recognised: see Plan::marks_are_dts
  std::int64_t position;  // in the file, where the index has it; -1: unknown
  std::int64_t start;     // film time, ticks
};

struct Plan {
  std::vector<Cut> cuts;       // at least one; the first one starts at 0
  std::int64_t end = 0;        // of the picture, film time, behind the last start
  bool marks_are_dts = false;  // else pts; in the stream's unit

  std::int64_t start_of(std::size_t segment) const noexcept {
    return segment < cuts.size() ? cuts[segment].start : end;
  }
};

// Nullopt: the container has no index that can be trusted.
std::optional<Plan> plan_by_index(Film& film);
// Reads the film to its end; `film_end`: where its longest track ended.
Plan plan_by_reading(Film& film, std::int64_t& film_end);

// A plan as a file, for the runs that follow.
std::string write_plan(const Plan& plan);
Plan read_plan(const std::string& path);
// So that seeking in a file without an index is as quick as with one.
void teach_index(Film& film, const Plan& plan);

}  // namespace videosync
