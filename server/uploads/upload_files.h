// UploadFiles: what films that are being brought are on disk, below one folder.
//
//   .partial/SESSION.ID   what has come of one
//   SESSION/NAME          a whole one, which the library lists to that session alone
//   .nodes/NODE           touched now and then by each node that has this folder: who counts them
//                         knows whether all have the same
//
// SESSION and ID are 32 hex digits, so whatever else lies in the folder is never touched. The part
// that grows is behind a dot, where no scan of the library looks and nobody is told of changes.
// Calls wait for the storage: they are made on the UploadKeeper's thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "server/uploads/upload_table.h"

namespace videosync {

class UploadFiles {
 public:
  // The folder is there and can be written in. Errors: io.
  static Result<UploadFiles> open(const std::string& folder);

  // Gives up all that sessions brought which are no more: with an embedded store all but these,
  // which outlived a restart. So do parts, but for these, which are still being brought.
  void clear(const std::vector<Uuid>& living, const std::vector<Upload>& unfinished) noexcept;

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
  // All that a session brought, also to other nodes, once it has ended.
  void remove_all_of(const Uuid& session) noexcept;

  // This node has the folder, from now on and for another while.
  void note_node(const Uuid& node) noexcept;
  void remove_node(const Uuid& node) noexcept;
  // Of how many that was said lately.
  std::size_t count_nodes() const noexcept;
  // Of which sessions there is anything.
  std::vector<Uuid> sessions() const;
  // Parts that nobody has written for so long; those of a node that was lost are among them.
  void remove_parts_older_than(std::int64_t age_s) noexcept;

 private:
  UploadFiles(UniqueFd folder, UniqueFd partial, UniqueFd nodes) noexcept
      : folder_(std::move(folder)), partial_(std::move(partial)), nodes_(std::move(nodes)) {}

  UniqueFd folder_;
  UniqueFd partial_;
  UniqueFd nodes_;
  std::int64_t now_s_ = 0;                // by the storage's clock, when this node was noted last
  std::map<std::string, UniqueFd> open_;  // by the part's name
};

}  // namespace videosync
