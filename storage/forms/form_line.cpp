#include "storage/forms/form_line.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

std::string form_path(const std::string& film, const FormFile& file) {
  return fmt::format("{}/{}/{}", film, file.rendition.folder(), file.name());
}

void FormLine::add(FormWaiting waiting) {
  VS_ASSERT(waiting.desk != nullptr && !waiting.has_answer);
  const std::int64_t now_ms = waiting.asked_ms;
  waiting.path = form_path(waiting.film, waiting.file);
  Wanted& wanted = wanted_.try_emplace(waiting.path, now_ms, now_ms).first->second;
  if (now_ms - wanted.last_ms > kept_place_ms) wanted.since_ms = now_ms;
  wanted.last_ms = now_ms;
  waiting.wanted_ms = wanted.since_ms;
  const auto behind =
      std::ranges::upper_bound(waiting_, waiting.wanted_ms, {}, &FormWaiting::wanted_ms);
  waiting_.insert(behind, std::move(waiting));
}

std::optional<FormWaiting> FormLine::remove(const FormDesk* desk, std::uint64_t number) {
  const auto found = std::ranges::find_if(
      waiting_, [&](const FormWaiting& one) { return one.desk == desk && one.number == number; });
  if (found == waiting_.end()) return std::nullopt;
  FormWaiting removed = std::move(*found);
  waiting_.erase(found);
  return removed;
}

// Who waits still wants it.
void FormLine::forget(std::int64_t now_ms) {
  for (const FormWaiting& one : waiting_) {
    const auto wanted = wanted_.find(one.path);
    if (wanted != wanted_.end()) wanted->second.last_ms = now_ms;
  }
  std::erase_if(wanted_,
                [&](const auto& one) { return now_ms - one.second.last_ms > kept_place_ms; });
}

}  // namespace videosync
