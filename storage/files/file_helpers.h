// FileHelpers: processes that open, list and close files for this one.
//
// Each of these calls may wait for a disk or a network for as long as that likes, and then nothing
// ends it: a process that waits for a FUSE server which has read the request stays through SIGKILL
// (Linux 6.18, and all before). A thread of ours, or a kernel worker of our ring (IORING_OP_OPENAT2
// was tried), would keep the whole process from ending. A helper is a process of its own, so only
// it stays; and it shares our table of descriptors (CLONE_FILES), so what it opens is open here.
// Because the table has other holders, this process's end closes none of its files either; that,
// too, may wait for a server (FUSE_FLUSH).
//
// Who asks has a FileDesk. Requests go to one of two lanes with their own helpers: what viewers
// wait for never waits behind a scan that hangs, nor the other way round. Another helper closes;
// the keeper does nothing until this process has gone, however it went, and then closes what
// clients and supervisors see of it (sockets, pipes), in case a helper that hangs still holds the
// table. With these comes the Spawner, from which programs are started.
//
// A helper keeps to terms of its own, whoever has taken over the process that asks: it opens the
// folders that were named at its start and what lies beneath them, writes nothing, and starts and
// calls nobody.
//
// Made by the thread that lives as long as the process, before there are others. Any thread may use
// it. It outlives all descriptors that were opened by it.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "storage/files/file_requests.h"
#include "storage/files/spawner.h"

namespace videosync {

struct CloseProgress;
struct FileHelperProcess;

// What helpers and programs may do; theirs, for good.
struct HelperTerms {
  bool confines = false;               // helpers; programs by their own terms
  std::vector<std::string> folders{};  // only these are opened, and what is below; none: any
  SpawnerTerms programs{};
};

class FileHelpers {
 public:
  enum class Lane : std::uint8_t { serving, scanning };
  static constexpr std::size_t serving_helpers = 6;
  static constexpr std::size_t scanning_helpers = 2;
  // In the lane for viewers, the one at work included.
  static constexpr std::uint32_t serving_requests_max = 64;
  // With so many descriptors still to be closed nothing more is opened for viewers.
  static constexpr std::uint64_t closes_pending_max = 8'192;

  // Errors: the sockets or the processes cannot be made.
  static Result<std::unique_ptr<FileHelpers>> start(HelperTerms terms = {});
  // Ends them; a program that is about to end itself leaves them alone instead.
  ~FileHelpers();
  FileHelpers(const FileHelpers&) = delete;
  FileHelpers& operator=(const FileHelpers&) = delete;

  // Hands the request over. False: too much waits already. Every request that was taken is answered
  // once it is done, which may be never; its folder and the socket stay open until then.
  bool ask(Lane lane, const FileRequest& request) noexcept;
  // For whoever received an answer from the lane.
  void settle(Lane lane) noexcept;

  // Returns at once; the number may not be used any more.
  void close_later(int descriptor) noexcept;
  // For a timer, on the thread that made the object: hands over again what did not fit. Normally
  // nothing is left to do. False: a helper has ended, which none should.
  bool tend() noexcept;
  std::uint64_t closes_pending() const noexcept;

  Spawner& spawner() noexcept { return *spawner_; }

 private:
  explicit FileHelpers(HelperTerms terms) : terms_(std::move(terms)) {}
  Result<> prepare();
  Result<> start_all();
  Result<> start_process(const FileHelperProcess& process);
  void hand_over_closes();

  using Ends = std::array<UniqueFd, 2>;  // ours and theirs

  const HelperTerms terms_;
  std::unique_ptr<Spawner> spawner_;
  std::array<Ends, 2> requests_;  // by lane
  Ends closes_;                   // a pipe of descriptor numbers
  CloseProgress* progress_ = nullptr;
  std::vector<pid_t> processes_;
  std::atomic<std::uint32_t> serving_requests_{0};
  std::atomic<std::uint64_t> closes_asked_{0};
  std::mutex mutex_;
  std::vector<int> unclosed_;  // under mutex_; in the order of close_later()
};

// A descriptor of a file that lies where closing may wait: a helper closes it.
class HelpedDescriptor {
 public:
  HelpedDescriptor(FileHelpers& helpers, int descriptor) noexcept
      : helpers_(helpers), descriptor_(descriptor) {}
  ~HelpedDescriptor() { helpers_.close_later(descriptor_); }
  HelpedDescriptor(const HelpedDescriptor&) = delete;
  HelpedDescriptor& operator=(const HelpedDescriptor&) = delete;

  int number() const noexcept { return descriptor_; }

 private:
  FileHelpers& helpers_;
  const int descriptor_;
};

}  // namespace videosync
