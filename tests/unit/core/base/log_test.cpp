#include "core/base/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/base/assert.h"

using namespace videosync;

namespace {

// What `write` logs while this lives comes out of take_text().
class Capture {
 public:
  explicit Capture(LogFormat format, LogLevel level = LogLevel::debug) {
    cr_assert_eq(pipe2(ends_, O_CLOEXEC | O_NONBLOCK), 0);
    log_settings = {level, format, ends_[1]};
  }
  ~Capture() {
    log_settings = {};
    close(ends_[0]);
    close(ends_[1]);
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  std::string take_text() {
    std::string text(1 << 16, '\0');
    const ssize_t n = read(ends_[0], text.data(), text.size());
    text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return text;
  }

 private:
  int ends_[2];
};

std::string without_time(const std::string& line) {
  return line.substr(line.find(' ') + 1);
}

}  // namespace

Test(log, a_line_of_text) {
  Capture capture(LogFormat::text);
  log_info("listener", "accepting", field("address", "127.0.0.1:80"), field("port", 80),
           field("ok", true), field("load", 0.5), field("note", "two words"), field("none", ""));
  const std::string line = capture.take_text();
  cr_assert_eq(line[10], 'T');
  cr_assert_eq(line[26], 'Z');
  cr_assert_eq(without_time(line),
               "info listener: accepting address=127.0.0.1:80 port=80 ok=true load=0.5 "
               "note=\"two words\" none=\"\"\n",
               "%s", line.c_str());
}

Test(log, a_line_of_json) {
  Capture capture(LogFormat::json);
  log_error("store", "lost \"it\"", field("port", std::uint16_t{80}), field("low", -7),
            field("huge", UINT64_MAX), field("ok", false), field("odd", 0.0 / 0.0));
  const std::string line = capture.take_text();
  cr_assert(line.starts_with("{\"time\":\"2"));
  cr_assert_eq(line.substr(line.find(",\"level\"")),
               ",\"level\":\"error\",\"component\":\"store\",\"message\":\"lost \\\"it\\\"\","
               "\"port\":80,\"low\":-7,\"huge\":18446744073709551615,\"ok\":false,\"odd\":null}\n",
               "%s", line.c_str());
}

Test(log, lower_levels_are_silent) {
  Capture capture(LogFormat::text, LogLevel::warn);
  log_debug("a", "no");
  log_info("a", "no");
  log_warn("a", "yes");
  cr_assert_eq(without_time(capture.take_text()), "warn a: yes\n");
}

Test(log, what_a_peer_sent_cannot_forge_a_line) {
  const std::string hostile = "a\nb\r\x1b[31m\x7f\"\\ \xc2\x9b \xff\xc0\xaf \xed\xa0\x80 \xc3\xa9";
  {
    Capture capture(LogFormat::text);
    log_info("http", hostile, field("path", hostile));
    const std::string escaped =
        "a\\nb\\r\\u001b[31m\\u007f\\\"\\\\ \\u009b \\xff\\xc0\\xaf \\xed\\xa0\\x80 "
        "\xc3\xa9";
    cr_assert_eq(without_time(capture.take_text()),
                 "info http: " + escaped + " path=\"" + escaped + "\"\n");
  }
  Capture capture(LogFormat::json);
  log_info("http", hostile);
  const std::string line = capture.take_text();
  cr_assert(line.contains("a\\nb\\r\\u001b[31m\\u007f\\\"\\\\ \\u009b \\u00ff\\u00c0"), "%s",
            line.c_str());
  cr_assert_eq(line.find('\n'), line.size() - 1);
}

Test(log, a_long_line_is_cut_and_stays_well_formed) {
  const std::string message(10'000, 'x');
  const std::string euros = [] {
    std::string text;
    for (int i = 0; i < 3'000; ++i)
      text += "\xe2\x82\xac";
    return text;
  }();
  {
    Capture capture(LogFormat::json);
    log_info("a", "m", field("first", euros), field("second", message), field("n", 1));
    const std::string line = capture.take_text();
    cr_assert_leq(line.size(), log_line_bytes_max);
    cr_assert(line.ends_with("\xe2\x82\xac\",\"truncated\":true}\n"), "no character is split");
    cr_assert_not(line.contains("second"));
  }
  Capture capture(LogFormat::text);
  log_info("a", message, field("n", 1));
  const std::string line = capture.take_text();
  cr_assert_leq(line.size(), log_line_bytes_max);
  cr_assert(line.ends_with("xxx ...\n"));
}

Test(log, a_line_of_any_length_ends_well) {
  for (std::size_t length = log_line_bytes_max - 300; length < log_line_bytes_max; ++length) {
    Capture capture(LogFormat::json);
    log_info("a", std::string(length, '"'), field("k", std::string(length / 2, 'y')),
             field("n", 1234567));
    log_info("a", std::string(length, 'x'), field("a_rather_long_key", 1234567), field("z", true));
    std::istringstream lines(capture.take_text());
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      cr_assert_lt(line.size(), log_line_bytes_max);
      const bool whole = line.ends_with("true}") || line.ends_with("1234567}");
      cr_assert(whole, "length %zu: %s", length, line.c_str());
    }
    cr_assert_eq(count, 2);
  }
}

Test(log, threads_do_not_mix_lines) {
  Capture capture(LogFormat::text);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 100; ++i)
          log_info("thread", "a line of some length", field("i", 7));
      });
    }
  }
  std::istringstream lines(capture.take_text());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    cr_assert_eq(without_time(line), "info thread: a line of some length i=7");
  cr_assert_eq(count, 400);
}

// What a child process says that logs by a LogWriter and then ends by an assertion; how it ends.
struct LastWords {
  std::string text;
  int status = 0;
};

static LastWords assert_in_a_child(bool is_stalled) {
  int ends[2];
  cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
  cr_assert_geq(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
  const std::string filler(4096, '.');
  if (is_stalled) cr_assert_eq(write(ends[1], filler.data(), filler.size()), 4096);
  const pid_t child = fork();
  if (child == 0) {
    const rlimit no_core{};
    setrlimit(RLIMIT_CORE, &no_core);
    log_settings = {LogLevel::info, LogFormat::text, ends[1]};
    start_log_writer();
    for (int i = 0; i < 500; ++i)
      log_info("child", "a line", field("i", i));
    VS_ASSERT(ends[0] == -2);
  }
  close(ends[1]);
  LastWords last;
  char piece[4096];
  ssize_t n = 0;
  while (!is_stalled && (n = read(ends[0], piece, sizeof piece)) > 0)
    last.text.append(piece, static_cast<std::size_t>(n));
  cr_assert_eq(waitpid(child, &last.status, 0), child);
  close(ends[0]);
  return last;
}

Test(log, an_assertion_comes_last_and_after_all_that_was_logged, .timeout = 30) {
  const LastWords last = assert_in_a_child(false);
  cr_assert(WIFSIGNALED(last.status) && WTERMSIG(last.status) == SIGABRT);
  cr_assert_eq(std::ranges::count(last.text, '\n'), 501);
  cr_assert(last.text.contains("a line i=499\n"));
  cr_assert(last.text.ends_with(": assertion failed: ends[0] == -2\n"), "%s",
            last.text.substr(last.text.size() - 100).c_str());
}

Test(log, an_assertion_ends_the_process_where_nobody_reads, .timeout = 30) {
  const LastWords last = assert_in_a_child(true);
  cr_assert(WIFSIGNALED(last.status) && WTERMSIG(last.status) == SIGABRT);
}
