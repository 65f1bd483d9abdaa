// Any bytes as a node's message: refused, or exactly the bytes that their meaning encodes to.
//
// Reads: proto/wire/node_messages.cpp
#include <cstdint>
#include <string_view>

#include "core/base/assert.h"
#include "proto/wire/node_messages.h"

using namespace videosync;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto decoded = node::decode(bytes);
  if (!decoded) {
    VS_ASSERT(decoded.error().code == ErrorCode::corrupt);
    return 0;
  }
  VS_ASSERT(encode(*decoded) == bytes);
  return 0;
}
