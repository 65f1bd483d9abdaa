// MediaLibrary: the videos of a folder, opened and described at scan time. An immutable snapshot.
//
// Held by std::shared_ptr: a rescan makes a new snapshot, and the old one lives as long as somebody
// holds it or one of its files. Any thread may use it. While both live, both hold descriptors.
//
// In the folder's top: videos (mp4 m4v webm mkv mov); beside them, by the same name, captions
// (name.vtt, name.en.vtt) and a poster (name.jpg jpeg png webp); HLS renditions as folders
// (name/master.m3u8), joined with the video of that name or a video of their own. Hidden files and
// symlinks are never listed nor served. Changes on disk show with the next scan; files of HLS
// folders are opened when they are asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/error.h"
#include "storage/media/media_file.h"

namespace videosync {

class FileDesk;
class FilmIds;
class HlsFiles;

struct Caption {
  std::string lang;   // BCP 47 in lower case; "und" for a name without a language
  std::string label;  // for a person: "English"
  MediaFileRef file;
};

struct VideoEntry {
  std::string id;  // URL-safe: [a-z0-9-], at most 80 characters; unique in its library
  std::vector<std::string> other_ids;  // that mean it as well, see FilmIds
  std::string title;                   // UTF-8
  std::string name;                    // of the file or, for HLS alone, of the folder
  MediaFileRef file;                   // null exactly where the video exists as HLS alone
  std::string hls;          // path of the master playlist below the folder; "" without HLS
  MediaFileRef poster;      // may be null, like the next two
  MediaFileRef thumbnails;  // WebVTT that names parts of the sprite by time
  MediaFileRef sprite;      // null too where it is served with the files of an HLS folder
  std::vector<Caption> captions;
  std::optional<double> duration_s;
  FileVersion version;  // of the file or, for HLS alone, of the master playlist when it was scanned

  std::string_view content_type() const noexcept;
};

struct VideoPictures {
  MediaFileRef poster;
  MediaFileRef thumbnails;  // both or neither
  MediaFileRef sprite;
};

class MediaLibrary {
 public:
  static constexpr std::string_view url_prefix = "/media/";

  struct Options {
    std::string directory{};
    std::string default_id{};            // "": the first by title
    std::size_t descriptors_max = 4096;  // for everything the snapshot may hold open at a time
    std::size_t hls_open_max = 256;      // of these, for HLS files that were asked for
  };
  struct Scan;
  // Where a file is: open, or to be opened below hls->folder() and given to hls->keep().
  struct Place {
    MediaFileRef file;
    std::shared_ptr<HlsFiles> hls;
    std::string path;
  };

  // `ids`: of the scans before it. Errors: the folder cannot be opened or read; timed_out where the
  // desk's patience ended. What cannot be served is left out with a warning.
  static Result<Scan> scan(const Options& options, FileDesk& desk, FilmIds& ids);

  // A library without videos or folder.
  static std::shared_ptr<const MediaLibrary> make_empty();

  // The same videos and open files with these durations, one for each of videos().
  std::shared_ptr<const MediaLibrary> with_durations(
      std::span<const std::optional<double>> durations_s) const;

  // The same with these pictures where a video has none; what is null adds nothing. Each file
  // counts against descriptors_left().
  std::shared_ptr<const MediaLibrary> with_pictures(std::span<const VideoPictures> pictures) const;

  // In natural order of their titles (2 before 10, case ignored). Pointers live as long as *this.
  std::span<const VideoEntry> videos() const noexcept { return videos_; }
  // By any of its ids. Null: no such video.
  const VideoEntry* find(std::string_view id) const noexcept;
  const VideoEntry* default_video() const noexcept;  // null: the library is empty

  // What stands for a file's path in URLs: the path, or a hash where no URL can hold that (RFC 3986
  // can, but a path with a control byte, or that is not UTF-8, is refused as a request).
  static std::string url_path_of(std::string_view path);

  // What is behind a percent-decoded URL path ("/media/cat.en.vtt", "/media/cat/v0/seg1.ts"): a
  // listed caption or poster, or a file of an HLS folder. Nullopt: nothing. Waits for nothing.
  std::optional<Place> find_place(std::string_view path) const;

  // Whether both would show the same to whoever asks: the same videos of the same files in the same
  // folder. What was opened of HLS folders does not count.
  bool shows_same_as(const MediaLibrary& other) const;
  // Files of HLS folders are opened anew, as after a scan.
  void forget_hls_files() const;

  const std::string& directory() const noexcept { return directory_; }
  // The folder's path without symlinks; "" where there is no folder.
  const std::string& real_directory() const noexcept { return real_directory_; }
  std::size_t descriptors_left() const noexcept { return descriptors_left_; }  // of Options' limit

 private:
  friend class MediaScanner;

  MediaLibrary() = default;
  std::shared_ptr<MediaLibrary> copy() const;  // still to be indexed
  void index();
  void index_file(const MediaFileRef& file);

  std::string directory_;
  std::string real_directory_;
  ino_t folder_inode_ = 0;
  dev_t folder_device_ = 0;
  std::size_t default_index_ = 0;
  std::size_t descriptors_left_ = 0;
  std::vector<VideoEntry> videos_;
  std::shared_ptr<HlsFiles> hls_files_;  // null: no HLS folder; shared with copies of this scan
  // Keys point into videos_ and their files, which never change after index().
  std::unordered_map<std::string_view, std::size_t> by_id_;
  std::unordered_map<std::string_view, MediaFileRef> by_path_;
  std::unordered_map<std::string, MediaFileRef> by_hash_;  // of what no URL can hold
};

struct MediaLibrary::Scan {
  std::shared_ptr<const MediaLibrary> library;
  std::vector<std::string> warnings;  // one line each, at most 1,000; names in them are as they are
};

}  // namespace videosync
