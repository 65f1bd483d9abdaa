// Redis scripts: what runs inside Redis, one script a change, and how its arguments are laid out.
//
// A session is the hash KEYS[1] with the fields fence, revision, bytes and, where one was written,
// queue; a tombstone has `removed` alone. Fence and revision are 20 digits, so that comparing their
// text compares 64-bit numbers, which Lua's doubles could not. The same arguments for all:
//   1, 2  fence and revision that the caller knows   3, 4  those that it makes
//   5     life in ms   6  the channel   7  bytes   8  queue, "" where it stays as it is
//   9     the event; without it nothing is published   10  how: PUBLISH, unless it is given
// Answers: 1 done, 0 conflict, -1 the key is not there or was removed.
// KEYS[2], where there is one, is its code's hash, whose field `session` is KEYS[1]. That of
// another session is prolonged by a change, too, which does no harm and spares each change a look
// at it.
//
// In a cluster a code's hash is on another server than its session's, so there is no KEYS[2], and
// take_code and release_code are for that. Arguments: 1 KEYS[1] of the session  2 life in ms.
// Answers of take_code: 1 it is the session's, 0 it is another one's.
//
// set_time is about the one hash of the shared time (common_time.h), with the fields version,
// offset and born, in decimals. KEYS[1] is also the channel. Arguments: 1 the version that was
// read, as it was written there, "" for none; 2 to 4 the fields; 5 what is published. Answers: 1
// done, 0 it is another version. read_time reads it and the server's own time: in a cluster, where
// TIME alone, which has no key, would not follow the hash to another server.
#pragma once

#include <string_view>

namespace videosync::redis_scripts {

inline constexpr std::string_view create = R"(
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if KEYS[2] then
  if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
  redis.call('HSET', KEYS[2], 'session', KEYS[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[5])
end
redis.call('HSET', KEYS[1], 'fence', ARGV[3], 'revision', ARGV[4], 'bytes', ARGV[7])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1)";

inline constexpr std::string_view change = R"(
local stored = redis.call('HMGET', KEYS[1], 'fence', 'revision', 'removed')
if stored[3] then return -1 end
if stored[1] and stored[2] and stored[1] .. stored[2] > ARGV[1] .. ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'fence', ARGV[3], 'revision', ARGV[4], 'bytes', ARGV[7])
if ARGV[8] ~= '' then redis.call('HSET', KEYS[1], 'queue', ARGV[8]) end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
if KEYS[2] and redis.call('PEXPIRE', KEYS[2], ARGV[5]) == 0 then
  redis.call('HSET', KEYS[2], 'session', KEYS[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[5])
end
if ARGV[9] then redis.call(ARGV[10] or 'PUBLISH', ARGV[6], ARGV[9]) end
return 1)";

inline constexpr std::string_view touch = R"(
if redis.call('HEXISTS', KEYS[1], 'bytes') == 0 then return -1 end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
if KEYS[2] then redis.call('PEXPIRE', KEYS[2], ARGV[5]) end
return 1)";

inline constexpr std::string_view remove = R"(
local stored = redis.call('HMGET', KEYS[1], 'fence', 'revision', 'removed')
if stored[3] then return -1 end
if stored[1] and stored[2] and stored[1] .. stored[2] > ARGV[1] .. ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
if KEYS[2] and redis.call('HMGET', KEYS[2], 'session')[1] == KEYS[1] then
  redis.call('DEL', KEYS[2])
end
redis.call('HSET', KEYS[1], 'removed', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
if ARGV[9] then redis.call(ARGV[10] or 'PUBLISH', ARGV[6], ARGV[9]) end
return 1)";

inline constexpr std::string_view take_code = R"(
local stored = redis.call('HMGET', KEYS[1], 'session')[1]
if stored and stored ~= ARGV[1] then return 0 end
if not stored then redis.call('HSET', KEYS[1], 'session', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1)";

inline constexpr std::string_view release_code = R"(
if redis.call('HMGET', KEYS[1], 'session')[1] == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1)";

inline constexpr std::string_view read_time = R"(
return {redis.call('TIME'), redis.call('HMGET', KEYS[1], 'version', 'offset', 'born')})";

inline constexpr std::string_view set_time = R"(
local stored = redis.call('HMGET', KEYS[1], 'version')
if (stored[1] or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'offset', ARGV[3], 'born', ARGV[4])
redis.call('PUBLISH', KEYS[1], ARGV[5])
return 1)";

}  // namespace videosync::redis_scripts
