// Landlock: which files a thread, and all that it starts from then on, may reach by their paths
// (landlock(7)); nothing takes it back. What is open stays open.
//
// Rules are of folders with all below them, or of single files, as they are when the rule is made:
// a folder that is mounted over or made anew later is another one. Kernels know more and more
// rights; what one does not know it does not restrict. For sockets' paths (connect(2)), for what
// stat(2) tells and for chdir(2) there is no right: these it never restricts.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"
#include "core/base/unique_fd.h"

namespace videosync {

class Landlock {
 public:
  // Rights below a folder, or of a file where only those of files count.
  enum Right : std::uint8_t {
    read = 1,   // files and lists of folders
    run = 2,    // programs, and what they are linked with
    write = 4,  // files that are there
    make = 8,   // files, folders and sockets; to rename and to remove them
  };

  // 0: the kernel has none, or is told not to use it.
  static int version() noexcept;

  struct Restricted {
    unsigned files = read | run | write | make;  // to what rules allow; other rights are free
    bool network = false;  // neither to bind nor to connect over TCP (since Linux 6.7)
    bool others = false;   // no signals to, no abstract sockets of others (since Linux 6.12)
  };
  // Errors: unsupported.
  static Result<Landlock> create(Restricted restricted);

  // What is not there needs no rule. Errors: io.
  Result<> allow(const std::string& path, unsigned rights);
  // `descriptor`: a folder or a file; of any mode, also O_PATH.
  Result<> allow(int descriptor, unsigned rights);

  // For the calling thread, with no_new_privs. Errors: io.
  Result<> enforce() const;

 private:
  Landlock(UniqueFd rules, std::uint64_t handled) noexcept
      : rules_(std::move(rules)), handled_(handled) {}

  UniqueFd rules_;
  std::uint64_t handled_;  // rights, as the kernel numbers them
};

}  // namespace videosync
