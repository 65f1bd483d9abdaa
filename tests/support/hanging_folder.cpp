// A file system that hangs when it is told to, for tests of storage that stops answering (FUSE).
//
//   hanging_folder BACKING MOUNTPOINT
//
// Shows the folder BACKING, for reading, at MOUNTPOINT, and prints "mounted". Each line on standard
// input is an order: "hang OPERATION PART" makes OPERATION (open, read, list, look, close) of every
// path that contains PART (none: all) wait until "free" is read. What is waited for is printed:
// "OPERATION PATH". The end of the input frees everything and unmounts.
//
// A request that waits here has been read by its server, so whoever sent it cannot be killed. That
// is what a program that talks to a lost network does to its users.
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

std::string backing;

// A line at a time, whichever thread says it.
void say(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::cout << line << std::endl;
}

// Who is to wait, and who does.
class Gate {
 public:
  void hang(const std::string& operation, const std::string& part) {
    const std::lock_guard lock(mutex_);
    orders_.push_back({operation, part});
  }
  void free() {
    const std::lock_guard lock(mutex_);
    orders_.clear();
    freed_.notify_all();
  }
  void pass(const char* operation, const std::string& path) {
    std::unique_lock lock(mutex_);
    if (!is_shut(operation, path)) return;
    say(std::string(operation) + ' ' + path);
    freed_.wait(lock, [&] { return !is_shut(operation, path); });
  }

 private:
  struct Order {
    std::string operation, part;
  };
  bool is_shut(const std::string& operation, const std::string& path) const {
    for (const Order& order : orders_) {
      if (order.operation == operation && path.find(order.part) != path.npos) return true;
    }
    return false;
  }

  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<Order> orders_;
} gate;

int result_of(ssize_t result) {
  return result < 0 ? -errno : static_cast<int>(result);
}

void* begin(fuse_conn_info*, fuse_config* config) {
  // Nothing is answered from memory: whoever looks, asks.
  config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
  say("mounted");
  return nullptr;
}

int look(const char* path, struct stat* status, fuse_file_info*) {
  gate.pass("look", path);
  return result_of(::lstat((backing + path).c_str(), status));
}

int list(const char* path, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*,
         fuse_readdir_flags) {
  gate.pass("list", path);
  DIR* const folder = ::opendir((backing + path).c_str());
  if (folder == nullptr) return -errno;
  while (const dirent* item = ::readdir(folder))
    fill(buffer, item->d_name, nullptr, 0, fuse_fill_dir_flags{});
  ::closedir(folder);
  return 0;
}

int open_file(const char* path, fuse_file_info* info) {
  gate.pass("open", path);
  const int fd = ::open((backing + path).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  info->fh = static_cast<std::uint64_t>(fd);
  return 0;
}

int read_file(const char* path, char* bytes, std::size_t size, off_t offset, fuse_file_info* info) {
  gate.pass("read", path);
  return result_of(::pread(static_cast<int>(info->fh), bytes, size, offset));
}

int close_descriptor(const char* path, fuse_file_info*) {
  gate.pass("close", path);
  return 0;
}

int forget(const char*, fuse_file_info* info) {
  return result_of(::close(static_cast<int>(info->fh)));
}

void obey(const std::string& mountpoint) {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb, operation, part;
    words >> verb >> operation >> part;
    if (verb == "hang") gate.hang(operation, part);
    if (verb == "free") gate.free();
    say("done");
  }
  gate.free();
  ::umount2(mountpoint.c_str(), MNT_DETACH);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("usage: hanging_folder BACKING MOUNTPOINT\n", stderr), 1;
  backing = argv[1];
  fuse_operations operations{};
  operations.init = begin;
  operations.getattr = look;
  operations.readdir = list;
  operations.open = open_file;
  operations.read = read_file;
  operations.flush = close_descriptor;
  operations.release = forget;
  std::thread(obey, std::string(argv[2])).detach();
  const std::array<const char*, 5> arguments{argv[0], "-f", "-o", "ro,max_threads=64", argv[2]};
  return fuse_main(static_cast<int>(arguments.size()), const_cast<char**>(arguments.data()),
                   &operations, nullptr);
}
