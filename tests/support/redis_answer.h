// What Redis answered, as a text that a test can compare.
#pragma once

#include <string>

#include "core/base/error.h"
#include "storage/redis/link/redis_link.h"

namespace videosync::test {

// The text or the number; "!" and the words where there is none.
inline std::string text_of(const Result<RedisReply>& reply) {
  if (!reply) return "!" + reply.error().message;
  if (reply->kind() == RedisReply::Kind::integer) return std::to_string(reply->integer());
  return std::string(reply->text());
}

}  // namespace videosync::test
