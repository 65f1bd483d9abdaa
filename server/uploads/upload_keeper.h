// UploadKeeper: keeps the films that sessions' hosts bring, on a thread of its own, so that no
// worker waits for the storage.
//
// One thread does all of it: writing on the workers' rings would need the same buffers and the same
// way back for opening, renaming and removing, and what hangs is one folder, so it holds up uploads
// and nothing else. Asks of all workers come in one line, and each gets one answer at its
// UploadDesk; who left meanwhile takes no notice of it. ask() and forget() are any thread's.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/base/answer_desk.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "server/uploads/upload_files.h"
#include "server/uploads/upload_table.h"

namespace videosync {

struct UploadAsk {
  enum class Kind : std::uint8_t {
    create,  // `text` is the name, `bytes` the length
    look,
    open,   // a connection is about to bring what begins at `bytes`
    write,  // `text` is what comes next
    close,  // the connection brings no more for now
    remove,
    yield,  // only as an answer, which nobody asked for: another connection wants to go on
  };
  std::uint64_t number = 0;  // comes back with the answer
  Kind kind = Kind::look;
  Uuid session;
  UploadId id;
  std::string text{};
  std::uint64_t bytes = 0;
};

struct UploadAnswer {
  std::uint64_t number = 0;
  UploadAsk::Kind kind = UploadAsk::Kind::look;
  std::optional<UploadFault> fault{};
  Upload upload{};              // as it is now; of `exists` the other one
  std::int64_t expires_us = 0;  // of the machine's time; while it is not whole
  std::string buffer{};         // of `write`: empty, with its capacity
};

using UploadDesk = AnswerDesk<UploadAnswer>;

class UploadKeeper {
 public:
  // Whose films they are.
  struct Owners {
    std::optional<Uuid> self{};  // this node, where it shares its store with others
    // Else: sessions that outlived the program before. What others brought is given up at the
    // start.
    std::vector<Uuid> living{};
    bool may_outlive = false;  // not all is given up at the end
    // What the program before says that was brought, or is being brought.
    std::vector<Upload> uploads{};
  };
  // `clock` outlives it. Errors: io.
  static Result<std::unique_ptr<UploadKeeper>> create(const std::string& folder,
                                                      const UploadRules& rules, const Clock& clock,
                                                      Owners owners);
  ~UploadKeeper();
  UploadKeeper(const UploadKeeper&) = delete;
  UploadKeeper& operator=(const UploadKeeper&) = delete;

  // The desk outlives the answer.
  void ask(UploadDesk& desk, UploadAsk ask);
  // The session has ended: nothing of it stays.
  void forget(const Uuid& session);

  // This program serves: what lies in the folder is its own, to be given up at its end.
  void note_serving() noexcept { serves_ = true; }

  // --- From one process to the next; of one thread -----------------------------------------------
  // Nothing is written any more until resume(): what there is. Nothing, if the storage does not
  // come to rest in time; then it goes on.
  std::optional<std::vector<Upload>> pause(std::chrono::milliseconds limit);
  void resume();
  // Once, instead of resume(): it is another process's. What is asked here is told that it is busy.
  void hand_away();

  // --- Where nodes share a store; any thread -----------------------------------------------------
  // So many there are, this one included.
  void note_nodes(std::size_t alive) noexcept { nodes_alive_ = alive; }
  // Whether all of them have this folder: else viewers at another one would not see a film.
  bool is_shared_by_all() const noexcept {
    return !self_ || (nodes_seen_ > 0 && nodes_seen_ >= nodes_alive_);
  }
  // Now and then, those of whom there is something here: whoever ended unnoticed is to be
  // forgotten.
  std::vector<Uuid> take_sessions();

 private:
  struct Order {
    UploadDesk* desk = nullptr;  // null: forget
    UploadAsk ask;
  };

  // Which reception brings the bytes of an upload that is open.
  struct Opener {
    UploadId id;
    UploadDesk* desk = nullptr;
    std::uint64_t number = 0;
  };

  UploadKeeper(UploadFiles files, const UploadRules& rules, const Clock& clock,
               Owners owners) noexcept;
  void put(Order order);
  void run(const std::stop_token& stop);
  std::vector<Order> await_orders(const std::stop_token& stop);
  void serve(Order& order);
  std::optional<UploadFault> open_upload(Upload& upload, const Order& order);
  std::optional<UploadFault> close_upload(Upload& upload);
  void forget_opener(const Upload& upload) noexcept;
  void have_yield(const Upload& upload);
  void create_upload(UploadAsk& ask, UploadAnswer& answer);
  void write(Upload& upload, const std::string& bytes, UploadAnswer& answer);
  void finish(Upload& upload, UploadAnswer& answer);
  void give_up(const Upload& upload) noexcept;
  void give_up_expired();
  void give_up_all_of(const Uuid& session) noexcept;
  void look_around(std::int64_t now_us);

  const Clock& clock_;
  const std::optional<Uuid> self_;
  const std::vector<Uuid> living_;
  const bool may_outlive_;
  const std::int64_t expires_us_;
  std::atomic<std::size_t> nodes_alive_{1};
  std::atomic<std::size_t> nodes_seen_{0};
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<Order> orders_;   // under mutex_
  std::vector<Uuid> sessions_;  // likewise: for take_sessions()
  bool is_paused_ = false;      // likewise, as the next ones
  bool is_resting_ = false;
  std::condition_variable rested_;
  std::atomic<bool> is_handed_away_{false};
  std::atomic<bool> serves_{false};
  // The thread's:
  UploadFiles files_;
  UploadTable table_;
  std::vector<Opener> openers_;
  std::int64_t look_next_us_ = 0;  // for what has expired
  std::int64_t note_next_us_ = 0;  // that this node has the folder
  std::int64_t list_next_us_ = 0;  // whose sessions' films are there
  std::jthread thread_;            // last: ends before the rest goes
};

}  // namespace videosync
