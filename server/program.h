// Program: the whole process, from the configuration to its end: makes the parts, starts the
// workers, takes signals and news of the library to them, and takes all down in order.
//
// One a process, on main's thread, which becomes the first worker's. Signals are blocked and the
// log writer and the file helpers run before it is made: it starts threads.
#pragma once

#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/base/clock.h"
#include "core/base/unique_fd.h"
#include "core/reactor/fd_watcher.h"
#include "core/reactor/reactor.h"
#include "core/reactor/timer_wheel.h"
#include "server/config/config.h"
#include "server/config/machine.h"
#include "server/confinement.h"
#include "server/end_guard.h"
#include "server/librarian.h"
#include "server/metrics/metrics.h"
#include "server/nodes/nodes.h"
#include "server/nodes/store_relay.h"
#include "server/service.h"
#include "server/service_manager.h"
#include "server/succession/predecessor.h"
#include "server/succession/standstill.h"
#include "server/succession/state_file.h"
#include "server/succession/successor.h"
#include "server/uploads/upload_keeper.h"
#include "server/worker.h"
#include "storage/forms/form_maker.h"
#include "storage/memory_store.h"
#include "storage/redis/link/redis_tls.h"
#include "storage/redis/redis_store.h"
#include "storage/redis/store_clock.h"

namespace videosync {

class Program final : public NodesOwner {
 public:
  // All but `predecessor`, which may be null, outlive it.
  Program(const Config& config, const MachineFacts& machine, FileHelpers& files,
          Confinement& confinement, ServiceManager& manager, const Launch& launch,
          std::unique_ptr<Predecessor> predecessor);

  // Serves until a signal ends it. Returns the process's exit status; complaints have been made.
  int run();

  // What run() reads from a descriptor: main blocks them before any thread starts.
  static sigset_t handled_signals();

 private:
  std::optional<int> prepare();
  std::optional<int> make_workers(std::vector<std::unique_ptr<Reactor>> reactors,
                                  const VideoCatalogRef& catalog);
  std::optional<int> make_forms(const std::string& cache);
  Result<std::optional<SavedState>> read_state_file();
  std::size_t restore_sessions(SavedState saved);
  std::optional<std::string> cannot_take(const SavedState& saved) const;
  SavedState saved_state(bool all_rest) const;
  void save_sessions(bool all_rest) noexcept;
  // Succession: to take over from the program that has started this one, and to start one that
  // takes over from it. On the first worker's thread.
  std::optional<int> take_over();
  void begin_succession() noexcept;
  void on_successor() noexcept;
  void gather_workers() noexcept;
  void on_rest_timer() noexcept;
  bool others_rest();
  bool send_sessions() noexcept;
  void hear_serving() noexcept;
  void give_way() noexcept;
  void fail_succession(const Error& why) noexcept;
  const char* what_took_long() const noexcept;
  std::uint32_t return_spread_ms() const noexcept;
  std::optional<int> open_uploads(const std::optional<SavedState>& saved);
  std::optional<int> share_uploads();
  std::optional<int> read_certificates();
  void share_store();
  std::optional<int> open_listeners();
  std::optional<int> listen_everywhere(const ListenAddress& address);
  std::optional<int> listen_for_admin(const ListenAddress& address);
  int serve();
  int run_until_drained();
  std::optional<int> open_signals();
  void announce();
  std::string status_line() const;
  void on_second() noexcept;
  void on_watchdog() noexcept;
  void look_after_uploads() noexcept;
  void on_signal(std::uint32_t events) noexcept;
  void on_library_news() noexcept;
  void drain(int status) noexcept;
  void accept_at_last() noexcept;
  bool await_store() noexcept;
  void end_store() noexcept;
  void leave_hanging_connections(int status) const;

  Totals totals() noexcept override;
  void on_degraded(const SharedSlots& slots, bool is_degraded) noexcept override;
  void on_store_usable() noexcept override;
  void on_round_trip(std::int64_t took_us) noexcept override;
  void void_store_calls(const SharedSlots& slots) noexcept override;

  const Config& config_;
  const MachineFacts& machine_;
  FileHelpers& files_;
  Confinement& confinement_;
  ServiceManager& manager_;
  const Launch& launch_;
  std::unique_ptr<Predecessor> predecessor_;  // until this program serves
  const Uuid self_ = Uuid::random_v4();       // among the nodes of a store
  EndGuard end_guard_;                        // goes last
  SystemClock clock_;                         // goes on as that of the program before
  StoreClock store_clock_{clock_};            // with a shared store only
  MemoryStore memory_store_;                  // otherwise
  const StateFile state_file_;                // of that one
  std::unique_ptr<RedisTls> redis_tls_;       // where the store is reached over TLS
  std::unique_ptr<RedisStore> redis_store_;
  std::unique_ptr<Nodes> nodes_;
  Metrics metrics_;
  std::unique_ptr<Service> service_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<StoreRelay*> relays_;  // the workers own them
  std::unique_ptr<Librarian> librarian_;
  std::unique_ptr<FormMaker> forms_;
  std::unique_ptr<UploadKeeper> uploads_;
  // That brought films, and that the store did not have when it was asked last.
  std::unordered_set<Uuid> missing_sessions_;
  std::vector<std::string> listening_;
  std::vector<OfferedListener> offers_;  // the same; the workers own them
  UniqueFd signals_;
  // What has expired in the embedded store is forgotten, on the first worker's thread.
  TimerEntry second_timer_{[](void* self) noexcept { static_cast<Program*>(self)->on_second(); },
                           this};
  std::uint32_t seconds_ = 0;
  TimerEntry watchdog_timer_{
      [](void* self) noexcept { static_cast<Program*>(self)->on_watchdog(); }, this};
  bool is_still_told_ = false;  // that a loop stands still
  std::unique_ptr<Successor> successor_;
  std::unique_ptr<FdWatcher> successor_watcher_;
  Standstill standstill_;
  enum class Succession : std::uint8_t {
    none,
    starting,      // a new program; it is to say that it could serve
    gathering,     // the workers come to rest
    handing_over,  // the sessions are on their way; it is to say that it serves
    over,
  };
  Succession succession_ = Succession::none;
  std::int64_t handing_over_since_us_ = 0;
  SuccessionChannel::Deadline succession_deadline_{};  // of what stands still
  bool are_uploads_paused_ = false;
  TimerEntry succession_timer_{
      [](void* self) noexcept {
        static_cast<Program*>(self)->fail_succession(
            {ErrorCode::timed_out, static_cast<Program*>(self)->what_took_long(), 0});
      },
      this};
  TimerEntry rest_timer_{[](void* self) noexcept { static_cast<Program*>(self)->on_rest_timer(); },
                         this};
};

}  // namespace videosync
