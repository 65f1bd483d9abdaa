#include "server/films/video_catalog.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "core/base/json_text.h"
#include "core/base/text.h"
#include "core/base/utf8.h"
#include "server/digest.h"
#include "storage/names/library_names.h"
#include "storage/names/text_fold.h"
#include "storage/names/video_name.h"

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

std::string version_of(const FileFacts& facts) {
  return fmt::format("{:x}-{:x}", facts.size, static_cast<std::uint64_t>(mtime_ns_of(facts)));
}

// Where browsers get it as WebVTT; "": nowhere.
std::string captions_url(const MediaLibrary& library, const VideoEntry& video,
                         const Caption& caption) {
  if (library.has_forms()) {
    return fmt::format("{}{}/{}{}", forms_prefix, video.id, captions_prefix,
                       captions_file_name(caption));
  }
  return caption.is_webvtt() ? media_url(caption.file.place()) : std::string();
}

std::string codec_of(const Caption& caption) {
  constexpr std::array<std::string_view, 4> codecs{"webvtt", "ass", "ass", "subrip"};
  static_assert(codecs.size() == caption_kinds.size());
  return std::string(codecs.at(kind_of(caption.file.path, caption_kinds)));
}

std::vector<PlacedCaptions> captions_of(const MediaLibrary& library, const VideoEntry& video) {
  std::vector<PlacedCaptions> placed;
  for (const Caption& caption : video.captions) {
    std::string url = captions_url(library, video, caption);
    if (url.empty()) continue;
    placed.push_back({codec_of(caption), caption.lang, caption.label,
                      std::string(name_of(caption.kind)), std::move(url)});
  }
  return placed;
}

void append_captions(std::string& out, const std::vector<PlacedCaptions>& all) {
  out += ",\"captions\":[";
  for (const PlacedCaptions& captions : all) {
    if (out.back() != '[') out += ',';
    out += '{';
    append_member(out, "lang", captions.lang);
    append_member(out, "label", captions.label);
    if (!captions.kind.empty()) append_member(out, "kind", captions.kind);
    append_member(out, "url", captions.url);
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
  if (video.duration_s()) append_number(out, "duration", *video.duration_s());
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
  append_captions(out, captions_of(library, video));
  if (video.learned.facts != nullptr) {
    out += ',';
    append_film(out, *video.learned.facts, form_place(library, video));
  }
  out += '}';
}

bool is_in_or_below(std::string_view folder, std::string_view other) noexcept {
  if (folder == other || other.empty()) return true;
  return folder.size() > other.size() && folder.starts_with(other) && folder[other.size()] == '/';
}

std::vector<std::string_view> split(std::string_view words) {
  std::vector<std::string_view> split;
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    if (!word.empty()) split.push_back(word);
    words.remove_prefix(std::min(word.size() + 1, words.size()));
  }
  return split;
}

bool has_all(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::all_of(words, [text](std::string_view word) { return text.contains(word); });
}

// Calls on_found(place) for each video, from that place on, whose line has all words, in order,
// until it returns false. One look through one text: a look at each of thousands of videos would
// hold a worker up for milliseconds.
template <typename OnFound>
void find_words(const VideoCatalog& catalog, std::span<const std::string_view> words,
                std::size_t from, OnFound on_found) {
  const std::string_view text = catalog.words;
  const auto longest = std::ranges::max_element(words, {}, &std::string_view::size);
  const std::vector<std::size_t>& ends = catalog.words_ends;
  while (from < ends.size()) {
    const std::size_t begin = from == 0 ? 0 : ends[from - 1];
    const void* at =
        ::memmem(text.data() + begin, text.size() - begin, longest->data(), longest->size());
    if (at == nullptr) return;
    const auto offset = static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
    from = static_cast<std::size_t>(std::ranges::upper_bound(ends, offset) - ends.begin());
    const std::size_t line = from == 0 ? 0 : ends[from - 1];
    if (has_all(text.substr(line, ends[from] - line), words) && !on_found(from)) return;
    ++from;
  }
}

// Its name; of the folder that another library is in all of them, that library's own.
std::string folder_title(const MediaLibrary& library, std::string_view path) {
  const std::span<const MediaLibrary::Root> roots = library.roots();
  for (std::size_t i = 1; i < roots.size(); ++i) {
    if (path != fmt::format("~{}", i)) continue;
    const std::string_view real = roots[i].real_path;
    const std::string_view name = real.substr(real.rfind('/') + 1);
    if (!name.empty()) return to_utf8(name);
  }
  return to_utf8(path.substr(path.rfind('/') + 1));
}

void append_folders(std::string& out, const MediaLibrary& library, const LibraryFolders& all,
                    const LibraryFolders::Folder& folder) {
  for (const std::string_view path :
       std::span(folder.folders).first(std::min(folder.folders.size(), folders_max))) {
    if (out.back() != '[') out += ',';
    out += '{';
    append_member(out, "path", MediaLibrary::url_path_of(std::string(path)));
    append_member(out, "title", folder_title(library, path));
    append_number(out, "videos", all.find(path)->total);
    out += '}';
  }
}

// The film that comes first, though it may be any. Null: the library is empty.
const VideoEntry* first_of(const MediaLibrary& library) {
  const VideoEntry* chosen = library.default_video();
  return chosen != nullptr ? &library.versions_of(*chosen).front() : nullptr;
}

// In the list of everybody.
bool is_listed(const MediaLibrary& library, const VideoEntry& video) noexcept {
  return video.versions > 0 && !library.is_private(video);
}

// Writes the videos of a page.
class PageWriter {
 public:
  PageWriter(const MediaLibrary& library, std::size_t limit) : library_(library), limit_(limit) {}

  // False: the page is full.
  bool add(const VideoEntry& video) {
    has_more_ = count_ == limit_;
    if (has_more_) return false;
    ++count_;
    if (json_.back() != '[') json_ += ',';
    append_video(json_, library_, video, video.id);
    last_ = video.id;
    return true;
  }
  // One that comes before all pages, and is none of their number.
  void add_before(const VideoEntry& video) {
    if (json_.back() != '[') json_ += ',';
    append_video(json_, library_, video, video.id);
  }
  // Where there is more: the last video's id.
  std::string_view next() const noexcept { return has_more_ ? last_ : std::string_view{}; }
  std::string take() { return std::move(json_); }

 private:
  const MediaLibrary& library_;
  const std::size_t limit_;
  std::string json_ = "{\"videos\":[";
  std::size_t count_ = 0;
  std::string_view last_;
  bool has_more_ = false;
};

// Calls add(video) for each of the videos asked for, the first apart, from a place on, until it
// returns false.
template <typename Add>
void find_videos(const VideoCatalog& catalog, const VideoQuery& query, std::size_t from, Add add) {
  const std::span<const VideoEntry> videos = catalog.library->videos();
  const std::string folded = fold_text(query.words);
  const std::vector<std::string_view> words = split(folded);
  const LibraryFolders::Folder* folder =
      query.folder ? catalog.folders.find(*query.folder) : nullptr;
  if (query.folder && folder == nullptr) return;
  const std::string_view path = query.folder ? folder->path : std::string_view{};
  if (!words.empty()) {
    return find_words(catalog, words, from, [&](std::size_t place) {
      const VideoEntry& video = videos[place];
      return !is_in_or_below(video.folder(), path) || add(video);
    });
  }
  if (folder != nullptr) {
    for (auto at = std::ranges::lower_bound(folder->videos, from); at != folder->videos.end(); ++at)
      if (!add(videos[*at])) return;
    return;
  }
  for (const VideoEntry& video : videos.subspan(from))
    if (is_listed(*catalog.library, video) && !add(video)) return;
}

void add_private(const MediaLibrary& library, const VideoQuery& query, PageWriter& page) {
  const std::string folded = fold_text(query.words);
  const std::vector<std::string_view> words = split(folded);
  for (const VideoEntry* video : library.private_videos(query.owner))
    if (has_all(video->folded, words)) page.add_before(*video);
}

// Adds what is asked for to a page, the default film first.
void add_by_title(const VideoCatalog& catalog, const VideoQuery& query, const VideoEntry* after,
                  PageWriter& page) {
  const MediaLibrary& library = *catalog.library;
  const VideoEntry* first = first_of(library);
  if (after == nullptr && first != nullptr) {
    find_videos(
        catalog, query, static_cast<std::size_t>(first - library.videos().data()),
        [&](const VideoEntry& video) { return &video == first && page.add(video) && false; });
  }
  const bool is_behind_first = after == nullptr || &library.versions_of(*after).front() == first;
  const std::size_t from =
      is_behind_first ? 0 : static_cast<std::size_t>(after - library.videos().data()) + 1;
  find_videos(catalog, query, from,
              [&](const VideoEntry& video) { return &video == first || page.add(video); });
}

// Adds what is asked for to a page, what came last first.
void add_newest(const VideoCatalog& catalog, const VideoQuery& query, const VideoEntry* after,
                PageWriter& page) {
  const std::span<const VideoEntry> videos = catalog.library->videos();
  const auto age_of = [&](const VideoEntry& video) {
    const VideoEntry& film = catalog.library->versions_of(video).front();
    return catalog.ages[static_cast<std::size_t>(&film - videos.data())];
  };
  const std::size_t from = after != nullptr ? age_of(*after) + 1 : 0;
  if (query.words.empty() && !query.folder) {
    for (const std::size_t place : std::span(catalog.newest).subspan(from))
      if (!page.add(videos[place])) return;
    return;
  }
  std::vector<std::size_t> ages;
  find_videos(catalog, query, 0, [&](const VideoEntry& video) {
    if (const std::size_t age = age_of(video); age >= from) ages.push_back(age);
    return true;
  });
  const std::size_t shown =
      std::min(ages.size(), query.limit < SIZE_MAX ? query.limit + 1 : SIZE_MAX);
  std::ranges::partial_sort(ages, ages.begin() + static_cast<std::ptrdiff_t>(shown));
  for (const std::size_t age : std::span(ages).first(shown))
    if (!page.add(videos[catalog.newest[age]])) return;
}

// When the last of its versions came to be here (film_ids.h says why ctime).
std::int64_t came_ns(const MediaLibrary& library, const VideoEntry& film) {
  std::int64_t latest_ns = 0;
  for (const VideoEntry& video : library.versions_of(film)) {
    const LibraryFile& file = video.file ? video.file : video.playlist;
    latest_ns = std::max(latest_ns, file.facts.ctime_ns);
  }
  return latest_ns;
}

void sort_by_age(const MediaLibrary& library, std::vector<std::size_t>& newest,
                 std::vector<std::size_t>& ages) {
  const std::span<const VideoEntry> videos = library.videos();
  std::vector<std::int64_t> came(videos.size());
  for (std::size_t i = 0; i < videos.size(); ++i) {
    if (!is_listed(library, videos[i])) continue;
    came[i] = came_ns(library, videos[i]);
    newest.push_back(i);
  }
  std::ranges::stable_sort(newest, std::ranges::greater{}, [&](std::size_t i) { return came[i]; });
  ages.resize(videos.size());
  for (std::size_t i = 0; i < newest.size(); ++i)
    ages[newest[i]] = i;
}

}  // namespace

std::string video_url(const VideoEntry& video) {
  return video.file ? "/api/video?id=" + video.id : media_url(video.playlist.place());
}

FilmPlace form_place(const MediaLibrary& library, const VideoEntry& video) {
  FilmPlace place{video_url(video), std::string(video.content_type()), {}};
  place.captions = captions_of(library, video);
  if (!library.has_forms()) return place;
  place.forms_url = fmt::format("{}{}/{}/", forms_prefix, video.id, version_of(video.file.facts));
  return place;
}

std::string captions_file_name(const Caption& caption) {
  return fmt::format("{}-{}.vtt", path_hash(caption.file.place()), version_of(caption.file.facts));
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
  PageWriter page(library, SIZE_MAX);
  const VideoEntry* first = first_of(library);
  if (first != nullptr) page.add(*first);
  for (const VideoEntry& video : library.videos())
    if (&video != first && is_listed(library, video)) page.add(video);
  return page.take() + "]}";
}

std::optional<std::string> encode_page(const VideoCatalog& catalog, const VideoQuery& query) {
  const MediaLibrary& library = *catalog.library;
  const VideoEntry* after = query.after.empty() ? nullptr : library.find(query.after);
  if (!query.after.empty() && after == nullptr) return std::nullopt;
  PageWriter page(library, query.limit);
  if (after == nullptr && !query.folder) add_private(library, query, page);
  if (query.order == VideoQuery::Order::newest) {
    add_newest(catalog, query, after, page);
  } else {
    add_by_title(catalog, query, after, page);
  }
  const std::string_view next = page.next();
  std::string json = page.take() + "],\"folders\":[";
  const LibraryFolders::Folder* folder = catalog.folders.find(query.folder.value_or(""));
  if (after == nullptr && query.words.empty() && folder != nullptr) {
    append_folders(json, library, catalog.folders, *folder);
  }
  json += ']';
  if (!next.empty()) append_member(json, "next", next);
  return json + '}';
}

VideoCatalogRef make_catalog(std::shared_ptr<const MediaLibrary> library) {
  const std::string json = encode_videos(*library);
  std::string words;
  std::vector<std::size_t> words_ends;
  words_ends.reserve(library->videos().size());
  std::uint64_t lengths = 0;
  for (const VideoEntry& video : library->videos()) {
    // In their order, so an odd factor (FNV's) tells apart what a plain sum would not.
    const double length_s = video.duration_s().value_or(0);
    lengths = lengths * 0x100000001b3 + std::hash<std::string>{}(video.id);
    lengths = lengths * 0x100000001b3 + std::bit_cast<std::uint64_t>(length_s);
    if (is_listed(*library, video)) words += video.folded;
    words += '\n';
    words_ends.push_back(words.size());
  }
  LibraryFolders folders(*library);
  std::vector<std::size_t> newest;
  std::vector<std::size_t> ages;
  sort_by_age(*library, newest, ages);
  return std::make_shared<const VideoCatalog>(
      std::move(library), BufferRef::copy_of(json), entity_tag(json), std::move(folders),
      std::move(words), std::move(words_ends), std::move(newest), std::move(ages), lengths);
}

}  // namespace videosync
