// FormAsks: one worker's asks for files of films' forms, and who waits for which.
//
// The FormMaker answers by a FormDesk, whose descriptor the worker's ring watches. Whoever leaves
// is told to the FormMaker at once: a browser that seeks closes the connection of its last request,
// and what is made for nobody is in the way of what it asks for next.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "core/base/slot_pool.h"
#include "core/reactor/fd_watcher.h"
#include "server/http/file_response.h"
#include "storage/forms/form_desk.h"
#include "storage/forms/form_maker.h"

namespace videosync {

class Connection;
class Worker;

class FormAsks {
 public:
  // `maker` outlives the worker's thread.
  FormAsks(Worker& worker, FormMaker& maker, std::unique_ptr<FormDesk> desk);
  ~FormAsks();
  FormAsks(const FormAsks&) = delete;
  FormAsks& operator=(const FormAsks&) = delete;

  // Answers the request at hand, later. The number is given here.
  void ask(Connection& connection, FormAsk ask);
  // Worker::on_asker_left(): what it asked for, if anything, is given up.
  void on_asker_left(Connection& connection) noexcept;

  // On the worker's thread, as MediaOpens.
  void start() noexcept { watcher_.watch(POLLIN); }
  void stop() noexcept { watcher_.stop(); }
  bool is_idle() const noexcept { return watcher_.is_idle(); }

 private:
  void on_answered() noexcept;
  void answer(Connection& connection, const FormAnswer& answer, bool is_private);
  CacheRule kept_rule(bool is_private) const noexcept;

  Worker& worker_;
  FormMaker& maker_;
  const std::unique_ptr<FormDesk> desk_;
  FdWatcher watcher_;
  std::uint64_t last_number_ = 0;
  struct Asker {
    SlotHandle slot;
    bool is_private;  // the film
  };
  std::map<std::uint64_t, Asker> askers_;  // of what the FormMaker still has
};

}  // namespace videosync
