// Fuzzes films: what a container's index, its tracks and its key frames say, and what is told of
// them. libav* itself is not instrumented; what is looked for is what this project makes of its
// answers.
//
// All of the input is the film's file. A plan rises from 0 and ends behind its last cut; the server
// understands the plan and the description; reading the film finds a plan of the same kind.
//
// Reads: maker/describe.cpp, maker/film/film.cpp, maker/film/key_frames.cpp, maker/film/plan.cpp
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/unique_fd.h"
#include "core/base/utf8.h"
#include "maker/describe.h"
#include "maker/film/film.h"
#include "maker/film/plan.h"
#include "storage/library/film_facts.h"
#include "tests/fuzz/support/fuzz_lines.h"

extern "C" {
#include <libavutil/log.h>
}

using namespace videosync;
using namespace videosync::fuzz;

namespace {

void check_plan(const Plan& plan) {
  VS_ASSERT(!plan.cuts.empty() && plan.cuts.front().start == 0);
  for (std::size_t i = 1; i < plan.cuts.size(); ++i)
    VS_ASSERT(plan.cuts[i].start > plan.cuts[i - 1].start);
  VS_ASSERT(plan.end > plan.cuts.back().start);
  const auto read = parse_film_plan(write_plan(plan));
  VS_ASSERT(read && read->starts.size() == plan.cuts.size() && read->end == plan.end);
}

void look_into(const std::string& path) {
  Film film(path);
  const Survey found = survey(film);
  if (found.plan) check_plan(*found.plan);
  VS_ASSERT(!found.film_end || *found.film_end >= 0);
  const std::string told = describe(film, found);
  VS_ASSERT(is_valid_utf8(told));
  const auto facts = parse_film_facts(told);
  VS_ASSERT(facts && facts->picture.has_value() == (film.video() != nullptr));
  if (facts->picture) VS_ASSERT(facts->picture->width >= 0 && facts->picture->height >= 0);
  VS_ASSERT(facts->sound.size() == film.all(AVMEDIA_TYPE_AUDIO).size());
}

void read_all(const std::string& path) {
  Film film(path);
  std::int64_t film_end = 0;
  const Plan plan = plan_by_reading(film, film_end);
  check_plan(plan);
  teach_index(film, plan);
  film.seek_before(film.needed_video(), plan.cuts.back().mark);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  av_log_set_level(AV_LOG_QUIET);
  const UniqueFd file(::memfd_create("film", MFD_CLOEXEC));
  VS_ASSERT(file && ::write(file.get(), data, size) == ssize_t(size));
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  for (const auto look : {look_into, read_all}) {
    try {
      look(path);
    } catch (const Fault&) {
      // It is no film, or has nothing that could be shown.
    } catch (const std::bad_alloc&) {
      // libav* has a bound of its own.
    }
  }
  return 0;
}
