// Loaded into the server (LD_PRELOAD) where valgrind runs it, which knows no process that shares a
// table of descriptors: its file helpers are forked as any other child. What they open is not open
// in the server then, so it can serve no files.
#include <dlfcn.h>
#include <linux/sched.h>
#include <sys/syscall.h>

#include <cstdarg>

extern "C" long syscall(long number, ...) {
  using Syscall = long (*)(long, long, long, long, long, long, long);
  static const auto next = reinterpret_cast<Syscall>(::dlsym(RTLD_NEXT, "syscall"));
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments)
    argument = va_arg(list, long);
  va_end(list);
  if (number == SYS_clone) arguments[0] &= ~static_cast<long>(CLONE_FILES);
  return next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
              arguments[5]);
}
