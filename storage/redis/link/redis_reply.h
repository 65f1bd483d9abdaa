// RedisReply: an answer of Redis as hiredis has read it, seen through.
//
// Owns nothing: it and its texts are valid only during the callback that it came with. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace videosync {

class RedisReply {
 public:
  enum class Kind : std::uint8_t { nil, integer, text, status, error, array };

  Kind kind() const noexcept;
  std::int64_t integer() const noexcept;   // 0 unless an integer
  std::string_view text() const noexcept;  // of text, status and error; else ""
  std::size_t size() const noexcept;       // of an array; else 0
  RedisReply operator[](std::size_t index) const noexcept;

 private:
  friend class RedisLink;
  friend class RedisWire;
  explicit RedisReply(const void* reply) noexcept : reply_(reply) {}

  const void* reply_;  // hiredis' redisReply
};

}  // namespace videosync
