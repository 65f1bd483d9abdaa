#include "server/http/video_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "core/base/json_text.h"
#include "core/base/text.h"
#include "core/base/utf8.h"
#include "server/digest.h"
#include "storage/media/text_fold.h"
#include "storage/media/video_name.h"

namespace videosync {

namespace {

// RFC 3986's unreserved characters and the slash stand for themselves.
void append_path(std::string& out, std::string_view path) {
  for (const char c : path) {
    if (is_letter(c) || is_digit(c) || std::string_view("-._~/").find(c) != path.npos) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

// Titles are UTF-8 by the library's promise, the rest is ASCII.
void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (out.back() != '{') out += ',';
  fmt::format_to(std::back_inserter(out), "\"{}\":\"", name);
  append_json_text(out, text);
  out += '"';
}

void append_number(std::string& out, std::string_view name, auto number) {
  if (out.back() != '{') out += ',';
  fmt::format_to(std::back_inserter(out), "\"{}\":{}", name, number);
}

void append_file(std::string& out, std::string_view name, const LibraryFile& file) {
  if (file) append_member(out, name, media_url(file.place()));
}

void append_captions(std::string& out, const VideoEntry& video) {
  out += ",\"captions\":[";
  for (const Caption& caption : video.captions) {
    if (out.back() != '[') out += ',';
    out += '{';
    append_member(out, "lang", caption.lang);
    append_member(out, "label", caption.label);
    append_member(out, "url", media_url(caption.file.place()));
    out += '}';
  }
  out += ']';
}

void append_show(std::string& out, const FilmName::Episode& episode) {
  out += ",\"show\":{";
  append_member(out, "title", episode.show);
  append_number(out, "season", episode.season);
  append_number(out, "episode", episode.number);
  if (!episode.title.empty()) append_member(out, "name", episode.title);
  out += '}';
}

// What it is, and where.
void append_source(std::string& out, const VideoEntry& video) {
  append_member(out, "type", video.content_type());
  append_number(out, "bytes", video.file ? video.file.facts.size : 0);
  if (video.duration_s) append_number(out, "duration", *video.duration_s);
  append_member(out, "url", video_url(video));
  append_file(out, "hls", video.playlist);
}

std::string version_label(const FilmName& film) {
  return fmt::format("{}{}{}", film.edition, film.edition.empty() ? "" : " ", film.quality);
}

void append_versions(std::string& out, std::span<const VideoEntry> versions) {
  if (versions.size() < 2) return;
  out += ",\"versions\":[";
  for (const VideoEntry& video : versions) {
    if (out.back() != '[') out += ',';
    out += '{';
    append_member(out, "id", video.id);
    append_member(out, "label", trim(version_label(video.film), " "));
    append_source(out, video);
    out += '}';
  }
  out += ']';
}

void append_video(std::string& out, const MediaLibrary& library, const VideoEntry& video,
                  std::string_view id) {
  out += '{';
  append_member(out, "id", id);
  append_member(out, "title", video.title());
  if (video.film.year) append_number(out, "year", *video.film.year);
  if (video.film.episode) append_show(out, *video.film.episode);
  if (!video.film.extra.empty()) append_member(out, "extra", video.film.extra);
  append_source(out, video);
  append_file(out, "poster", video.poster);
  append_file(out, "thumbnails", video.thumbnails);
  append_versions(out, library.versions_of(video));
  append_captions(out, video);
  out += '}';
}

// Whether the folder is `other` or, where that will do, below it.
bool is_in(std::string_view folder, std::string_view other, bool or_below) noexcept {
  if (folder == other || (or_below && other.empty())) return true;
  return or_below && folder.size() > other.size() && folder.starts_with(other) &&
         folder[other.size()] == '/';
}

bool has_all(std::string_view text, std::string_view words) {
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    if (!text.contains(word)) return false;
    words.remove_prefix(std::min(word.size() + 1, words.size()));
  }
  return true;
}

// The folders in `folder` that have videos, with how many there are in and below each.
void append_folders(std::string& out, const MediaLibrary& library, const std::string& folder) {
  std::map<std::string_view, std::size_t> counts;
  const std::size_t begin = folder.empty() ? 0 : folder.size() + 1;
  for (const VideoEntry& video : library.videos()) {
    const std::string_view place = video.folder();
    if (video.versions == 0 || place.size() <= begin || !is_in(place, folder, true)) continue;
    ++counts[place.substr(0, place.find('/', begin))];
  }
  std::vector<std::pair<std::string_view, std::size_t>> sorted(counts.begin(), counts.end());
  std::ranges::sort(sorted,
                    [](const auto& a, const auto& b) { return natural_less(a.first, b.first); });
  out += ",\"folders\":[";
  for (const auto& [path, videos] : sorted) {
    if (out.back() != '[') out += ',';
    out += '{';
    append_member(out, "path", MediaLibrary::url_path_of(std::string(path)));
    append_member(out, "title", to_utf8(path.substr(begin)));
    append_number(out, "videos", videos);
    out += '}';
  }
  out += ']';
}

// The folder's path as it is; its URL path is what a client has.
std::string folder_named(const MediaLibrary& library, const std::string& url_path) {
  if (!url_path.starts_with('~')) return url_path;
  for (const VideoEntry& video : library.videos()) {
    const std::string_view folder = video.folder();
    for (std::size_t end = 0; end != std::string_view::npos;) {
      end = folder.find('/', end + 1);
      const std::string path(folder.substr(0, end));
      if (MediaLibrary::url_path_of(path) == url_path) return path;
    }
  }
  return url_path;
}

}  // namespace

std::string video_url(const VideoEntry& video) {
  return video.file ? "/api/video?id=" + video.id : media_url(video.playlist.place());
}

std::string media_url(const std::string& place) {
  std::string url(MediaLibrary::url_prefix);
  append_path(url, MediaLibrary::url_path_of(place));
  return url;
}

std::string encode_video(const MediaLibrary& library, const VideoEntry& video,
                         std::string_view id) {
  std::string json;
  append_video(json, library, video, id);
  return json;
}

std::string encode_videos(const MediaLibrary& library) {
  std::string json = "{\"videos\":[";
  const VideoEntry* chosen = library.default_video();
  const VideoEntry* first = chosen != nullptr ? &library.versions_of(*chosen).front() : nullptr;
  if (first != nullptr) append_video(json, library, *first, first->id);
  for (const VideoEntry& video : library.videos()) {
    if (&video == first || video.versions == 0) continue;
    json += ',';
    append_video(json, library, video, video.id);
  }
  json += "]}";
  return json;
}

std::optional<std::string> encode_page(const MediaLibrary& library, const VideoQuery& query) {
  std::span<const VideoEntry> videos = library.videos();
  if (!query.after.empty()) {
    const VideoEntry* last = library.find(query.after);
    if (last == nullptr) return std::nullopt;
    videos = videos.subspan(static_cast<std::size_t>(last - videos.data()) + 1);
  }
  const std::string words = fold_text(query.words);
  const std::string folder = folder_named(library, query.folder.value_or(""));
  std::string json = "{\"videos\":[";
  std::size_t count = 0;
  std::string_view last;
  bool has_more = false;
  for (const VideoEntry& video : videos) {
    if (video.versions == 0 || !has_all(video.folded, words)) continue;
    if (query.folder && !is_in(video.folder(), folder, !words.empty())) continue;
    has_more = count == query.limit;
    if (has_more) break;
    if (count++ > 0) json += ',';
    append_video(json, library, video, video.id);
    last = video.id;
  }
  json += ']';
  append_folders(json, library, folder);
  if (has_more && !last.empty()) append_member(json, "next", last);
  json += '}';
  return json;
}

std::string body_etag(std::string_view body) {
  return fmt::format("\"{}\"", sha256_hex(body).substr(0, 32));
}

VideoCatalogRef make_catalog(std::shared_ptr<const MediaLibrary> library) {
  const std::string json = encode_videos(*library);
  return std::make_shared<const VideoCatalog>(std::move(library), BufferRef::copy_of(json),
                                              body_etag(json));
}

}  // namespace videosync
