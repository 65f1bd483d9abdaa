// UploadAsks: one worker's asks of the UploadKeeper, who waits for which, and the requests whose
// bytes are being written.
//
// The keeper answers by an UploadDesk, whose descriptor the worker's ring watches. Belongs to its
// worker's thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "core/base/slot_pool.h"
#include "core/reactor/fd_watcher.h"
#include "server/uploads/upload_keeper.h"
#include "server/uploads/upload_reception.h"

namespace videosync {

class Connection;
class Worker;

class UploadAsks {
 public:
  // `keeper` outlives the worker's thread.
  UploadAsks(Worker& worker, UploadKeeper& keeper, std::unique_ptr<UploadDesk> desk);
  ~UploadAsks();
  UploadAsks(const UploadAsks&) = delete;
  UploadAsks& operator=(const UploadAsks&) = delete;

  // Answers the request at hand, later; `open` reads its body first. The number is given here.
  void ask(Connection& connection, UploadAsk ask);
  void forget(const Uuid& session) { keeper_.forget(session); }
  bool is_shared_by_all() const noexcept { return keeper_.is_shared_by_all(); }

  // A reception's: under its number.
  void put(UploadAsk ask);
  Connection* find(SlotHandle connection) noexcept;
  std::int64_t now_us() const noexcept;
  // To the members of its session.
  void tell_progress(const Upload& upload);

  // On the worker's thread, as MediaOpens.
  void start() noexcept { watcher_.watch(POLLIN); }
  void stop() noexcept { watcher_.stop(); }
  bool is_idle() const noexcept { return watcher_.is_idle(); }

 private:
  struct Asker {
    SlotHandle connection;
    std::unique_ptr<UploadReception> reception{};  // once its body is read
  };

  void on_answered() noexcept;
  void on_answer(UploadAnswer& answer);
  void tell(const Upload& upload, std::optional<std::uint8_t> percent);
  bool on_opened(Asker& asker, const UploadAnswer& answer);

  Worker& worker_;
  UploadKeeper& keeper_;
  const std::unique_ptr<UploadDesk> desk_;
  FdWatcher watcher_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Asker> askers_;  // of what the keeper still has, and of receptions
};

}  // namespace videosync
