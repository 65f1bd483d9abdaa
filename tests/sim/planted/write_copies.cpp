// write_copies: copies of sources, with the faults of tests/sim/planted/faults.cpp in them.
//
//   write_copies SOURCE_DIR COPIES_DIR FILE...
//
// FILE, from SOURCE_DIR: each must have faults, and each fault one of them. Exit status 1, and why:
// a place was not found, or is not the only one.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/planted/faults.h"

namespace {

using namespace videosync::sim;

constexpr std::string_view opening = "«";
constexpr std::string_view closing = "»";

struct Change {
  std::size_t at = 0;
  std::size_t size = 0;
  std::string text;
};

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string plant(const PlantedFault& fault, std::size_t number, std::string_view right) {
  const std::string is_planted = fmt::format("::videosync::sim::planted == {}", number);
  if (fault.kind == PlantedFault::Kind::expression) {
    return fmt::format("({} ? ({}) : ({}))", is_planted, fault.instead, right);
  }
  return fmt::format("if ({}) {{ {} }} else {{ {} }}", is_planted, fault.instead, right);
}

// Nothing: its place is not there, or not the only one.
std::optional<Change> find_place(const PlantedFault& fault, std::size_t number,
                                 std::string_view source) {
  std::string around(fault.text);
  std::size_t begin = 0;
  std::size_t size = around.size();
  if (const std::size_t mark = around.find(opening); mark != around.npos) {
    around.erase(mark, opening.size());
    begin = mark;
    size = around.find(closing) - begin;
    around.erase(begin + size, closing.size());
  }
  const std::size_t at = source.find(around);
  if (at == source.npos || source.find(around, at + 1) != source.npos) {
    fmt::print(stderr,
               "{}: {} \"{}\", where the fault \"{}\" goes: see tests/sim/planted/faults.cpp\n",
               fault.file, at == source.npos ? "there is no" : "there is more than one", around,
               fault.name);
    return std::nullopt;
  }
  return Change{at + begin, size, plant(fault, number, source.substr(at + begin, size))};
}

// Of all faults of that file.
std::optional<std::vector<Change>> find_places(std::string_view file, std::string_view source) {
  std::vector<Change> changes;
  const auto faults = planted_faults();
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (faults[i].file != file) continue;
    auto change = find_place(faults[i], i + 1, source);
    if (!change) return std::nullopt;
    changes.push_back(std::move(*change));
  }
  std::ranges::sort(changes, {}, &Change::at);
  for (std::size_t i = 1; i < changes.size(); ++i) {
    if (changes[i - 1].at + changes[i - 1].size <= changes[i].at) continue;
    fmt::print(stderr, "{}: two faults have the same place\n", file);
    return std::nullopt;
  }
  return changes;
}

// What stands at a line of the copy stands there in the source, too.
bool write_copy(const std::filesystem::path& from, const std::filesystem::path& to,
                std::string_view file) {
  const std::string source = read(from / file);
  const auto changes = find_places(file, source);
  if (!changes) return false;
  if (changes->empty()) {
    fmt::print(stderr, "{}: no fault is planted in it\n", file);
    return false;
  }
  std::string copy = "#include \"tests/sim/planted/faults.h\"\n";
  copy += fmt::format("#line 1 \"{}\"\n", (from / file).string());
  std::size_t done = 0;
  for (const Change& change : *changes) {
    copy.append(source, done, change.at - done);
    copy += change.text;
    done = change.at + change.size;
  }
  copy.append(source, done);
  std::filesystem::create_directories((to / file).parent_path());
  std::ofstream out(to / file, std::ios::binary);
  return static_cast<bool>(out << copy << std::flush);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  if (words.size() < 3) {
    fmt::print(stderr, "write_copies SOURCE_DIR COPIES_DIR FILE...\n");
    return 2;
  }
  const std::vector<std::string_view> files(words.begin() + 2, words.end());
  for (const PlantedFault& fault : planted_faults()) {
    if (std::ranges::find(files, fault.file) != files.end()) continue;
    fmt::print(stderr, "{} has the fault {}, and no copy: name it in cmake/Planted.cmake\n",
               fault.file, fault.name);
    return 1;
  }
  const bool is_done = std::ranges::all_of(
      files, [&](std::string_view file) { return write_copy(words[0], words[1], file); });
  return is_done ? 0 : 1;
}
