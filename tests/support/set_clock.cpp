// Loaded into a program that is started by a test (LD_PRELOAD): its clock of the day is ahead of
// the machine's by the number of microseconds, 64 bits, in the file that SET_CLOCK_FILE names. The
// test may write another number at any time. What only measures (CLOCK_MONOTONIC) is left alone.
//
// Not libfaketime: its start and that of jemalloc, which Redis uses, wait for each other.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

const volatile std::int64_t* ahead_us = nullptr;

__attribute__((constructor)) void open_clock() {
  const char* path = std::getenv("SET_CLOCK_FILE");
  const int file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void* shared = ::mmap(nullptr, sizeof *ahead_us, PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  if (shared != MAP_FAILED) ahead_us = static_cast<const std::int64_t*>(shared);
}

std::int64_t day_us() noexcept {
  timespec now{};
  ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  const std::int64_t machine_us = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
  return machine_us + (ahead_us == nullptr ? 0 : *ahead_us);
}

}  // namespace

extern "C" {

int gettimeofday(timeval* time, void*) noexcept {
  const std::int64_t now_us = day_us();
  *time = {now_us / 1'000'000, now_us % 1'000'000};
  return 0;
}

int clock_gettime(clockid_t id, timespec* time) noexcept {
  const bool is_of_day = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
  if (!is_of_day) return static_cast<int>(::syscall(SYS_clock_gettime, id, time));
  const std::int64_t now_us = day_us();
  *time = {now_us / 1'000'000, now_us % 1'000'000 * 1'000};
  return 0;
}

time_t time(time_t* out) noexcept {
  const time_t now_s = day_us() / 1'000'000;
  if (out != nullptr) *out = now_s;
  return now_s;
}

}  // extern "C"
