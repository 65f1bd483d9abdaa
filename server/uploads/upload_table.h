// UploadTable: which films are being brought, by whom, and how far; what may begin and go on.
//
// Pure: time is given to it, and it touches no file. A session brings one film at a time; what it
// has brought stays until the session ends. An upload that rests for longer than `expires_us` is to
// be given up. One thread.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/uuid.h"
#include "proto/session/session_values.h"

namespace videosync {

using UploadId = Token;

enum class UploadFault : std::uint8_t {
  unknown,        // no such upload: it never was, or it was given up
  exists,         // the session brings another film already
  wrong_offset,   // bytes begin elsewhere than where those before them ended
  in_progress,    // bytes come over another connection already
  taken_over,     // what was to come here comes over another connection
  beyond_length,  // more than were announced
  too_large,      // longer than any may be
  no_room,        // the quota of all uploads is taken
  too_many,       // the session has brought as many as it may
  busy,           // as many connections bring films as may
  storage_full,
  storage_failed,
};

struct Upload {
  Uuid session;
  UploadId id;
  std::string name;          // of the film's file
  std::uint64_t length = 0;  // of the whole
  std::uint64_t offset = 0;  // so many are there
  std::int64_t touched_us = 0;
  bool is_open = false;  // a connection brings bytes
  std::string place{};   // of the film, in the folder; "" until it is whole

  bool is_whole() const noexcept { return offset == length; }
};

struct UploadRules {
  std::uint64_t bytes_max = 0;  // of one
  std::uint64_t quota = 0;      // of all, whole or announced
  std::int64_t expires_us = 0;
};

class UploadTable {
 public:
  static constexpr std::size_t of_session_max = 20;
  static constexpr std::size_t all_max = 10'000;
  static constexpr std::size_t open_max = 64;

  explicit UploadTable(const UploadRules& rules) noexcept : rules_(rules) {}

  // All but `offset` and what follows on it is taken from `upload`. exists, too_large, no_room,
  // too_many.
  std::expected<Upload*, UploadFault> create(Upload upload, std::int64_t now_us);
  // As another process had it; what does not fit any more is left out.
  void adopt(Upload upload, std::int64_t now_us);
  std::vector<Upload> all() const;
  std::vector<Upload> unfinished() const;
  // Null: unknown. The pointer is good until the upload is removed.
  Upload* find(const Uuid& session, const UploadId& id) noexcept;
  // The film that the session is bringing; null: none.
  const Upload* unfinished_of(const Uuid& session) const noexcept;
  std::vector<Upload> all_of(const Uuid& session) const;

  // A connection is about to bring what begins at `offset`: wrong_offset, in_progress, busy.
  std::expected<void, UploadFault> open(Upload& upload, std::uint64_t offset,
                                        std::int64_t now_us) noexcept;
  void on_written(Upload& upload, std::uint64_t bytes, std::int64_t now_us) noexcept;
  void close(Upload& upload, std::int64_t now_us) noexcept;

  void remove(const Uuid& session, const UploadId& id) noexcept;
  // Those that are to be given up.
  std::vector<Upload> expired(std::int64_t now_us) const;
  std::int64_t expires_us(const Upload& upload) const noexcept {
    return upload.touched_us + rules_.expires_us;
  }

  std::uint64_t taken_bytes() const noexcept { return taken_bytes_; }
  std::size_t size() const noexcept { return uploads_.size(); }

 private:
  // By session, then by id.
  using Key = std::pair<Uuid, std::array<std::uint8_t, 16>>;
  using Uploads = std::map<Key, Upload>;

  Uploads::const_iterator first_of(const Uuid& session) const noexcept;

  const UploadRules rules_;
  Uploads uploads_;
  std::uint64_t taken_bytes_ = 0;  // the sum of their lengths
  std::size_t open_ = 0;           // of them
};

}  // namespace videosync
