#include "server/confinement.h"

#include <asm/ioctls.h>
#include <fmt/core.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/base/log.h"
#include "core/confine/calls.h"
#include "core/confine/landlock.h"
#include "server/installation.h"

namespace videosync {

namespace {

namespace fs = std::filesystem;

// They look at their own process from outside, by calls that nobody else makes.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

constexpr std::uint32_t whole_word = UINT32_MAX;
constexpr unsigned writes = Landlock::read | Landlock::write | Landlock::make;
constexpr int cachestat_call = 451;  // Linux 6.5; Debian 12's headers are older

// Of a name that is not there yet, too.
std::string containing_folder(const std::string& path) {
  std::error_code error;
  return fs::absolute(path, error).parent_path().string();
}

// Where the C library looks for who has a name, and OpenSSL for whom to trust. Folders, because
// what is in them is replaced.
constexpr const char* name_folders[] = {"/etc",
                                        "/usr",
                                        "/lib",
                                        "/lib64",
                                        "/run/systemd/resolve",
                                        "/run/resolvconf",
                                        "/run/NetworkManager"};

Result<> allow_redis(Landlock& rules, const Config& config) {
  for (const char* folder : name_folders)
    if (auto allowed = rules.allow(folder, Landlock::read); !allowed) return allowed;
  for (const std::string& file :
       {config.redis_ca_file, config.redis_certificate_file, config.redis_key_file}) {
    if (file.empty()) continue;
    std::error_code error;
    const std::string real = fs::weakly_canonical(file, error).string();
    for (const std::string& path : {file, error ? file : real})
      if (auto allowed = rules.allow(containing_folder(path), Landlock::read); !allowed)
        return allowed;
  }
  return {};
}

Result<> allow_own(Landlock& rules, const Config& config) {
  std::vector<std::string> written{cache_directory(config), config.uploads_dir};
  if (!config.state_file.empty()) written.push_back(containing_folder(config.state_file));
  for (const ListenAddress& address : config.listen)
    if (address.is_unix()) written.push_back(containing_folder(address.unix_path));
  if (config.admin && config.admin->is_unix())
    written.push_back(containing_folder(config.admin->unix_path));
  for (const std::string& folder : written) {
    if (folder.empty()) continue;
    if (auto allowed = rules.allow(folder, writes); !allowed) return allowed;
  }
  // What it is told of itself, and how its programs are.
  for (const std::string& folder : {pages_directory(config), std::string("/proc")})
    if (auto allowed = rules.allow(folder, Landlock::read); !allowed) return allowed;
  return config.redis_url.empty() ? Result<>{} : allow_redis(rules, config);
}

constexpr int serving[] = {
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_sendto,
    SYS_sendmsg,
    SYS_sendmmsg,
    SYS_recvmmsg,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_getsockname,
    SYS_getpeername,
    SYS_shutdown,
    SYS_socketpair,
    SYS_sendfile,
    SYS_splice,
    SYS_eventfd2,
    SYS_preadv2,
    SYS_inotify_add_watch,
    SYS_inotify_rm_watch,
    SYS_pidfd_open,
    SYS_wait4,
    SYS_waitid,
    SYS_kill,
    SYS_tgkill,
    SYS_prctl,
    SYS_close_range,
    SYS_msync,
    cachestat_call,
#ifdef __x86_64__
    SYS_getrlimit,
#endif
};

// To make a name an address, and to go there.
constexpr int calling[] = {SYS_connect, SYS_bind};

SyscallFilter server_filter(const Config& config) {
  SyscallFilter filter;
  // What may be written is never run.
  filter.allow_where(SYS_mmap, 2, PROT_WRITE | PROT_EXEC, {PROT_NONE, PROT_WRITE, PROT_EXEC});
  filter.allow_where(SYS_mprotect, 2, PROT_EXEC, {PROT_NONE});
  filter.allow_where(SYS_clone, 0, CLONE_THREAD | CLONE_VM, {CLONE_THREAD | CLONE_VM});
  filter.allow_where(SYS_ioctl, 1, whole_word, {TCGETS, FIONREAD, FIONBIO});
  // Of what is open alone; by a path there is no right of Landlock for it.
  filter.allow_where(SYS_utimensat, 1, whole_word, {0});
  filter.allow_where(SYS_prlimit64, 2, whole_word, {0});
  filter.allow(calls::basic);
  filter.allow(calls::reading_files);
  filter.allow(calls::writing_files);
  filter.allow(serving);
  if (!config.redis_url.empty()) {
    filter.allow(calling);
    filter.allow_where(SYS_socket, 0, whole_word, {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK});
  }
  return filter;
}

}  // namespace

Confinement::Confinement(const Config& config) : config_(config) {}

bool Confinement::is_wanted() const noexcept {
  return config_.confine != Confine::off && !is_sanitized;
}

HelperTerms Confinement::terms(const Launch& launch, std::vector<std::string> environment) const {
  HelperTerms terms{.confines = is_wanted(), .folders = config_.media_dirs};
  const std::string cache = cache_directory(config_);
  for (const std::string& folder : {cache, config_.uploads_dir})
    if (!folder.empty()) terms.folders.push_back(folder);
  terms.programs = {.confines = is_wanted(),
                    .programs = {media_program(), "ffprobe", "ffmpeg"},
                    .successor = launch.program,
                    .successor_words = launch.arguments,
                    .successor_environment = std::move(environment)};
  return terms;
}

Result<> Confinement::note_missing(std::string what, const Error& why) {
  if (config_.confine == Confine::required) {
    return fail(ErrorCode::unsupported,
                fmt::format("--confine: {} cannot be restricted: {}", what, why.message));
  }
  missing_ += fmt::format("{}{}: {}", missing_.empty() ? "" : "; ", what, why.message);
  return {};
}

Result<> Confinement::restrict_files() {
  if (!is_wanted()) return {};
  std::error_code error;
  if (const std::string cache = cache_directory(config_); !cache.empty())
    fs::create_directories(cache, error);
  auto rules = Landlock::create({});
  if (!rules) return note_missing("files", rules.error());
  if (auto allowed = allow_own(*rules, config_); !allowed)
    return note_missing("files", allowed.error());
  if (auto enforced = rules->enforce(); !enforced) return note_missing("files", enforced.error());
  files_ = fmt::format("Landlock {}", Landlock::version());
  return {};
}

Result<> Confinement::filter_calls() {
  if (!is_wanted()) {
    log_info("main", "not confined",
             field("why", is_sanitized ? "a sanitizer is built in" : "--confine off"));
    return {};
  }
  const auto filtered = server_filter(config_).install(SyscallFilter::Threads::all);
  if (!filtered) {
    if (auto noted = note_missing("system calls", filtered.error()); !noted) return noted;
  }
  if (missing_.empty()) {
    log_info("main", "confined", field("files", files_), field("calls", "filtered"),
             field("rings", "restricted"));
  } else {
    log_warn("main", "confined in part: this kernel or container does not let it be",
             field("missing", missing_));
  }
  return {};
}

}  // namespace videosync
