// Runs Criterion's tests where Criterion itself cannot: in the sanitizer builds.
//
// Criterion starts each test in a new process by way of a memory arena at a fixed address. That
// address lies inside ThreadSanitizer's shadow, so no test starts at all; and its processes end
// without the checks that a sanitizer makes at exit. This file is linked instead of libcriterion:
// the tests are compiled from the same sources with Criterion's own headers, and what those headers
// declare and our tests use is defined here. Each test runs in a forked child, which leaves by
// exit(), so that a leak, a race or a thread left running fails the test that caused it.
//
// Usage: <test program> [--filter PATTERN], of suite/name, as Criterion takes it. Exits 1 if a test
// failed or none was run.
#include <fnmatch.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <criterion/criterion.h>

// The linker's names for the bounds of the section in which Test() leaves one pointer a test.
extern "C" criterion_test* __start_cr_tst[];
extern "C" criterion_test* __stop_cr_tst[];

// Read by the assertions: zero means that only failures are reported.
struct criterion_options criterion_options{};

namespace {

// A sanitized test is an order of magnitude slower than a plain one; a hang must still end.
constexpr unsigned default_timeout_s = 100;

const criterion_test* current_test = nullptr;

[[noreturn]] void run_child(const criterion_test& test) {
  current_test = &test;
  const double timeout_s = test.data->timeout;
  alarm(timeout_s > 0 ? static_cast<unsigned>(std::ceil(timeout_s)) : default_timeout_s);
  test.test();
  std::exit(0);
}

std::string name_of(const criterion_test& test) {
  return std::string(test.category) + "/" + test.name;
}

// Empty when the child ended as the test wants it to, else what happened.
std::string judge(const criterion_test& test, int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    if (signal == test.data->signal) return {};
    return signal == SIGALRM ? "timed out" : std::string("killed by ") + strsignal(signal);
  }
  if (test.data->signal != 0)
    return std::string("was not killed by ") + strsignal(test.data->signal);
  const int code = WEXITSTATUS(status);
  return code == test.data->exit_code ? std::string() : "exit code " + std::to_string(code);
}

bool run(const criterion_test& test) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) {
    std::perror("fork");
    return false;
  }
  if (child == 0) run_child(test);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
  }
  const std::string fault = judge(test, status);
  if (!fault.empty()) std::fprintf(stderr, "[FAIL] %s: %s\n", name_of(test).c_str(), fault.c_str());
  return fault.empty();
}

}  // namespace

// What Criterion's headers declare. The arguments are theirs.
extern "C" {

void criterion_internal_test_setup() {
  if (current_test->data->init != nullptr) current_test->data->init();
}

void criterion_internal_test_main(void (*body)()) {
  body();
}

void criterion_internal_test_teardown() {
  if (current_test->data->fini != nullptr) current_test->data->fini();
}

void criterion_send_assert(criterion_assert_stats* assertion) {
  std::fprintf(stderr, "%s:%u: %s: assertion failed: %s\n", assertion->file, assertion->line,
               name_of(*current_test).c_str(), assertion->message);
}

void cri_asserts_passed_incr() {}

// Referred to by the headers' log streams; none of our tests logs.
void cr_log(enum criterion_severity, const char*, ...) {}

// An assertion may fail on any thread and with locks held: nothing of the test is run any more.
void criterion_abort_test() {
  std::fflush(nullptr);
  _exit(1);
}

// A failed expectation ends the test, too: what follows would not be trusted anyway.
void criterion_continue_test() {
  criterion_abort_test();
}

void criterion_skip_test(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::fprintf(stderr, "[SKIP] %s: ", name_of(*current_test).c_str());
  std::vfprintf(stderr, format, arguments);
  std::fputc('\n', stderr);
  va_end(arguments);
  std::fflush(nullptr);
  _exit(0);
}

void criterion_test_die(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  std::fputc('\n', stderr);
  va_end(arguments);
  _exit(1);
}

// The first argument behind the index is the text of the condition that did not hold.
char* cr_translate_assert_msg(int index, ...) {
  std::va_list arguments;
  va_start(arguments, index);
  char* text = strdup(va_arg(arguments, const char*));
  va_end(arguments);
  return text;
}

int cr_asprintf(char** text, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  const int length = vasprintf(text, format, arguments);
  va_end(arguments);
  return length;
}

void cr_asprintf_free(char* text) {
  std::free(text);
}
}

int main(int argc, char** argv) {
  const char* wanted = argc == 3 && std::string_view(argv[1]) == "--filter" ? argv[2] : "*";
  int tests = 0;
  int failures = 0;
  for (const criterion_test* test : std::span(__start_cr_tst, __stop_cr_tst)) {
    if (test->data->disabled || fnmatch(wanted, name_of(*test).c_str(), 0) != 0) continue;
    ++tests;
    if (!run(*test)) ++failures;
  }
  std::fprintf(stderr, "%d tests, %d failed\n", tests, failures);
  return failures == 0 && tests > 0 ? 0 : 1;
}
