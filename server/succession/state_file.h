// SavedState: the sessions of the embedded store from one process to the next; StateFile: in a
// file, so that they outlive a restart (--state).
//
// The file is written once, whole or not at all, when the program has ended to serve; read once, at
// its start, and removed when it serves: what it says is no longer true when somebody has come. A
// start that fails leaves it where it is. A damaged one is set aside. For Program, on main's
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "proto/session/session_values.h"
#include "server/session/session_directory.h"
#include "server/uploads/upload_table.h"
#include "storage/memory_store.h"

namespace videosync {

struct SavedSession {
  MemoryStore::Kept kept;
  SessionCompany company{};  // its chat never in a file: what was said is in memory alone
};

struct SavedState {
  Token secret;  // of SharedSecret: browsers are known by it
  std::vector<SavedSession> sessions;
  std::vector<Upload> uploads{};  // films that were brought, or are being brought
};

// Little-endian: a line that says what it is, the wall clock's time, the secret, the sessions, the
// uploads; then their digest. `wall_us` is the time now, since the epoch.
std::string encode_state(const SavedState& state, std::int64_t wall_us);
// corrupt: it is not whole, or none that this version reads. Sessions whose time is over by
// `wall_us` are not in it.
Result<SavedState> decode_state(std::string_view bytes, std::int64_t wall_us);

class StateFile {
 public:
  // "": none is kept; read() finds nothing then.
  explicit StateFile(std::string path) : path_(std::move(path)) {}

  bool is_kept() const noexcept { return !path_.empty(); }
  // Whether the folder takes a file: better known at the start than at the end.
  Result<> check() const;
  // Nothing: there is none, or it was damaged, which the log says.
  std::optional<SavedState> read(std::int64_t wall_us) const;
  void remove() const noexcept;
  Result<> write(const SavedState& state, std::int64_t wall_us) const;

 private:
  std::string beside(std::string_view ending) const { return path_ + std::string(ending); }

  const std::string path_;
};

}  // namespace videosync
