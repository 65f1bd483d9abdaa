// Gives a fuzzer the inputs that are committed for it, once each: what libFuzzer found stays found,
// also where there is no clang.
//
// Usage: fuzz_corpora NAME FOLDER. Ends with 1 where there is no input; a fault ends it as it ends
// the fuzzer, and says of which input.
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/log.h"

#define FUZZ_TARGET(name) extern "C" int name(const std::uint8_t* data, std::size_t size);
#include "fuzz_targets.inc"
#undef FUZZ_TARGET

namespace {

using Target = int (*)(const std::uint8_t* data, std::size_t size);
#define FUZZ_TARGET(name) {#name, name},
constexpr std::pair<std::string_view, Target> targets[]{
#include "fuzz_targets.inc"
};
#undef FUZZ_TARGET

// Of the input at hand; for a signal handler, which may not allocate.
const char* present_path = "";
std::size_t present_path_bytes = 0;

void say_which_input(int signal) {
  constexpr std::string_view words = "\nit was this input: ";
  const bool is_said = ::write(STDERR_FILENO, words.data(), words.size()) > 0 &&
                       ::write(STDERR_FILENO, present_path, present_path_bytes) > 0 &&
                       ::write(STDERR_FILENO, "\n", 1) > 0;
  // SA_RESETHAND: as it would have ended without this.
  if (is_said) std::raise(signal);
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> paths;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    if (entry->d_name[0] != '.') paths.push_back(folder + "/" + entry->d_name);
  }
  std::ranges::sort(paths);
  return paths;
}

// A copy of its own size: reading past its end is seen by AddressSanitizer.
void run(Target target, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  present_path = path.c_str();
  present_path_bytes = path.size();
  target(bytes.data(), bytes.size());
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view name = count == 3 ? arguments[1] : "";
  const auto* const found =
      std::ranges::find(targets, name, [](const auto& one) { return one.first; });
  if (found == std::end(targets)) {
    std::fprintf(stderr, "usage: fuzz_corpora NAME FOLDER, NAME as of a tests/fuzz/NAME.cpp\n");
    return 2;
  }
  videosync::log_settings.descriptor = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  struct sigaction action{};
  action.sa_handler = say_which_input;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
    ::sigaction(signal, &action, nullptr);
  const std::vector<std::string> paths = files_in(arguments[2]);
  for (const std::string& path : paths)
    run(found->second, path);
  std::printf("%zu inputs\n", paths.size());
  return paths.empty() ? 1 : 0;
}
