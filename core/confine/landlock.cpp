#include "core/confine/landlock.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace videosync {

namespace {

// linux/landlock.h as of Linux 6.12; Debian 12's is of 6.1. The numbers are the same everywhere.
constexpr long create_ruleset_number = 444;
constexpr long add_rule_number = 445;
constexpr long restrict_self_number = 446;
constexpr unsigned ask_version = 1;
constexpr int rule_path_beneath = 1;

struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scopes;
};

struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed;
  std::int32_t parent;
};

constexpr std::uint64_t right(int number) {
  return std::uint64_t{1} << number;
}
constexpr std::uint64_t execute = right(0);
constexpr std::uint64_t write_file = right(1);
constexpr std::uint64_t read_file = right(2);
constexpr std::uint64_t read_folder = right(3);
constexpr std::uint64_t remove_folder = right(4);
constexpr std::uint64_t remove_file = right(5);
// Devices, pipes with a name, symbolic links.
constexpr std::uint64_t make_others = right(6) | right(10) | right(11) | right(12);
constexpr std::uint64_t make_folder = right(7);
constexpr std::uint64_t make_file = right(8);
constexpr std::uint64_t make_socket = right(9);
constexpr std::uint64_t rename_elsewhere = right(13);
constexpr std::uint64_t truncate_file = right(14);
constexpr std::uint64_t device_ioctl = right(15);
constexpr std::uint64_t of_files = execute | write_file | read_file | truncate_file | device_ioctl;
constexpr std::uint64_t all_tcp = right(0) | right(1);
constexpr std::uint64_t all_scopes = right(0) | right(1);

// What a kernel of that version knows.
std::uint64_t known_rights(int version) {
  if (version >= 5) return right(16) - 1;
  if (version >= 3) return right(15) - 1;
  return version == 2 ? right(14) - 1 : right(13) - 1;
}

std::size_t attribute_bytes(int version) {
  if (version >= 6) return sizeof(RulesetAttributes);
  return version >= 4 ? offsetof(RulesetAttributes, scopes) : offsetof(RulesetAttributes, network);
}

std::uint64_t kernel_rights(unsigned rights) {
  std::uint64_t all = 0;
  if ((rights & Landlock::read) != 0) all |= read_file | read_folder;
  if ((rights & Landlock::run) != 0) all |= execute;
  if ((rights & Landlock::write) != 0) all |= write_file | truncate_file | device_ioctl;
  if ((rights & Landlock::make) != 0) {
    all |= remove_folder | remove_file | make_folder | make_file | make_socket | make_others |
           rename_elsewhere;
  }
  return all;
}

}  // namespace

int Landlock::version() noexcept {
  const long version = ::syscall(create_ruleset_number, nullptr, 0, ask_version);
  return version > 0 ? static_cast<int>(version) : 0;
}

Result<Landlock> Landlock::create(Restricted restricted) {
  const int version = Landlock::version();
  if (version == 0) return fail(ErrorCode::unsupported, "this kernel has no Landlock");
  const RulesetAttributes attributes{
      .files = kernel_rights(restricted.files) & known_rights(version),
      .network = restricted.network ? all_tcp : 0,
      .scopes = restricted.others ? all_scopes : 0};
  UniqueFd rules(
      static_cast<int>(::syscall(create_ruleset_number, &attributes, attribute_bytes(version), 0)));
  if (!rules) return fail_errno("Landlock's rules", errno);
  return Landlock(std::move(rules), attributes.files);
}

Result<> Landlock::allow(const std::string& path, unsigned rights) {
  const UniqueFd opened(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (opened) return allow(opened.get(), rights);
  if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return {};
  return fail_errno(path, errno);
}

Result<> Landlock::allow(int descriptor, unsigned rights) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return fail_errno("a place for Landlock", errno);
  std::uint64_t allowed = kernel_rights(rights) & handled_;
  if (!S_ISDIR(status.st_mode)) allowed &= of_files;
  const PathBeneath rule{allowed, descriptor};
  if (::syscall(add_rule_number, rules_.get(), rule_path_beneath, &rule, 0) == 0) return {};
  return fail_errno("a rule of Landlock", errno);
}

Result<> Landlock::enforce() const {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
      ::syscall(restrict_self_number, rules_.get(), 0) == 0) {
    return {};
  }
  return fail_errno("Landlock", errno);
}

}  // namespace videosync
