#include "server/session/stored_session.h"

#include "core/base/assert.h"
#include "core/base/byte_codec.h"

namespace videosync {

namespace {

constexpr std::size_t record_bytes_max = 64 * 1024;

}  // namespace

std::string encode(const StoredSession& session) {
  VS_ASSERT(session.heard.size() <= StoredSession::heard_max);
  ByteWriter out;
  out.put_raw(session.home.bytes);
  out.put(static_cast<std::uint8_t>(session.heard.size()));
  for (const node::Heard& heard : session.heard) {
    out.put_raw(heard.node.bytes);
    out.put(heard.number);
    VS_ASSERT(heard.refused.size() <= node::Heard::refused_max);
    out.put(static_cast<std::uint8_t>(heard.refused.size()));
    for (const node::Refused& refused : heard.refused) {
      out.put(refused.number);
      out.put_text(refused.text);
    }
  }
  out.put_text(encode(session.record));
  return out.take_bytes();
}

Result<StoredSession> decode_stored_session(std::string_view bytes) {
  ByteReader in(bytes);
  StoredSession session;
  in.get_raw(session.home.bytes);
  const auto count = in.get<std::uint8_t>();
  in.require(count <= StoredSession::heard_max);
  for (std::uint8_t i = 0; i < count && in.ok(); ++i) {
    node::Heard& heard = session.heard.emplace_back();
    in.get_raw(heard.node.bytes);
    heard.number = in.get<std::uint64_t>();
    const auto refused_count = in.get<std::uint8_t>();
    in.require(refused_count <= node::Heard::refused_max);
    for (std::uint8_t k = 0; k < refused_count && in.ok(); ++k) {
      node::Refused& refused = heard.refused.emplace_back();
      refused.number = in.get<std::uint64_t>();
      refused.text = in.get_text(node::text_bytes_max);
    }
  }
  const std::string record_bytes = in.get_bytes(record_bytes_max);
  if (!in.ok() || !in.at_end()) return fail(ErrorCode::corrupt, "stored session: cut or too long");
  auto record = decode_session_record(record_bytes);
  if (!record) return std::unexpected(std::move(record.error()));
  session.record = std::move(*record);
  return session;
}

}  // namespace videosync
