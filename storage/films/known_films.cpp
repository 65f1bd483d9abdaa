#include "storage/films/known_films.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>

#include "core/base/maker_version.h"
#include "core/base/text.h"
#include "core/base/unique_fd.h"
#include "core/base/utf8.h"

namespace videosync {

namespace {

constexpr std::string_view first_line = "videosync films 1";
constexpr double us_a_second = 1e6;
constexpr off_t bytes_max = off_t{256} << 20;

// A path as it is, or in hexadecimal digits where it has tabs or newlines, which part fields.
void append_path(std::string& out, std::string_view path) {
  if (!has_control_bytes(path)) {
    out += '=';
    out += path;
  } else {
    out += 'x';
    out += to_hex({reinterpret_cast<const std::uint8_t*>(path.data()), path.size()});
  }
}

// "": it makes no sense.
std::string read_path(std::string_view text) {
  if (text.starts_with('=')) return std::string(text.substr(1));
  if (!text.starts_with('x') || text.size() % 2 == 0) return {};
  std::string path((text.size() - 1) / 2, '\0');
  const bool is_hex =
      parse_hex(text.substr(1), {reinterpret_cast<std::uint8_t*>(path.data()), path.size()});
  return is_hex ? path : "";
}

std::string read_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0 || status.st_size > bytes_max) return {};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t n = ::read(file.get(), text.data() + length, text.size() - length);
    if (n <= 0) break;
    length += static_cast<std::size_t>(n);
  }
  text.resize(length);
  return text;
}

std::string_view take_until(std::string_view& text, char end) noexcept {
  const std::size_t at = text.find(end);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

// Kind, year, season and number, -1 where there is none; title, show.
void append_notes(std::string& out, const FilmNotes& notes) {
  fmt::format_to(std::back_inserter(out), "{}\t{}\t{}\t{}\t{}\t{}", static_cast<int>(notes.kind),
                 notes.year.value_or(-1), notes.season.value_or(-1), notes.number.value_or(-1),
                 notes.title, notes.show);
}

std::optional<int> read_number(std::string_view& line) {
  const auto number = parse_decimal<int>(take_until(line, '\t'));
  return number && *number >= 0 ? number : std::nullopt;
}

// "n", size, mtime, the notes as above, path.
void read_notes(std::string_view line, NotesBook::Known& known) {
  const auto size = parse_decimal<std::uint64_t>(take_until(line, '\t'));
  const auto mtime_ns = parse_decimal<std::int64_t>(take_until(line, '\t'));
  const auto kind = parse_decimal<int>(take_until(line, '\t'));
  FilmNotes notes;
  notes.year = read_number(line);
  notes.season = read_number(line);
  notes.number = read_number(line);
  notes.title = to_utf8(take_until(line, '\t'));
  notes.show = to_utf8(take_until(line, '\t'));
  std::string path = read_path(line);
  const bool is_kind = kind && *kind >= 0 && *kind <= static_cast<int>(FilmNotes::Kind::show);
  if (!size || !mtime_ns || !is_kind || path.empty()) return;
  notes.kind = static_cast<FilmNotes::Kind>(*kind);
  known.insert_or_assign(FileVersion{std::move(path), *size, *mtime_ns}, std::move(notes));
}

// "f", size, mtime, duration in microseconds, path.
void read_duration(std::string_view line, MediaProbe::Known& films) {
  const auto size = parse_decimal<std::uint64_t>(take_until(line, '\t'));
  const auto mtime_ns = parse_decimal<std::int64_t>(take_until(line, '\t'));
  const auto duration_us = parse_decimal<std::int64_t>(take_until(line, '\t'));
  std::string path = read_path(line);
  if (!size || !mtime_ns || !duration_us || *duration_us <= 0 || path.empty()) return;
  films.insert_or_assign({std::move(path), *size, *mtime_ns},
                         LearnedFilm{static_cast<double>(*duration_us) / us_a_second, nullptr});
}

// Behind "m" and the maker's version: "t", size, mtime, what videosync-media told, path.
void read_facts(std::string_view line, MediaProbe::Known& films) {
  const auto size = parse_decimal<std::uint64_t>(take_until(line, '\t'));
  const auto mtime_ns = parse_decimal<std::int64_t>(take_until(line, '\t'));
  auto facts = parse_film_facts(take_until(line, '\t'));
  std::string path = read_path(line);
  if (!size || !mtime_ns || !facts || path.empty()) return;
  films.insert_or_assign({std::move(path), *size, *mtime_ns}, learned_of(std::move(*facts)));
}

// "i", plain id, 1 where it is listed, when its film went, path.
void read_holder(std::string_view line, std::map<std::string, FilmIds::Holder>& holders) {
  const std::string_view plain = take_until(line, '\t');
  const auto is_listed = parse_decimal<int>(take_until(line, '\t'));
  const auto absent_since_s = parse_decimal<std::int64_t>(take_until(line, '\t'));
  std::string path = read_path(line);
  if (plain.empty() || !is_listed || !absent_since_s || path.empty()) return;
  holders.insert_or_assign(std::string(plain),
                           FilmIds::Holder{std::move(path), *is_listed != 0, *absent_since_s});
}

}  // namespace

KnownFilms KnownFilms::read(const std::string& path) {
  KnownFilms known;
  const std::string text = read_file(path);
  std::string_view rest = text;
  if (take_until(rest, '\n') != first_line) return known;
  bool is_of_maker = false;  // what follows was told by the videosync-media of this version
  // The last line is whole where a newline ends it.
  while (rest.find('\n') != std::string_view::npos) {
    std::string_view line = take_until(rest, '\n');
    const std::string_view kind = take_until(line, '\t');
    if (kind == "f") read_duration(line, known.films);
    if (kind == "m") is_of_maker = parse_decimal<int>(line) == maker_version;
    if (kind == "t" && is_of_maker) read_facts(line, known.films);
    if (kind == "i") read_holder(line, known.holders);
    if (kind == "n") read_notes(line, known.notes);
  }
  return known;
}

Result<> KnownFilms::write(const std::string& path, const MediaProbe::Known& films,
                           const std::map<std::string, FilmIds::Holder>& holders,
                           const NotesBook::Known& notes) {
  std::string text = fmt::format("{}\nm\t{}\n", first_line, maker_version);
  for (const auto& [version, learned] : films) {
    if (learned.facts != nullptr) {
      fmt::format_to(std::back_inserter(text), "t\t{}\t{}\t{}\t", version.size, version.mtime_ns,
                     learned.facts->told);
    } else if (learned.duration_s) {
      fmt::format_to(std::back_inserter(text), "f\t{}\t{}\t{}\t", version.size, version.mtime_ns,
                     std::llround(*learned.duration_s * us_a_second));
    } else {
      continue;  // the next process may have more luck
    }
    append_path(text, version.path);
    text += '\n';
  }
  for (const auto& [plain, holder] : holders) {
    fmt::format_to(std::back_inserter(text), "i\t{}\t{}\t{}\t", plain, holder.is_listed ? 1 : 0,
                   holder.absent_since_s);
    append_path(text, holder.path);
    text += '\n';
  }
  for (const auto& [version, said] : notes) {
    fmt::format_to(std::back_inserter(text), "n\t{}\t{}\t", version.size, version.mtime_ns);
    append_notes(text, said);
    text += '\t';
    append_path(text, version.path);
    text += '\n';
  }
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  UniqueFd file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) return fail_errno("write " + path, errno);
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t n = ::write(file.get(), text.data() + length, text.size() - length);
    if (n <= 0) break;
    length += static_cast<std::size_t>(n);
  }
  file.reset();
  if (length == text.size() && ::rename(temporary.c_str(), path.c_str()) == 0) return {};
  const int reason = errno;
  ::unlink(temporary.c_str());
  return fail_errno("write " + path, reason);
}

}  // namespace videosync
