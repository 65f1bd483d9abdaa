// Preloaded into the server (LD_PRELOAD) where no file system can be mounted: calls about files below
// HANGING_FOLDER wait as long as the file HANGING_ORDERS says so. Each of its lines is an operation
// (open, list) and a part of a path, which may be none; what begins to wait is added as a line to
// HANGING_WAITS. Unlike a wait in the kernel this one ends with its process.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef long Syscall(long number, ...);

static int is_ordered(const char* operation, const char* path) {
  FILE* const orders = fopen(getenv("HANGING_ORDERS"), "r");
  if (orders == NULL) return 0;
  char line[PATH_MAX];
  int found = 0;
  while (!found && fgets(line, sizeof line, orders) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    char* const part = strchr(line, ' ');
    if (part == NULL) continue;
    *part = '\0';
    found = strcmp(line, operation) == 0 && strstr(path, part + 1) != NULL;
  }
  fclose(orders);
  return found;
}

// `name` is below the folder with this descriptor.
static void pass(const char* operation, int folder, const char* name) {
  char link[64], path[2 * PATH_MAX] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  ssize_t length = readlink(link, path, PATH_MAX);
  if (length < 0) length = 0;
  snprintf(path + length, sizeof path - (size_t)length, "/%s", name);
  const char* const root = getenv("HANGING_FOLDER");
  if (strncmp(path, root, strlen(root)) != 0 || !is_ordered(operation, path)) return;
  FILE* const waits = fopen(getenv("HANGING_WAITS"), "a");
  if (waits != NULL) fprintf(waits, "%s %s\n", operation, path + strlen(root));
  if (waits != NULL) fclose(waits);
  while (is_ordered(operation, path)) usleep(20 * 1000);
}

long syscall(long number, ...) {
  static Syscall* next = NULL;
  if (next == NULL) next = (Syscall*)dlsym(RTLD_NEXT, "syscall");
  long words[6];
  va_list list;
  va_start(list, number);
  for (int i = 0; i < 6; ++i) words[i] = va_arg(list, long);
  va_end(list);
  if (number == SYS_openat2) pass("open", (int)words[0], (const char*)words[1]);
  return next(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

struct dirent* readdir(DIR* folder) {
  static struct dirent* (*next)(DIR*) = NULL;
  if (next == NULL) next = (struct dirent * (*)(DIR*)) dlsym(RTLD_NEXT, "readdir");
  pass("list", dirfd(folder), "");
  return next(folder);
}
