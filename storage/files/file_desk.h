// FileDesk: where one thread asks the file helpers. It waits for the answers, or does not.
//
// The calls that wait ask `patience` about every 100 ms whether they should go on. What is given up
// stays with its helper until the storage answers; the desk keeps its folder open until then and
// takes no notice of the outcome. While helpers owe it answers, a desk goes only at the end of the
// process: its socket stays open, because the number must not become another's.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "storage/files/file_helpers.h"
#include "storage/files/media_file.h"

namespace videosync {

// What a folder of videos and those below it hold, before anything is opened.
struct ListedFile {
  std::string name;
  FileFacts facts;
};
struct ListedFolder {
  std::string path;               // below the first, which is ""
  std::vector<ListedFile> files;  // in the order of their names' bytes
};
struct FolderTree {
  std::vector<ListedFolder> folders;  // each before those in it
  std::vector<std::string> warnings;
};

class FileDesk {
 public:
  // `what` is waited for, so long already: go on?
  using Patience = std::function<bool(std::string_view what, std::int64_t waited_ms)>;

  // `helpers` outlive the desk. Errors: io, where no sockets are to be had.
  static Result<std::unique_ptr<FileDesk>> create(FileHelpers& helpers, FileHelpers::Lane lane);
  ~FileDesk();
  FileDesk(const FileDesk&) = delete;
  FileDesk& operator=(const FileDesk&) = delete;

  Spawner& spawner() noexcept { return helpers_.spawner(); }

  // --- Calls that wait. Errors: timed_out (given up), exhausted (too much waits already), and:
  // io.
  Result<MediaFolderRef> open_folder(const std::string& path);
  // io. `watch`: an inotify descriptor that is to hear of changes in each of the folders; -1: none.
  Result<FolderTree> walk(const MediaFolderRef& folder, int watch = -1);
  // not_found (absent, not a regular file, or out of bounds), exhausted (descriptors), io. Neither
  // `..`, an absolute path nor any symlink on the way leads anywhere.
  Result<MediaFileRef> open(const MediaFolderRef& folder, const std::string& path);
  // The first bytes of such a file, FileReply::text_bytes_max at most. Errors as of open().
  Result<std::string> read(const MediaFolderRef& folder, const std::string& path);
  void set_patience(Patience patience) { patience_ = std::move(patience); }

  // --- Calls that do not wait
  struct Opened {
    std::uint64_t number;
    Result<MediaFileRef> file;  // errors as of open()
  };
  // A number that take_opened() will tell. Errors: exhausted, not_found (no path at all).
  Result<std::uint64_t> ask_to_open(MediaFolderRef folder, std::string path);
  std::optional<Opened> take_opened();
  // Readable when there is something to take.
  int descriptor() const noexcept { return answers_[0].get(); }

 private:
  using Ends = std::array<UniqueFd, 2>;  // ours and the helpers'

  FileDesk(FileHelpers& helpers, FileHelpers::Lane lane, Ends answers);

  struct Asked {
    FileVerb verb;
    std::string path;
    MediaFolderRef folder;  // null: none
    int watch = -1;
  };
  struct Answer {
    FileReply head;
    std::string names;
  };

  Result<std::uint64_t> ask(Asked asked);
  // Asks and waits for all of the answer.
  Result<std::vector<Answer>> call(Asked asked);
  static std::string name_of(const Asked& asked);
  std::optional<Answer> receive();
  // Takes no notice of what it opened.
  void discard(const Answer& answer);
  Result<MediaFileRef> file_of(const FileReply& answer, std::string path) const;

  FileHelpers& helpers_;
  const FileHelpers::Lane lane_;
  Ends answers_;
  const std::unique_ptr<char[]> names_;  // of the message at hand
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Asked> asked_;  // exactly what helpers still owe an answer to
  Patience patience_;
};

}  // namespace videosync
