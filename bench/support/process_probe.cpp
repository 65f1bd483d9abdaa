#include "bench/support/process_probe.h"

#include <linux/perf_event.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace videosync::bench {

namespace {

std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> threads;
  std::error_code ignored;
  const auto folder = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    threads.push_back(std::atoi(entry.path().filename().c_str()));
  return threads;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  for (const pid_t thread : threads_of(pid)) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(thread) +
                       "/children");
    for (pid_t child = 0; file >> child;)
      children.push_back(child);
  }
  return children;
}

// CPU time of a process so far; negative: it is gone.
double cpu_us(pid_t pid) noexcept {
  clockid_t id{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &id) != 0 || ::clock_gettime(id, &time) != 0) return -1;
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

}  // namespace

// Counts how often the timer finds a thread in user space and how often in the kernel.
class ProcessProbe::Sampler {
 public:
  explicit Sampler(pid_t thread) {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_CPU_CLOCK;
    attributes.sample_period = period_ns;
    attributes.sample_type = PERF_SAMPLE_IP;
    descriptor_ = static_cast<int>(
        ::syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC));
    if (descriptor_ < 0) return;
    // Written to as a ring that nobody empties: what is counted is the first `pages` of a run.
    pages_ = ::mmap(nullptr, (1 + pages) * page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                    descriptor_, 0);
  }
  ~Sampler() {
    if (pages_ != MAP_FAILED) ::munmap(pages_, (1 + pages) * page_bytes);
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  // Adds to `user` and `all`; false where there are no samples to be had.
  bool count(std::int64_t& user, std::int64_t& all) const noexcept {
    if (pages_ == MAP_FAILED) return false;
    const auto& page = *static_cast<const perf_event_mmap_page*>(pages_);
    const auto* data = static_cast<const char*>(pages_) + page_bytes;
    const std::uint64_t end = __atomic_load_n(&page.data_head, __ATOMIC_ACQUIRE);
    for (std::uint64_t at = 0; at < end;) {
      const auto& record = *reinterpret_cast<const perf_event_header*>(data + at);
      if (record.size == 0) break;
      if (record.type == PERF_RECORD_SAMPLE) {
        ++all;
        user += (record.misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_USER;
      }
      at += record.size;
    }
    return true;
  }

 private:
  static constexpr std::uint64_t period_ns = 199'967;  // in step with nothing that ticks
  static constexpr std::size_t pages = 256;            // 65,000 samples: 13 s of CPU time
  static constexpr std::size_t page_bytes = 4096;

  int descriptor_ = -1;
  void* pages_ = MAP_FAILED;
};

ProcessProbe::ProcessProbe(pid_t pid) : pids_{pid} {
  for (std::size_t i = 0; i < pids_.size(); ++i) {
    for (const pid_t child : children_of(pids_[i]))
      pids_.push_back(child);
  }
}

ProcessProbe::~ProcessProbe() = default;

bool ProcessProbe::is_alive() const noexcept {
  return ::kill(pids_.front(), 0) == 0;
}

void ProcessProbe::begin_cpu() {
  samplers_.clear();
  for (const pid_t pid : pids_) {
    for (const pid_t thread : threads_of(pid))
      samplers_.push_back(std::make_unique<Sampler>(thread));
  }
  began_us_.clear();
  for (const pid_t pid : pids_)
    began_us_.push_back(cpu_us(pid));
}

CpuTime ProcessProbe::cpu() const {
  CpuTime cpu;
  for (std::size_t i = 0; i < began_us_.size(); ++i) {
    const double now_us = cpu_us(pids_[i]);
    if (now_us >= 0 && began_us_[i] >= 0) cpu.total_us += now_us - began_us_[i];
  }
  std::int64_t user = 0;
  std::int64_t all = 0;
  for (const auto& sampler : samplers_) {
    if (!sampler->count(user, all)) return cpu;
  }
  if (all > 0) cpu.user_share = static_cast<double>(user) / static_cast<double>(all);
  return cpu;
}

MemoryByProcess ProcessProbe::memory() const {
  MemoryByProcess memory;
  for (const pid_t pid : pids_) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string name;
      std::int64_t kib = 0;
      fields >> name >> kib;
      if (name == "Rss:") memory[pid].resident = kib * 1024;
      if (name == "Anonymous:") memory[pid].anonymous = kib * 1024;
    }
  }
  return memory;
}

ProcessMemory growth(const MemoryByProcess& before, const MemoryByProcess& after) {
  ProcessMemory sum;
  for (const auto& [pid, began] : before) {
    const auto now = after.find(pid);
    if (now == after.end()) continue;
    sum.resident += now->second.resident - began.resident;
    sum.anonymous += now->second.anonymous - began.anonymous;
  }
  return sum;
}

KernelMemory kernel_memory() {
  KernelMemory memory;
  std::ifstream slabs("/proc/slabinfo");
  std::string line;
  std::pair<std::int64_t, std::int64_t> dentry;  // objects, bytes of one
  std::int64_t of_proc = 0;
  while (std::getline(slabs, line)) {
    std::istringstream fields(line);
    std::string name;
    std::int64_t active = 0;
    std::int64_t total = 0;
    std::int64_t object_bytes = 0;
    fields >> name >> active >> total >> object_bytes;
    const bool counts =
        name == "TCP" || name == "sock_inode_cache" || name == "filp" || name == "io_kiocb";
    if (counts) memory.slabs += active * object_bytes;
    if (name == "dentry") dentry = {active, object_bytes};
    if (name == "proc_inode_cache") of_proc = active;
  }
  // Whoever lists a process's descriptors, as monitors do, leaves a dentry for each: not a
  // viewer's.
  memory.slabs += (dentry.first - of_proc) * dentry.second;
  std::ifstream sockets("/proc/net/sockstat");
  while (std::getline(sockets, line)) {
    const auto mark = line.find(" mem ");
    if (!line.starts_with("TCP:") || mark == std::string::npos) continue;
    memory.socket_pages = std::atoll(&line[mark + 5]) * ::sysconf(_SC_PAGESIZE);
  }
  return memory;
}

}  // namespace videosync::bench
