// MediaLibrary: the videos of some folders, described as a scan saw them. An immutable snapshot.
//
// Held by std::shared_ptr: a rescan makes a new snapshot, and the old one lives as long as somebody
// holds it. Any thread may use it. No file is open for it but the folders: what is asked for is
// opened then, and the latest few are kept open (OpenFiles).
//
// To any depth (walk_depth_max): videos (library_names.h); beside them, by the same name, captions
// (name.srt, name.en.forced.vtt: caption_name.h) and posters (name-poster.jpg, name.jpg; poster.jpg
// and folder.jpg in a film's own folder or a show's) and notes (name.nfo; movie.nfo, tvshow.nfo);
// HLS renditions as folders (name/master.m3u8), joined with the video of that name or a video of
// their own. What a name says of its film: film_name.h. Films of one folder, title and year are
// versions of one film. Hidden files and symlinks are never listed nor served. Changes on disk show
// with the next scan.
//
// Paths are below all libraries: those of the first as they are, those of the second behind "~1/".
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "storage/files/media_file.h"
#include "storage/library/film_facts.h"
#include "storage/library/film_ids.h"
#include "storage/library/hls_folders.h"
#include "storage/names/caption_name.h"
#include "storage/names/film_name.h"

namespace videosync {

class FileDesk;
class OpenFiles;

// A file that a scan saw, and where to open it.
struct LibraryFile {
  MediaFolderRef folder;    // null exactly where there is no file
  std::string path;         // below the folder
  std::size_t library = 0;  // which of them
  FileFacts facts;

  explicit operator bool() const noexcept { return folder != nullptr; }
  std::string place() const;  // below all libraries
  FileVersion version() const { return {place(), facts.size, mtime_ns_of(facts)}; }
  friend bool operator==(const LibraryFile& a, const LibraryFile& b) noexcept;
};

struct Caption {
  std::string lang;   // BCP 47 in lower case; "und" for a name without a language
  std::string label;  // for a person: "English", "English (forced)"; no two of a video are the same
  CaptionKind kind = CaptionKind::plain;
  LibraryFile file;

  // Whether browsers may take the file as it is (if it is what its name says).
  bool is_webvtt() const noexcept;
};

struct VideoEntry {
  std::string id;  // URL-safe: [a-z0-9-], at most 80 characters; unique in its library
  std::vector<std::string> other_ids;  // that mean it as well, see FilmIds
  FilmName film;
  std::string folded;      // what a search looks through: titles, without case and accents
  std::string place;       // of the file or, for HLS alone, of the folder
  LibraryFile file;        // none exactly where the video exists as HLS alone
  LibraryFile playlist;    // the master playlist of its HLS folder
  LibraryFile notes;       // about it (film_notes.h); may be none, like the next four
  LibraryFile show_notes;  // about its show
  LibraryFile poster;
  LibraryFile thumbnails;  // WebVTT that names parts of the sprite by time
  LibraryFile sprite;      // none too where it is served with the files of an HLS folder
  std::vector<Caption> captions;
  LearnedFilm learned;
  std::size_t versions = 1;  // it and those behind it in the list are one film; 0: of one before it

  std::optional<double> duration_s() const noexcept { return learned.duration_s; }
  const std::string& title() const noexcept { return film.title; }
  std::string_view folder() const noexcept;  // the path of the folder that it lies in; "": the top
  std::string_view content_type() const noexcept;
  const LibraryFile& source() const noexcept { return file ? file : playlist; }
  // Of the file or, for HLS alone, of the master playlist.
  FileVersion version() const { return source().version(); }
};

struct VideoPictures {
  LibraryFile poster;
  LibraryFile thumbnails;  // both or neither
  LibraryFile sprite;
};

class MediaLibrary {
 public:
  static constexpr std::string_view url_prefix = "/media/";
  struct Options {
    std::vector<std::string> directories{};
    std::string default_id{};    // "": the first of the list
    std::size_t open_max = 256;  // files that are kept open
    int watch = -1;              // an inotify descriptor, for changes of what was scanned; -1: none
    // A video that came since the first scan counts once its size has rested so long.
    std::chrono::milliseconds rest{2'000};
    bool has_forms = false;           // what the library says of itself
    std::string private_directory{};  // a library behind the others, see is_private(); "": none
  };
  // What goes on from scan to scan. Its owner's thread's.
  struct Memory {
    FilmIds ids;
    std::shared_ptr<OpenFiles> open_files;             // made by the first scan
    std::unordered_map<std::string, FileFacts> known;  // the files that count, by place
    bool has_scanned = false;
  };
  struct Scan;
  // Where a file is: open, or to be opened below the folder and given to files->keep().
  struct Place {
    MediaFileRef file;
    std::shared_ptr<OpenFiles> files;
    MediaFolderRef folder;
    std::string path;
    bool is_private = false;  // as is_private() of its video
  };
  struct Root {
    MediaFolderRef folder;
    std::string real_path;  // without symlinks
    friend bool operator==(const Root& a, const Root& b) noexcept;
  };

  // Errors: a folder cannot be opened or read; timed_out where the desk's patience ended. What
  // cannot be served is left out with a warning.
  static Result<Scan> scan(const Options& options, FileDesk& desk, Memory& memory);

  // A library without videos or folder.
  static std::shared_ptr<const MediaLibrary> make_empty();

  // The same videos with what was learned of them, one for each of videos().
  std::shared_ptr<const MediaLibrary> with_learned(std::span<const LearnedFilm> learned) const;

  // The same, in their order, with these names for the videos in those places of videos().
  std::shared_ptr<const MediaLibrary> with_names(
      std::vector<std::pair<std::size_t, FilmName>> names) const;

  // The same with these pictures where a video has none; what is none adds nothing.
  std::shared_ptr<const MediaLibrary> with_pictures(std::span<const VideoPictures> pictures) const;

  // Films and shows in the order of their titles (2 before 10; case, accents and articles ignored),
  // episodes in theirs, extras last. Pointers live as long as *this.
  std::span<const VideoEntry> videos() const noexcept { return videos_; }
  // Whether only some are to be told of it: it lies in the private directory, and the folder at the
  // top of that which it lies in says who (is_of()). It has no id that could be guessed.
  bool is_private(const VideoEntry& video) const noexcept {
    return video.source().library == private_root_;
  }
  bool is_of(const VideoEntry& video, std::string_view owner) const noexcept;
  // Those of that owner, and none where it is "".
  std::vector<const VideoEntry*> private_videos(std::string_view owner) const;
  // By any of its ids. Null: no such video.
  const VideoEntry* find(std::string_view id) const noexcept;
  // Null: there is none that is not private.
  const VideoEntry* default_video() const noexcept;
  // It and the other versions of its film; REQUIRES one of videos().
  std::span<const VideoEntry> versions_of(const VideoEntry& video) const noexcept;

  // What stands for a place in URLs: the place, or a hash where no URL can hold that (RFC 3986 can,
  // but a path with a control byte, or that is not UTF-8, is refused as a request, and so is one
  // that is too long).
  static std::string url_path_of(const std::string& place);

  // What is behind a percent-decoded URL path ("/media/cat.en.vtt", "/media/cat/v0/seg1.ts"): a
  // listed caption or poster, or a file of an HLS folder. Nullopt: nothing. Waits for nothing.
  std::optional<Place> find_place(std::string_view path) const;
  Place place_of(const LibraryFile& file) const;

  // Whether both would show the same to whoever asks: the same videos of the same files in the same
  // folders.
  bool shows_same_as(const MediaLibrary& other) const;
  std::span<const Root> roots() const noexcept { return roots_; }
  // Whether its films can be had in other forms than their files.
  bool has_forms() const noexcept { return has_forms_; }

 private:
  friend class MediaScanner;

  MediaLibrary() = default;
  std::shared_ptr<MediaLibrary> copy() const;  // still to be indexed
  void index();
  void index_file(const LibraryFile& file);

  std::vector<Root> roots_;
  bool has_forms_ = false;
  std::size_t private_root_ = SIZE_MAX;
  std::optional<std::size_t> default_index_;  // nullopt: nobody chose one
  std::optional<std::size_t> first_index_;    // of those that are not private
  std::vector<VideoEntry> videos_;
  HlsFolders hls_folders_;
  std::shared_ptr<OpenFiles> open_files_;
  // Values point into videos_, which never changes after index().
  std::unordered_map<std::string_view, std::size_t> by_id_;
  std::unordered_map<std::string, const LibraryFile*> by_url_path_;
};

struct MediaLibrary::Scan {
  std::shared_ptr<const MediaLibrary> library;
  std::vector<std::string> warnings;  // one line each, at most 1,000; names in them are as they are
  bool has_restless = false;          // files that are still being written: scan again soon
};

}  // namespace videosync
