#include "proto/session/chat_history.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/assert.h"
#include "core/base/json_text.h"

namespace videosync {

// As it is told, or somewhat more.
std::size_t ChatHistory::bytes_of(const ChatLine& line) noexcept {
  constexpr std::size_t around = 120;
  std::size_t bytes = around;
  for (const std::string_view text : {std::string_view(line.name), std::string_view(line.text)})
    for (const char c : text)
      bytes += must_escape_in_json(c) ? JsonEscape(c).view().size() : 1;
  return bytes;
}

std::uint64_t ChatHistory::next_id(std::int64_t now_us) const noexcept {
  const auto now = static_cast<std::uint64_t>(std::max<std::int64_t>(now_us, 1));
  return std::max(now, newest_ + 1);
}

bool ChatHistory::add(ChatLine line) {
  VS_ASSERT(line.id > 0);
  if (line.id <= forgotten_) return false;
  const auto place = std::ranges::lower_bound(lines_, line.id, {}, &ChatLine::id);
  if (place != lines_.end() && place->id == line.id) return false;
  newest_ = std::max(newest_, line.id);
  bytes_ += bytes_of(line);
  lines_.insert(place, std::move(line));
  while (lines_.size() > lines_max || bytes_ > bytes_max) {
    bytes_ -= bytes_of(lines_.front());
    forgotten_ = lines_.front().id;
    lines_.pop_front();
  }
  VS_ASSERT(lines_.empty() == (bytes_ == 0));
  return true;
}

std::vector<ChatLine> ChatHistory::after(std::uint64_t id, std::size_t newest_max) const {
  auto first = std::ranges::upper_bound(lines_, id, {}, &ChatLine::id);
  const auto count = static_cast<std::size_t>(lines_.end() - first);
  if (count > newest_max) first += static_cast<std::ptrdiff_t>(count - newest_max);
  return {first, lines_.end()};
}

}  // namespace videosync
