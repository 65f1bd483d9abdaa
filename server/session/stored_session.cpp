#include "server/session/stored_session.h"

#include "core/base/assert.h"
#include "core/base/byte_codec.h"

namespace videosync {

namespace {

constexpr std::size_t record_bytes_max = 8 * 1024;

// However much a home has refused, it can tell of it.
static_assert(StoredSession::heard_max *
                      (25 + node::Heard::refused_max * (12 + node::refusal_bytes_max)) +
                  record_bytes_max <
              stored_session_bytes_max);
static_assert(2 * SessionRecord::video_bytes_max <= record_bytes_max);

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
  if (bytes.size() > stored_session_bytes_max) {
    return fail(ErrorCode::corrupt, "stored session: too long");
  }
  ByteReader in(bytes);
  StoredSession session;
  in.get_raw(session.home.bytes);
  const auto count = in.get<std::uint8_t>();
  in.require(count <= StoredSession::heard_max);
  for (std::uint8_t i = 0; i < count && in.ok(); ++i) {
    node::Heard& heard = session.heard.emplace_back();
    in.get_raw(heard.node.bytes);
    in.require(heard.node != Uuid{});
    heard.number = in.get<std::uint64_t>();
    in.require(heard.number <= count_max);
    const auto refused_count = in.get<std::uint8_t>();
    in.require(refused_count <= node::Heard::refused_max);
    for (std::uint8_t k = 0; k < refused_count && in.ok(); ++k) {
      node::Refused& refused = heard.refused.emplace_back();
      refused.number = in.get<std::uint64_t>();
      refused.text = in.get_text(node::refusal_bytes_max);
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
