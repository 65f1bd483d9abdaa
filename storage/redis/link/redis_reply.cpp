#include "storage/redis/link/redis_reply.h"

#include <hiredis/hiredis.h>

#include "core/base/assert.h"

namespace videosync {

namespace {

const redisReply* as_reply(const void* reply) noexcept {
  return static_cast<const redisReply*>(reply);
}

}  // namespace

RedisReply::Kind RedisReply::kind() const noexcept {
  switch (as_reply(reply_)->type) {
    case REDIS_REPLY_INTEGER:
      return Kind::integer;
    case REDIS_REPLY_STRING:
      return Kind::text;
    case REDIS_REPLY_STATUS:
      return Kind::status;
    case REDIS_REPLY_ERROR:
      return Kind::error;
    case REDIS_REPLY_ARRAY:
      return Kind::array;
    default:
      return Kind::nil;
  }
}

std::int64_t RedisReply::integer() const noexcept {
  return kind() == Kind::integer ? as_reply(reply_)->integer : 0;
}

std::string_view RedisReply::text() const noexcept {
  const Kind is = kind();
  const bool has_text = is == Kind::text || is == Kind::status || is == Kind::error;
  if (!has_text) return {};
  return {as_reply(reply_)->str, static_cast<std::size_t>(as_reply(reply_)->len)};
}

std::size_t RedisReply::size() const noexcept {
  return kind() == Kind::array ? as_reply(reply_)->elements : 0;
}

RedisReply RedisReply::operator[](std::size_t index) const noexcept {
  VS_ASSERT(index < size());
  return RedisReply(as_reply(reply_)->element[index]);
}

}  // namespace videosync
