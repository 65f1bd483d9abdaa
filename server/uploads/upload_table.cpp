#include "server/uploads/upload_table.h"

#include "core/base/assert.h"

namespace videosync {

UploadTable::Uploads::const_iterator UploadTable::first_of(const Uuid& session) const noexcept {
  return uploads_.lower_bound(Key{session, {}});
}

std::vector<Upload> UploadTable::all_of(const Uuid& session) const {
  std::vector<Upload> all;
  for (auto at = first_of(session); at != uploads_.end() && at->first.first == session; ++at)
    all.push_back(at->second);
  return all;
}

const Upload* UploadTable::unfinished_of(const Uuid& session) const noexcept {
  for (auto at = first_of(session); at != uploads_.end() && at->first.first == session; ++at)
    if (!at->second.is_whole()) return &at->second;
  return nullptr;
}

std::expected<Upload*, UploadFault> UploadTable::create(Upload upload, std::int64_t now_us) {
  VS_ASSERT(upload.length > 0 && upload.offset == 0 && !upload.is_open);
  if (upload.length > rules_.bytes_max) return std::unexpected(UploadFault::too_large);
  if (unfinished_of(upload.session) != nullptr) return std::unexpected(UploadFault::exists);
  const bool has_many = all_of(upload.session).size() >= of_session_max;
  if (has_many || uploads_.size() >= all_max) return std::unexpected(UploadFault::too_many);
  if (upload.length > rules_.quota - taken_bytes_) return std::unexpected(UploadFault::no_room);
  taken_bytes_ += upload.length;
  upload.touched_us = now_us;
  const Key key{upload.session, upload.id.bytes};
  const auto [at, is_new] = uploads_.emplace(key, std::move(upload));
  VS_ASSERT(is_new && taken_bytes_ <= rules_.quota);
  return &at->second;
}

void UploadTable::adopt(Upload upload, std::int64_t now_us) {
  const bool is_possible = upload.length > 0 && upload.offset <= upload.length &&
                           upload.is_whole() == !upload.place.empty() &&
                           upload.length <= rules_.quota - taken_bytes_ &&
                           uploads_.size() < all_max;
  const Key key{upload.session, upload.id.bytes};
  if (!is_possible || uploads_.contains(key)) return;
  taken_bytes_ += upload.length;
  upload.is_open = false;
  upload.touched_us = now_us;
  uploads_.emplace(key, std::move(upload));
}

std::vector<Upload> UploadTable::all() const {
  std::vector<Upload> all;
  for (const auto& [key, upload] : uploads_)
    all.push_back(upload);
  return all;
}

std::vector<Upload> UploadTable::unfinished() const {
  std::vector<Upload> unfinished = all();
  std::erase_if(unfinished, [](const Upload& upload) { return upload.is_whole(); });
  return unfinished;
}

Upload* UploadTable::find(const Uuid& session, const UploadId& id) noexcept {
  const auto found = uploads_.find(Key{session, id.bytes});
  return found != uploads_.end() ? &found->second : nullptr;
}

std::expected<void, UploadFault> UploadTable::open(Upload& upload, std::uint64_t offset,
                                                   std::int64_t now_us) noexcept {
  if (upload.is_open) return std::unexpected(UploadFault::in_progress);
  if (offset != upload.offset) return std::unexpected(UploadFault::wrong_offset);
  if (open_ >= open_max) return std::unexpected(UploadFault::busy);
  ++open_;
  upload.is_open = true;
  upload.touched_us = now_us;
  return {};
}

void UploadTable::on_written(Upload& upload, std::uint64_t bytes, std::int64_t now_us) noexcept {
  VS_ASSERT(upload.is_open && bytes <= upload.length - upload.offset);
  upload.offset += bytes;
  upload.touched_us = now_us;
}

void UploadTable::close(Upload& upload, std::int64_t now_us) noexcept {
  VS_ASSERT(upload.is_open && open_ > 0);
  --open_;
  upload.is_open = false;
  upload.touched_us = now_us;
}

void UploadTable::remove(const Uuid& session, const UploadId& id) noexcept {
  const auto found = uploads_.find(Key{session, id.bytes});
  VS_ASSERT(found != uploads_.end() && taken_bytes_ >= found->second.length);
  taken_bytes_ -= found->second.length;
  if (found->second.is_open) --open_;
  uploads_.erase(found);
}

std::vector<Upload> UploadTable::expired(std::int64_t now_us) const {
  std::vector<Upload> expired;
  for (const auto& [key, upload] : uploads_) {
    const bool rests = !upload.is_whole() && !upload.is_open;
    if (rests && now_us >= expires_us(upload)) expired.push_back(upload);
  }
  return expired;
}

}  // namespace videosync
