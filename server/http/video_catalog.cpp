#include "server/http/video_catalog.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "core/base/json_text.h"
#include "core/base/text.h"

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

void append_captions(std::string& out, const VideoEntry& video) {
  out += ",\"captions\":[";
  for (const Caption& caption : video.captions) {
    if (out.back() != '[') out += ',';
    out += '{';
    append_member(out, "lang", caption.lang);
    append_member(out, "label", caption.label);
    append_member(out, "url", media_url(caption.file->path()));
    out += '}';
  }
  out += ']';
}

void append_video(std::string& out, const VideoEntry& video, std::string_view id) {
  out += '{';
  append_member(out, "id", id);
  append_member(out, "title", video.title);
  append_member(out, "type", video.content_type());
  fmt::format_to(std::back_inserter(out), ",\"bytes\":{}",
                 video.file != nullptr ? video.file->size() : 0);
  if (video.duration_s) {
    fmt::format_to(std::back_inserter(out), ",\"duration\":{}", *video.duration_s);
  }
  append_member(out, "url", video_url(video));
  if (!video.hls.empty()) append_member(out, "hls", media_url(video.hls));
  if (video.poster != nullptr) append_member(out, "poster", media_url(video.poster->path()));
  if (video.thumbnails != nullptr) {
    append_member(out, "thumbnails", media_url(video.thumbnails->path()));
  }
  append_captions(out, video);
  out += '}';
}

}  // namespace

std::string video_url(const VideoEntry& video) {
  return video.file != nullptr ? "/api/video?id=" + video.id : media_url(video.hls);
}

std::string media_url(std::string_view path) {
  std::string url(MediaLibrary::url_prefix);
  append_path(url, MediaLibrary::url_path_of(path));
  return url;
}

std::string encode_video(const VideoEntry& video, std::string_view id) {
  std::string json;
  append_video(json, video, id);
  return json;
}

std::string encode_videos(const MediaLibrary& library) {
  std::string json = "{\"videos\":[";
  const VideoEntry* first = library.default_video();
  if (first != nullptr) append_video(json, *first, first->id);
  for (const VideoEntry& video : library.videos()) {
    if (&video == first) continue;
    json += ',';
    append_video(json, video, video.id);
  }
  json += "]}";
  return json;
}

VideoCatalogRef make_catalog(std::shared_ptr<const MediaLibrary> library) {
  BufferRef json = BufferRef::copy_of(encode_videos(*library));
  return std::make_shared<const VideoCatalog>(std::move(library), std::move(json));
}

}  // namespace videosync
