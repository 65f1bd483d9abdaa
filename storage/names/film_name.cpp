#include "storage/names/film_name.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/base/utf8.h"
#include "storage/names/text_fold.h"
#include "storage/names/video_name.h"

namespace videosync {

namespace {

constexpr int year_min = 1900;
constexpr int year_max = 2039;
constexpr std::string_view blanks_and_dashes = " -._";

// What no title has, so that it ends before it.
constexpr std::array<std::string_view, 29> release_words{
    "4k",    "uhd",    "bluray", "bdrip", "brrip", "bdremux", "remux",  "dvdrip", "dvdscr", "hdtv",
    "webdl", "webrip", "hdrip",  "hdcam", "xvid",  "divx",    "x264",   "x265",   "h264",   "h265",
    "hevc",  "10bit",  "hdr10",  "dts",   "ac3",   "eac3",    "truehd", "fps",    "dvdr"};

// As they are found in a name, folded, and as they are shown.
constexpr std::array<std::pair<std::string_view, std::string_view>, 17> editions{{
    {"director's cut", "Director's Cut"},
    {"directors cut", "Director's Cut"},
    {"extended cut", "Extended Cut"},
    {"extended edition", "Extended Edition"},
    {"extended", "Extended"},
    {"theatrical cut", "Theatrical Cut"},
    {"theatrical", "Theatrical"},
    {"final cut", "Final Cut"},
    {"special edition", "Special Edition"},
    {"collector's edition", "Collector's Edition"},
    {"ultimate edition", "Ultimate Edition"},
    {"ultimate cut", "Ultimate Cut"},
    {"remastered", "Remastered"},
    {"unrated", "Unrated"},
    {"uncut", "Uncut"},
    {"imax", "IMAX"},
    {"criterion", "Criterion"},
}};

struct ExtraKind {
  std::string_view suffix;  // of a file: "Film-trailer"
  std::string_view folder;  // folded
  std::string_view kind;
};
constexpr std::array<ExtraKind, 13> extra_kinds{{
    {"-trailer", "trailers", "trailer"},
    {"-behindthescenes", "behind the scenes", "behind the scenes"},
    {"-deletedscene", "deleted scenes", "deleted scene"},
    {"-deleted", "deleted", "deleted scene"},
    {"-featurette", "featurettes", "featurette"},
    {"-interview", "interviews", "interview"},
    {"-scene", "scenes", "scene"},
    {"-short", "shorts", "short"},
    {"-clip", "clips", "clip"},
    {"-sample", "samples", "sample"},
    {"-sample", "sample", "sample"},
    {"-extra", "extras", "extra"},
    {"-other", "bonus", "extra"},
}};

constexpr std::array<std::string_view, 6> names_of_nothing{"movie", "film",    "video",
                                                           "main",  "feature", "index"};

std::string_view last_of(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view parent_of(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

bool is_word_byte(char c) noexcept {
  return is_digit(c) || is_letter(c) || static_cast<unsigned char>(c) >= 0x80;
}

bool is_all_digits(std::string_view word) noexcept {
  return !word.empty() && std::ranges::all_of(word, is_digit);
}

// Moves at most so many digits off the front; nullopt without any.
std::optional<int> take_digits(std::string_view& text, std::size_t digits_max) {
  std::size_t length = 0;
  while (length < std::min(text.size(), digits_max) && is_digit(text[length]))
    ++length;
  const auto number = parse_decimal<int>(text.substr(0, length));
  if (number) text.remove_prefix(length);
  return number;
}

// Three or more single letters between dots are one word: "S.W.A.T".
std::size_t initials_at(std::string_view text) noexcept {
  std::size_t length = 0;
  std::size_t letters = 0;
  while (length < text.size() && is_letter(text[length]) &&
         (length + 1 == text.size() || text[length + 1] == '.')) {
    ++letters;
    length += 2;
  }
  if (letters < 3) return 0;
  return std::min(length - 1, text.size());
}

// As people write it: where a name has no blanks, dots, dashes and underscores stand for them.
std::string spaced(std::string_view bytes) {
  const std::string text = to_utf8(bytes);
  const bool has_blanks = text.find(' ') != std::string::npos;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_at_word = i == 0 || !is_word_byte(text[i - 1]);
    if (const std::size_t length = is_at_word ? initials_at(std::string_view(text).substr(i)) : 0) {
      out += text.substr(i, length);
      i += length - 1;
      continue;
    }
    const bool is_blank = is_control_byte(c) || c == '_' || (!has_blanks && (c == '.' || c == '-'));
    out += is_blank ? ' ' : c;
  }
  return out;
}

std::string tidy(std::string_view text) {
  std::string out;
  for (const char c : trim(text, blanks_and_dashes)) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  }
  return out;
}

struct Word {
  std::size_t at = 0;
  std::string_view text;
  bool is_bracketed = false;
};

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  bool is_bracketed = false;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '(' || c == '[' || c == '{') is_bracketed = true;
    if (c == ')' || c == ']' || c == '}') is_bracketed = false;
    if (!is_word_byte(c) && c != '\'') {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && (is_word_byte(text[end]) || text[end] == '\''))
      ++end;
    words.push_back({i, text.substr(i, end - i), is_bracketed});
    i = end;
  }
  return words;
}

// "1080p", "4K": as it is called; "" for any other word.
std::string quality_of(std::string_view word) {
  const std::string folded = fold_text(word);
  if (folded == "4k" || folded == "uhd") return "2160p";
  const bool is_lines = (folded.size() == 4 || folded.size() == 5) &&
                        (folded.back() == 'p' || folded.back() == 'i') &&
                        is_all_digits(std::string_view(folded).substr(0, folded.size() - 1));
  return is_lines ? folded : "";
}

bool is_release_word(std::string_view word) {
  if (!quality_of(word).empty()) return true;
  const std::string folded = fold_text(word);
  return std::ranges::find(release_words, folded) != release_words.end();
}

std::optional<int> year_of(std::string_view word) {
  if (word.size() != 4 || !is_all_digits(word)) return std::nullopt;
  const auto year = parse_decimal<int>(word);
  return year && *year >= year_min && *year <= year_max ? year : std::nullopt;
}

// The word that is the film's year: one in brackets; else the last before what ends a title, or at
// the end of a name without blanks. A number that begins the name is its title.
const Word* find_year(std::span<const Word> words, bool has_blanks) {
  const Word* last = nullptr;
  bool has_release = false;
  for (std::size_t i = 0; i < words.size() && !has_release; ++i) {
    const bool is_year = year_of(words[i].text).has_value();
    if (is_year && words[i].is_bracketed) return &words[i];
    if (i == 0) continue;
    has_release = is_release_word(words[i].text);
    if (is_year) last = &words[i];
  }
  if (last == nullptr || has_release) return last;
  return !has_blanks && last == &words.back() ? last : nullptr;
}

std::string edition_in(std::string_view rest) {
  constexpr std::string_view tag = "{edition-";
  const std::size_t at = rest.find(tag);
  if (at != std::string_view::npos) {
    const std::string_view from = rest.substr(at + tag.size());
    return tidy(from.substr(0, from.find('}')));
  }
  const std::string folded = fold_text(rest);
  for (const auto& [words, shown] : editions)
    if (folded.contains(words)) return std::string(shown);
  return {};
}

// Of a film's name without marks of an episode or an extra: fills all but those.
void read_film(std::string_view stem, FilmName& name) {
  const std::string text = spaced(stem);
  const std::string_view view = text;
  const std::vector<Word> words = words_of(view);
  const bool has_blanks = stem.find(' ') != std::string_view::npos;
  std::size_t end = text.size();
  if (const Word* year = find_year(words, has_blanks)) {
    name.year = year_of(year->text);
    end = year->at;
  }
  for (const Word& word : words) {
    if (name.quality.empty()) name.quality = quality_of(word.text);
    if (word.at > 0 && is_release_word(word.text)) end = std::min(end, word.at);
  }
  for (const char bracket : {'[', '{'}) {
    const std::size_t at = text.find(bracket);
    if (at != std::string::npos && at > 0) end = std::min(end, at);
  }
  name.title = tidy(view.substr(0, end));
  while (name.title.ends_with('('))
    name.title = tidy(std::string_view(name.title).substr(0, name.title.size() - 1));
  const std::string_view rest = view.substr(end);
  name.edition = edition_in(rest);
  // "Film (2001) - what this version is": Jellyfin's way.
  const std::size_t dash = rest.find(") - ");
  if (name.edition.empty() && name.quality.empty() && dash != std::string_view::npos) {
    name.edition = tidy(rest.substr(dash + 4));
  }
}

struct Mark {
  std::size_t at = 0;
  std::size_t end = 0;
  int season = 1;
  int number = 0;
};

// "S01E02", "s1 e2", "1x02" at the front; `end` behind further episodes of the same file.
std::optional<Mark> mark_at_front(std::string_view text) {
  const std::string_view whole = text;
  Mark mark;
  const bool has_letter = ascii_lower(text.front()) == 's';
  if (has_letter) text.remove_prefix(1);
  const auto season = take_digits(text, has_letter ? 4 : 2);
  if (!season) return std::nullopt;
  mark.season = *season;
  if (has_letter && !text.empty() && blanks_and_dashes.contains(text.front()))
    text.remove_prefix(1);
  if (text.empty() || ascii_lower(text.front()) != (has_letter ? 'e' : 'x')) return std::nullopt;
  text.remove_prefix(1);
  const std::size_t before = text.size();
  const auto number = take_digits(text, 4);
  if (!number || (!has_letter && before - text.size() < 2)) return std::nullopt;
  if (!text.empty() && is_word_byte(text.front()) && ascii_lower(text.front()) != 'e') {
    return std::nullopt;
  }
  mark.number = *number;
  for (;;) {
    std::string_view more = text;
    while (!more.empty() && blanks_and_dashes.contains(more.front()))
      more.remove_prefix(1);
    if (more.empty() || ascii_lower(more.front()) != 'e') break;
    more.remove_prefix(1);
    if (!take_digits(more, 4)) break;
    text = more;
  }
  mark.end = whole.size() - text.size();
  return mark;
}

std::optional<Mark> find_mark(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && is_word_byte(text[i - 1])) continue;
    if (auto mark = mark_at_front(text.substr(i))) {
      mark->at = i;
      mark->end += i;
      return mark;
    }
  }
  return std::nullopt;
}

// In a folder of a season: "05 - Title", "E05", "Episode 5 Title".
std::optional<Mark> mark_in_season(std::string_view text, int season) {
  std::string_view rest = text;
  for (const std::string_view word : {"episode ", "folge ", "ep", "e"}) {
    if (!fold_text(rest.substr(0, word.size())).starts_with(word)) continue;
    rest.remove_prefix(word.size());
    break;
  }
  const auto number = take_digits(rest, 3);
  if (!number || (!rest.empty() && is_word_byte(rest.front()))) return std::nullopt;
  return Mark{0, text.size() - rest.size(), season, *number};
}

std::string title_up_to_release(std::string_view text) {
  FilmName name;
  const std::string_view cut = text.substr(0, text.find_first_of("[{"));
  std::size_t end = cut.size();
  for (const Word& word : words_of(cut))
    if (is_release_word(word.text)) end = std::min(end, word.at);
  return tidy(cut.substr(0, end));
}

bool read_episode(std::string_view folder, std::string_view stem, FilmName& name) {
  const std::optional<int> season = season_of_folder(last_of(folder));
  const std::string text = spaced(stem);
  std::optional<Mark> mark = find_mark(text);
  if (!mark && season) mark = mark_in_season(text, *season);
  if (!mark) return false;
  FilmName show;
  if (mark->at > 0) read_film(std::string_view(text).substr(0, mark->at), show);
  if (show.title.empty()) {
    const std::string_view of_show = season ? parent_of(folder) : folder;
    if (!of_show.empty()) read_film(last_of(of_show), show);
  }
  if (show.title.empty()) return false;
  name.year = show.year;
  for (const Word& word : words_of(text))
    if (name.quality.empty()) name.quality = quality_of(word.text);
  std::string title = title_up_to_release(std::string_view(text).substr(mark->end));
  name.episode = {std::move(show.title), mark->season, mark->number, std::move(title)};
  name.title = name.episode->shown_title();
  return true;
}

bool read_extra(std::string_view folder, std::string_view stem, FilmName& name) {
  const std::string of_folder = fold_text(last_of(folder));
  const std::string of_stem = fold_text(stem);
  for (const ExtraKind& kind : extra_kinds) {
    if (of_stem.size() > kind.suffix.size() && of_stem.ends_with(kind.suffix)) {
      read_film(stem.substr(0, stem.size() - kind.suffix.size()), name);
      name.title += fmt::format(" ({})", kind.kind);
    } else if (!folder.empty() && of_folder == kind.folder) {
      read_film(stem, name);
    } else {
      continue;
    }
    name.extra = kind.kind;
    return true;
  }
  return false;
}

// A film in a folder of its own has what that says and the file does not.
void learn_from_folder(std::string_view folder, FilmName& name) {
  FilmName of_folder;
  read_film(last_of(folder), of_folder);
  const bool says_nothing =
      std::ranges::find(names_of_nothing, fold_text(name.title)) != names_of_nothing.end();
  if (says_nothing && of_folder.year) name.title = of_folder.title;
  if (!name.year && fold_text(name.title) == fold_text(of_folder.title)) name.year = of_folder.year;
}

}  // namespace

std::string FilmName::Episode::shown_title() const {
  return fmt::format("{} S{:02}E{:02}{}{}", show, season, number, title.empty() ? "" : " ", title);
}

std::optional<int> season_of_folder(std::string_view folder) {
  const std::string name = fold_text(to_utf8(folder));
  if (name == "specials" || name == "special") return 0;
  std::string_view rest = name;
  for (const std::string_view word : {"season", "staffel", "saison", "temporada", "series", "s"}) {
    if (!rest.starts_with(word)) continue;
    rest.remove_prefix(word.size());
    rest = trim(rest, blanks_and_dashes);
    const auto number = take_digits(rest, 4);
    return rest.empty() ? number : std::nullopt;
  }
  return std::nullopt;
}

FilmName parse_film_name(std::string_view folder, std::string_view stem) {
  FilmName name;
  if (!read_extra(folder, stem, name) && !read_episode(folder, stem, name)) {
    read_film(stem, name);
    if (!folder.empty()) learn_from_folder(folder, name);
  }
  if (name.title.empty()) name.title = title_of(stem);
  if (name.title.empty()) name.title = "Untitled";
  return name;
}

}  // namespace videosync
