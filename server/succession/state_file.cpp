#include "server/succession/state_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <span>
#include <utility>

#include "core/base/assert.h"
#include "core/base/byte_codec.h"
#include "core/base/log.h"
#include "core/base/unique_fd.h"
#include "proto/session/chat_history.h"
#include "server/digest.h"

namespace videosync {

namespace {

constexpr std::string_view first_line = "videosync sessions 2\n";
constexpr std::size_t digest_bytes = 34;  // as entity_tag() gives it
constexpr std::size_t value_bytes_max = std::numeric_limits<std::uint32_t>::max() - 1;
constexpr std::size_t path_bytes_max = 4'096;
constexpr std::size_t chat_bytes_max = ChatHistory::bytes_max;

void put_members(ByteWriter& writer, const std::vector<SessionMachine::KnownMember>& members) {
  writer.put(static_cast<std::uint32_t>(members.size()));
  for (const SessionMachine::KnownMember& member : members) {
    writer.put(member.id.value);
    writer.put_text(member.name);
    writer.put(member.browser.value);
  }
}

void put_session(ByteWriter& writer, const SavedSession& session) {
  const MemoryStore::Kept& kept = session.kept;
  writer.put_raw(kept.name.key.bytes);
  writer.put(kept.name.code.value);
  writer.put(kept.value.version.fence);
  writer.put(kept.value.version.revision);
  writer.put_time(kept.left_us);
  writer.put_text(kept.value.bytes.text());
  writer.put_flag(static_cast<bool>(kept.value.queue));
  if (kept.value.queue) writer.put_text(kept.value.queue.text());
  writer.put_flag(session.company.members.has_value());
  if (session.company.members) put_members(writer, *session.company.members);
  writer.put(static_cast<std::uint32_t>(session.company.chat.size()));
  for (const ChatLine& line : session.company.chat) {
    writer.put(line.id);
    writer.put(line.from.value);
    writer.put_text(line.name);
    writer.put_text(line.text);
    writer.put_time(line.at_us);
  }
}

std::vector<SessionMachine::KnownMember> get_members(ByteReader& reader) {
  std::vector<SessionMachine::KnownMember> members;
  const auto count = reader.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    SessionMachine::KnownMember& member = members.emplace_back();
    member.id.value = reader.get<decltype(member.id.value)>();
    member.name = reader.get_bytes(member_name_bytes_max);
    member.browser.value = reader.get<decltype(member.browser.value)>();
  }
  return members;
}

std::vector<ChatLine> get_chat(ByteReader& reader) {
  std::vector<ChatLine> chat;
  const auto count = reader.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    ChatLine line{.id = reader.get<std::uint64_t>(), .from = {}, .name = {}, .text = {}};
    line.from.value = reader.get<decltype(line.from.value)>();
    line.name = reader.get_bytes(chat_bytes_max);
    line.text = reader.get_bytes(chat_bytes_max);
    line.at_us = reader.get_time();
    if (line.id > 0) chat.push_back(std::move(line));
  }
  return chat;
}

SavedSession get_session(ByteReader& reader) {
  Uuid key;
  reader.get_raw(key.bytes);
  ShortCode code;
  code.value = reader.get<decltype(code.value)>();
  MemoryStore::Kept kept{.name = {key, code}, .value = {}, .left_us = 0};
  kept.value.version.fence = reader.get<std::uint64_t>();
  kept.value.version.revision = reader.get<std::uint64_t>();
  kept.left_us = reader.get_time();
  kept.value.bytes = BufferRef::copy_of(reader.get_bytes(value_bytes_max));
  if (reader.get_flag()) kept.value.queue = BufferRef::copy_of(reader.get_bytes(value_bytes_max));
  SessionCompany company;
  if (reader.get_flag()) company.members = get_members(reader);
  company.chat = get_chat(reader);
  return {std::move(kept), std::move(company)};
}

void put_upload(ByteWriter& writer, const Upload& upload) {
  writer.put_raw(upload.session.bytes);
  writer.put_raw(upload.id.bytes);
  writer.put(upload.length);
  writer.put(upload.offset);
  writer.put_text(upload.name);
  writer.put_text(upload.place);
}

Upload get_upload(ByteReader& reader) {
  Upload upload;
  reader.get_raw(upload.session.bytes);
  reader.get_raw(upload.id.bytes);
  upload.length = reader.get<std::uint64_t>();
  upload.offset = reader.get<std::uint64_t>();
  upload.name = reader.get_bytes(path_bytes_max);
  upload.place = reader.get_bytes(path_bytes_max);
  return upload;
}

Result<> write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("cannot write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(descriptor) != 0) return fail_errno("cannot write", errno);
  return {};
}

Result<std::string> read_all(int descriptor) {
  std::string bytes;
  for (;;) {
    std::array<char, 64 * 1024> part;
    const ssize_t length = ::read(descriptor, part.data(), part.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return fail_errno("cannot read", errno);
    if (length == 0) return bytes;
    bytes.append(part.data(), static_cast<std::size_t>(length));
  }
}

// Readable by its owner alone: it holds what tokens are made of.
UniqueFd create_file(const std::string& path) {
  ::unlink(path.c_str());
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
}

void sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::absolute(path).parent_path();
  const UniqueFd descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor) ::fsync(descriptor.get());
}

}  // namespace

std::string encode_state(const SavedState& state, std::int64_t wall_us) {
  ByteWriter writer;
  writer.put_time(wall_us);
  writer.put_raw(state.secret.bytes);
  writer.put(static_cast<std::uint64_t>(state.sessions.size()));
  for (const SavedSession& session : state.sessions)
    put_session(writer, session);
  writer.put(static_cast<std::uint64_t>(state.uploads.size()));
  for (const Upload& upload : state.uploads)
    put_upload(writer, upload);
  std::string bytes(first_line);
  bytes += writer.take_bytes();
  bytes += entity_tag(bytes);
  return bytes;
}

Result<SavedState> decode_state(std::string_view bytes, std::int64_t wall_us) {
  if (!bytes.starts_with(first_line)) {
    return fail(ErrorCode::corrupt, "it is no file of sessions that this version reads");
  }
  if (bytes.size() < first_line.size() + digest_bytes) {
    return fail(ErrorCode::corrupt, "its end is missing");
  }
  const std::string_view body = bytes.substr(0, bytes.size() - digest_bytes);
  if (entity_tag(body) != bytes.substr(body.size())) {
    return fail(ErrorCode::corrupt, "it is damaged: its digest is another one");
  }
  ByteReader reader(body.substr(first_line.size()));
  const std::int64_t passed_us = std::max<std::int64_t>(wall_us - reader.get_time(), 0);
  SavedState state;
  reader.get_raw(state.secret.bytes);
  const auto count = reader.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    SavedSession session = get_session(reader);
    session.kept.left_us -= passed_us;
    if (session.kept.left_us > 0) state.sessions.push_back(std::move(session));
  }
  const auto uploads = reader.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < uploads && reader.ok(); ++i)
    state.uploads.push_back(get_upload(reader));
  if (!reader.ok() || !reader.at_end()) return fail(ErrorCode::corrupt, "it is damaged");
  return state;
}

Result<> StateFile::check() const {
  const std::string probe = beside(".new");
  const UniqueFd file = create_file(probe);
  if (!file) return fail_errno(fmt::format("cannot make {}", probe), errno);
  ::unlink(probe.c_str());
  return {};
}

std::optional<SavedState> StateFile::read(std::int64_t wall_us) const {
  if (!is_kept()) return std::nullopt;
  const UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::nullopt;
  auto bytes = file ? read_all(file.get()) : fail_errno("cannot open it", errno);
  auto state = bytes ? decode_state(*bytes, wall_us) : std::unexpected(bytes.error());
  if (state) return std::move(*state);
  const std::string aside = beside(".damaged");
  const bool is_aside = ::rename(path_.c_str(), aside.c_str()) == 0;
  log_error("main", "the sessions of before the restart cannot be read",
            field("file", is_aside ? aside : path_), field("why", state.error().message));
  return std::nullopt;
}

void StateFile::remove() const noexcept {
  if (is_kept()) ::unlink(path_.c_str());
}

Result<> StateFile::write(const SavedState& state, std::int64_t wall_us) const {
  const std::string fresh = beside(".new");
  VS_ASSERT(std::ranges::all_of(state.sessions,
                                [](const auto& one) { return one.company.chat.empty(); }));
  const UniqueFd file = create_file(fresh);
  if (!file) return fail_errno(fmt::format("cannot make {}", fresh), errno);
  if (auto written = write_all(file.get(), encode_state(state, wall_us)); !written) {
    ::unlink(fresh.c_str());
    return written;
  }
  if (::rename(fresh.c_str(), path_.c_str()) != 0) {
    return fail_errno(fmt::format("cannot rename {}", fresh), errno);
  }
  sync_folder_of(path_);
  return {};
}

}  // namespace videosync
