// Preloaded into videosync-media (LD_PRELOAD): reading the file FAILING_FILE fails from byte FAILING_FROM on, as on
// a disk that is broken there.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef ssize_t Read(int file, void* buffer, size_t size);

ssize_t read(int file, void* buffer, size_t size) {
  static Read* next = NULL;
  if (next == NULL) next = (Read*)dlsym(RTLD_NEXT, "read");
  char link[64], path[PATH_MAX] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  if (readlink(link, path, sizeof path - 1) < 0 || strcmp(path, getenv("FAILING_FILE")) != 0) return next(file, buffer, size);
  const long left = atol(getenv("FAILING_FROM")) - (long)lseek(file, 0, SEEK_CUR);
  if (left <= 0) {
    errno = EIO;
    return -1;
  }
  return next(file, buffer, size < (size_t)left ? size : (size_t)left);
}
