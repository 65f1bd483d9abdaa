// UploadFiles: what films that are being brought are on disk, below one folder.
//
//   .partial/SESSION.ID   what has come of one
//   SESSION/NAME          a whole one, which the library lists to that session alone
//
// SESSION and ID are 32 hex digits, so whatever else lies in the folder is never touched. The part
// that grows is behind a dot, where no scan of the library looks and nobody is told of changes.
// Calls wait for the storage: they are made on the UploadKeeper's thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "server/uploads/upload_table.h"

namespace videosync {

class UploadFiles {
 public:
  // The folder is there and can be written in. Errors: io.
  static Result<UploadFiles> open(const std::string& folder);

  // Gives up all that sessions brought which are no more: with an embedded store all of them.
  void clear() noexcept;

  Result<> create(const Upload& upload) noexcept;
  // Writes behind what is there, as much as the storage takes.
  struct Written {
    std::uint64_t bytes = 0;
    int system_errno = 0;  // why it were not all
  };
  Written append(const Upload& upload, std::string_view bytes) noexcept;
  // No more is written for now. False: the storage says only now that it lost something.
  bool close(const Upload& upload) noexcept;
  // The part becomes the film: its place. REQUIRES that it is closed.
  Result<std::string> finish(const Upload& upload);
  // Whatever is there of it.
  void remove(const Upload& upload) noexcept;
  // The folder of a session's films, once it has ended.
  void remove_folder(const Uuid& session) noexcept;

 private:
  UploadFiles(UniqueFd folder, UniqueFd partial) noexcept
      : folder_(std::move(folder)), partial_(std::move(partial)) {}

  UniqueFd folder_;
  UniqueFd partial_;
  std::map<std::string, UniqueFd> open_;  // by the part's name
};

}  // namespace videosync
