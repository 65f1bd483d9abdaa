// Fuzzes what a Redis answers: the protocol as hiredis reads it, CLUSTER SLOTS, and what servers of
// a cluster say to whoever asks the wrong one.
//
// The first byte: where the bytes are cut; the rest: what comes on the connection. Fed in two parts
// it is what it is in one.
//
// Reads: storage/redis/cluster/cluster_map.cpp, storage/redis/link/redis_reply.cpp
#include <hiredis/hiredis.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "storage/redis/cluster/cluster_map.h"
#include "storage/redis/link/redis_reply.h"
#include "tests/fuzz/support/fuzz_lines.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

const RedisAddress asked{.host = "asked", .port = 1, .user = "u", .password = "p", .is_tls = true};

// All that can be seen of it.
void describe(const RedisReply& reply, std::string& out) {
  out +=
      std::to_string(static_cast<int>(reply.kind())) + ":" + std::to_string(reply.integer()) + ":";
  out += reply.text();
  out += "[";
  for (std::size_t i = 0; i < reply.size(); ++i)
    describe(reply[i], out);
  out += "]";
}

void check_map(const RedisReply& reply) {
  const auto map = ClusterMap::read(reply, asked);
  if (!map) {
    VS_ASSERT(map.error().code == ErrorCode::corrupt || map.error().code == ErrorCode::unavailable);
    return;
  }
  const std::vector<RedisAddress>& primaries = map->primaries();
  VS_ASSERT(!primaries.empty() && primaries.size() <= ClusterMap::primaries_max + 1);
  for (const RedisAddress& primary : primaries) {
    VS_ASSERT(primary.port > 0 && !primary.host.empty() && primary.password == asked.password);
    VS_ASSERT(primary.is_tls && std::ranges::count(primaries, primary) == 1);
  }
  std::size_t owned = 0;
  for (std::uint16_t slot = 0; slot < key_slots; ++slot) {
    const std::uint16_t owner = map->owner(slot);
    VS_ASSERT(owner == ClusterMap::nobody || owner < primaries.size());
    owned += owner == ClusterMap::nobody ? 0 : 1;
  }
  VS_ASSERT(owned > 0);
}

void check_redirection(std::string_view error) {
  const auto to = Redirection::parse(error);
  if (!to) return;
  VS_ASSERT(to->slot < key_slots && to->port > 0 && error.find(to->host) != error.npos);
  const std::string again = std::string(to->is_ask ? "ASK " : "MOVED ") + std::to_string(to->slot) +
                            " " + to->host + ":" + std::to_string(to->port);
  const auto same = Redirection::parse(again);
  VS_ASSERT(same && same->host == to->host && same->slot == to->slot && same->port == to->port);
}

struct Seen {
  std::string story;
  std::size_t replies = 0;
};

void take_replies(redisReader* reader, bool is_first, Seen& seen) {
  for (void* raw = nullptr; redisReaderGetReply(reader, &raw) == REDIS_OK && raw != nullptr;) {
    const std::unique_ptr<void, void (*)(void*)> owned(raw, freeReplyObject);
    // Only RedisWire and RedisLink make one; it is a pointer, and no more.
    const auto reply = std::bit_cast<RedisReply>(static_cast<const void*>(raw));
    describe(reply, seen.story);
    ++seen.replies;
    raw = nullptr;
    if (!is_first) continue;
    check_map(reply);
    check_redirection(reply.text());
  }
}

Seen read_all(std::string_view first, std::string_view second, bool is_first) {
  const std::unique_ptr<redisReader, void (*)(redisReader*)> reader(redisReaderCreate(),
                                                                    redisReaderFree);
  Seen seen;
  for (const std::string_view part : {first, second}) {
    if (redisReaderFeed(reader.get(), part.data(), part.size()) != REDIS_OK) break;
    take_replies(reader.get(), is_first, seen);
  }
  return seen;
}

// hiredis makes room for as many parts as an array is said to have, before the first is there: a
// Redis that wants our memory has other ways to it.
bool has_huge_array(std::string_view bytes) {
  constexpr std::size_t digits_max = 5;
  for (std::size_t star = bytes.find('*'); star != bytes.npos; star = bytes.find('*', star + 1)) {
    std::size_t digits = 0;
    while (star + 1 + digits < bytes.size() && is_digit(bytes[star + 1 + digits]))
      ++digits;
    if (digits > digits_max) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes = text_of(data + 1, size - 1);
  if (has_huge_array(bytes)) return 0;
  const std::size_t cut = data[0] * bytes.size() / 256;
  const Seen whole = read_all(bytes, {}, true);
  const Seen parts = read_all(bytes.substr(0, cut), bytes.substr(cut), false);
  VS_ASSERT(whole.replies == parts.replies && whole.story == parts.story);
  check_redirection(bytes);
  return 0;
}
