// TempFolder: a folder of its own for one test, with real files, gone when the test ends.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace videosync::test {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "videosync-test-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const noexcept { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

  // Makes the folders on the way.
  void write(std::string_view name, std::string_view text = "x") const {
    const std::filesystem::path file(*this / name);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  // A program for the shell; its path.
  std::string write_script(std::string_view name, std::string_view body) const {
    write(name, "#!/bin/sh\n" + std::string(body) + "\n");
    const std::string path = *this / name;
    std::filesystem::permissions(path, std::filesystem::perms{0755});
    return path;
  }
  void make_folder(std::string_view name) const {
    std::filesystem::create_directories(*this / name);
  }
  void link(const std::string& target, std::string_view name) const {
    std::filesystem::create_symlink(target, *this / name);
  }
  void remove(std::string_view name) const { std::filesystem::remove_all(*this / name); }

 private:
  std::string path_;
};

// Descriptors of this process, the one that counts them included.
inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& item : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

}  // namespace videosync::test
