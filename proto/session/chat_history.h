// ChatHistory: the latest of what was said in a session, for who comes later.
//
// Lines by their ids, oldest first. An id is server time, or one more than the one before, so
// what is said in another place goes on above it; each line is in it once, whoever tells of it and
// how often. At most lines_max lines and bytes_max bytes: the oldest go, and are known to have been
// here. In memory alone, nothing of it is stored. One thread; plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "proto/session/session_values.h"

namespace videosync {

class ChatHistory {
 public:
  static constexpr std::size_t lines_max = 100;
  static constexpr std::size_t bytes_max = 32 * 1024;  // so that all of it fits who reads nothing

  bool empty() const noexcept { return lines_.empty(); }
  const std::deque<ChatLine>& lines() const noexcept { return lines_; }
  // 0: nothing was ever said here.
  std::uint64_t newest() const noexcept { return newest_; }
  // Of what is said now.
  std::uint64_t next_id(std::int64_t now_us) const noexcept;

  // False: it was here before.
  bool add(ChatLine line);
  // Those above `id`, at most the newest `newest_max`.
  std::vector<ChatLine> after(std::uint64_t id, std::size_t newest_max = lines_max) const;

 private:
  static std::size_t bytes_of(const ChatLine& line) noexcept;

  std::deque<ChatLine> lines_;
  std::size_t bytes_ = 0;
  std::uint64_t newest_ = 0;
  std::uint64_t forgotten_ = 0;  // the newest that has gone for want of room
};

}  // namespace videosync
