#include "core/base/log_writer.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/allocations.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using videosync::test::allocations_of;

namespace {

using std::chrono::milliseconds;

constexpr milliseconds long_enough{20'000};
// More than a pipe and both of the writer's buffers hold.
constexpr int too_many_lines = 60'000;

// A pipe that nobody reads before read_all().
class Pipe {
 public:
  explicit Pipe(int flags = 0) {
    cr_assert_eq(pipe2(ends_, O_CLOEXEC | flags), 0);
    cr_assert_geq(fcntl(ends_[1], F_SETPIPE_SZ, 4096), 4096);
  }
  ~Pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int in() const noexcept { return ends_[1]; }
  int out() const noexcept { return ends_[0]; }
  void close_reader() noexcept { close(std::exchange(ends_[0], -1)); }

  // All that comes until `writer` has ended.
  std::string read_all(std::optional<LogWriter>& writer) {
    std::string text;
    std::jthread reader([&] {
      char piece[4096];
      for (ssize_t n = 0; (n = read(ends_[0], piece, sizeof piece)) != 0;) {
        if (n > 0) text.append(piece, static_cast<std::size_t>(n));
      }
    });
    writer.reset();
    close(std::exchange(ends_[1], -1));
    reader.join();
    return text;
  }

 private:
  int ends_[2];
};

std::string line_of(int number) {
  return "line " + std::to_string(number) + "\n";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

// How many lines a notice says were dropped; 0: it is none.
std::uint64_t dropped_in(const std::string& line) {
  const std::size_t at = line.find(" warn log: lines were dropped");
  return at == line.npos ? 0 : std::stoull(line.substr(line.rfind('=') + 1));
}

// How many lines the notices say were dropped: each must stand exactly where they are missing.
std::uint64_t judge_gaps(std::span<const std::string> lines) {
  std::uint64_t next = 0;
  std::uint64_t dropped = 0;
  for (const std::string& line : lines) {
    const std::uint64_t gap = dropped_in(line);
    if (gap == 0) cr_assert_eq(line + "\n", line_of(static_cast<int>(next)), "%s", line.c_str());
    next += gap == 0 ? 1 : gap;
    dropped += gap;
  }
  cr_assert_eq(next, static_cast<std::uint64_t>(too_many_lines));
  return dropped;
}

void write_too_many(LogWriter& writer) {
  for (int i = 0; i < too_many_lines; ++i)
    writer.write(line_of(i));
}

}  // namespace

Test(log_writer, lines_of_many_threads_all_come_each_threads_in_order) {
  Pipe pipe;
  std::optional<LogWriter> writer(std::in_place, pipe.in(), LogFormat::text);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 1'000; ++i)
          writer->write(std::to_string(t) + " " + std::to_string(i) + "\n");
      });
    }
  }
  cr_assert_eq(writer->dropped(), 0u);
  int next[4] = {};
  for (const std::string& line : lines_of(pipe.read_all(writer))) {
    const auto thread = static_cast<std::size_t>(line[0] - '0');
    cr_assert_eq(line, std::to_string(thread) + " " + std::to_string(next[thread]), "%s",
                 line.c_str());
    ++next[thread];
  }
  for (const int count : next)
    cr_assert_eq(count, 1'000);
}

Test(log_writer, a_stalled_reader_holds_nobody_up_and_misses_a_counted_piece, .timeout = 60) {
  Pipe pipe;
  std::optional<LogWriter> writer(std::in_place, pipe.in(), LogFormat::text);
  write_too_many(*writer);
  cr_assert_not(writer->flush(milliseconds(20)));
  const std::uint64_t dropped = writer->dropped();
  const std::vector<std::string> lines = lines_of(pipe.read_all(writer));
  cr_assert_eq(judge_gaps(lines), dropped);
  cr_assert_gt(dropped, 0u);
  cr_assert_geq((lines.size() - 2) * line_of(0).size(), LogWriter::queued_bytes_max / 2);
}

Test(log_writer, it_goes_on_behind_a_gap, .timeout = 60) {
  Pipe pipe;
  std::optional<LogWriter> writer(std::in_place, pipe.in(), LogFormat::text);
  write_too_many(*writer);
  const std::uint64_t dropped = writer->dropped();
  std::jthread late([&] {
    // Somebody reads now: what waits leaves, the notice behind it.
    cr_assert(writer->flush(long_enough));
    writer->write("after\n");
    cr_assert_eq(writer->dropped(), dropped);
  });
  std::string text;
  while (!text.ends_with("after\n")) {
    char piece[4096];
    const ssize_t n = read(pipe.out(), piece, sizeof piece);
    cr_assert_gt(n, 0);
    text.append(piece, static_cast<std::size_t>(n));
  }
  late.join();
  const std::vector<std::string> lines = lines_of(text);
  cr_assert_gt(dropped, 0u);
  cr_assert_eq(judge_gaps(std::span(lines).first(lines.size() - 1)), dropped);
}

Test(log_writer, handing_over_allocates_nothing) {
  if (!videosync::test::can_count_allocations) return;
  Pipe pipe;
  std::optional<LogWriter> writer(std::in_place, pipe.in(), LogFormat::text);
  const std::string line = std::string(100, 'x') + "\n";
  const auto allocations = allocations_of([&] {
    for (int i = 0; i < 10'000; ++i)
      writer->write(line);
  });
  cr_assert_eq(allocations, 0u);
  pipe.read_all(writer);
}

Test(log_writer, last_words_have_a_place_behind_all_that_came, .timeout = 60) {
  Pipe pipe;
  std::optional<LogWriter> writer(std::in_place, pipe.in(), LogFormat::text);
  write_too_many(*writer);
  const std::uint64_t dropped = writer->dropped();
  for (int i = 0; i < 10; ++i)
    writer->write_last(std::string(log_line_bytes_max, 'x') + "\n");  // no room for all of these
  writer->write("too late\n");
  const std::vector<std::string> lines = lines_of(pipe.read_all(writer));
  const auto last = std::ranges::find(lines, std::string(log_line_bytes_max, 'x'));
  cr_assert(last != lines.end());
  cr_assert_eq(judge_gaps({lines.begin(), last}), dropped);
}

Test(log_writer, a_descriptor_that_somebody_made_non_blocking_loses_nothing) {
  Pipe pipe(O_NONBLOCK);
  const int flags = fcntl(pipe.in(), F_GETFL);
  std::optional<LogWriter> writer(std::in_place, pipe.in(), LogFormat::text);
  for (int i = 0; i < 5'000; ++i)
    writer->write(line_of(i));
  cr_assert_not(writer->flush(milliseconds(20)));
  cr_assert_eq(fcntl(pipe.in(), F_GETFL), flags);
  cr_assert_eq(lines_of(pipe.read_all(writer)).size(), 5'000u);
}

Test(log_writer, nobody_dies_with_the_reader) {
  Pipe pipe;
  pipe.close_reader();
  LogWriter writer(pipe.in(), LogFormat::text);
  for (int i = 0; i < 5; ++i)
    writer.write(line_of(i));
  cr_assert(writer.flush(long_enough));
  cr_assert_eq(writer.dropped(), 5u);
}

Test(log_writer, what_a_full_disk_cut_off_spoils_no_line) {
  const videosync::test::TempFolder folder;
  const std::string path = folder / "log";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  cr_assert_geq(file, 0);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{line_of(0).size() * 3 + 2, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  {
    LogWriter writer(file, LogFormat::text);
    for (int i = 0; i < 8; ++i)
      writer.write(line_of(i));
    cr_assert(writer.flush(long_enough));
    cr_assert_eq(writer.dropped(), 5u);
    setrlimit(RLIMIT_FSIZE, &before);
    writer.write(line_of(8));
  }
  close(file);
  const int again = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(read(again, text.data(), text.size())));
  close(again);
  const std::vector<std::string> lines = lines_of(text);
  cr_assert_eq(lines.size(), 6u, "%s", text.c_str());
  cr_assert_eq(lines[3], "li");
  cr_assert_eq(dropped_in(lines[4]), 5u, "%s", text.c_str());
  cr_assert_eq(lines[5], "line 8");
}
