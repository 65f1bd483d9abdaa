#include "server/uploads/upload_keeper.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/base/thread.h"

namespace videosync {

namespace {

using Kind = UploadAsk::Kind;

constexpr auto look_for_expired_every = std::chrono::seconds(1);
constexpr std::int64_t note_every_us = 10'000'000;
constexpr std::int64_t list_every_us = 60'000'000;

bool is_full(int system_errno) noexcept {
  return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG;
}

}  // namespace

Result<std::unique_ptr<UploadKeeper>> UploadKeeper::create(const std::string& folder,
                                                           const UploadRules& rules,
                                                           const Clock& clock, Owners owners) {
  // A file that may not grow is to be an error like others, not a signal that ends the process.
  ::signal(SIGXFSZ, SIG_IGN);
  auto files = UploadFiles::open(folder);
  if (!files) return std::unexpected(std::move(files.error()));
  std::unique_ptr<UploadKeeper> keeper(
      new UploadKeeper(std::move(*files), rules, clock, std::move(owners)));
  auto thread = start_thread(
      "uploads", [self = keeper.get()](const std::stop_token& stop) { self->run(stop); });
  if (!thread) return std::unexpected(std::move(thread.error()));
  keeper->thread_ = std::move(*thread);
  return keeper;
}

UploadKeeper::UploadKeeper(UploadFiles files, const UploadRules& rules, const Clock& clock,
                           Owners owners) noexcept
    : clock_(clock),
      self_(owners.self),
      living_(std::move(owners.living)),
      may_outlive_(owners.may_outlive),
      expires_us_(rules.expires_us),
      files_(std::move(files)),
      table_(rules) {
  for (Upload& upload : owners.uploads)
    table_.adopt(std::move(upload), clock.monotonic_us());
}

UploadKeeper::~UploadKeeper() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void UploadKeeper::ask(UploadDesk& desk, UploadAsk ask) {
  put({&desk, std::move(ask)});
}

void UploadKeeper::forget(const Uuid& session) {
  UploadAsk ask;
  ask.session = session;
  put({nullptr, std::move(ask)});
}

void UploadKeeper::put(Order order) {
  const std::lock_guard lock(mutex_);
  orders_.push_back(std::move(order));
  wake_.notify_all();
}

// --- The thread ----------------------------------------------------------------------------------

void UploadKeeper::run(const std::stop_token& stop) {
  if (!self_) files_.clear(living_, table_.unfinished());
  while (!stop.stop_requested()) {
    for (Order& order : await_orders(stop))
      serve(order);
    if (!is_handed_away_) give_up_expired();
  }
  if (self_) files_.remove_node(*self_);
  if (!self_ && !may_outlive_ && serves_ && !is_handed_away_) files_.clear({}, {});
}

std::optional<std::vector<Upload>> UploadKeeper::pause(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  VS_ASSERT(!is_paused_ && !is_handed_away_);
  is_paused_ = true;
  wake_.notify_all();
  const bool rests = rested_.wait_for(lock, limit, [this] { return is_resting_; });
  if (rests) return table_.all();
  is_paused_ = false;
  return std::nullopt;
}

void UploadKeeper::resume() {
  const std::lock_guard lock(mutex_);
  VS_ASSERT(is_paused_);
  is_paused_ = false;
  wake_.notify_all();
}

void UploadKeeper::hand_away() {
  const std::lock_guard lock(mutex_);
  VS_ASSERT(is_paused_ && is_resting_);
  is_handed_away_ = true;
  is_paused_ = false;
  wake_.notify_all();
}

// What other nodes have to do with this folder.
void UploadKeeper::look_around(std::int64_t now_us) {
  VS_ASSERT(self_);
  if (now_us >= note_next_us_) {
    files_.note_node(*self_);
    note_next_us_ = now_us + note_every_us;
  }
  nodes_seen_ = files_.count_nodes();
  if (now_us < list_next_us_) return;
  list_next_us_ = now_us + list_every_us;
  files_.remove_parts_older_than((expires_us_ + list_every_us) / 1'000'000);
  const std::lock_guard lock(mutex_);
  sessions_ = files_.sessions();
}

std::vector<Uuid> UploadKeeper::take_sessions() {
  const std::lock_guard lock(mutex_);
  return std::exchange(sessions_, {});
}

void UploadKeeper::give_up_expired() {
  const std::int64_t now_us = clock_.monotonic_us();
  if (now_us < look_next_us_) return;
  look_next_us_ = now_us + look_for_expired_every / std::chrono::microseconds(1);
  if (self_) look_around(now_us);
  for (const Upload& upload : table_.expired(now_us)) {
    log_info("uploads", "a film that nobody went on to bring was given up",
             field("bytes", upload.offset));
    give_up(upload);
  }
}

std::vector<UploadKeeper::Order> UploadKeeper::await_orders(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (is_paused_) {
    is_resting_ = true;
    rested_.notify_all();
    wake_.wait(lock, stop, [this] { return !is_paused_; });
    is_resting_ = false;
  }
  const auto has_orders = [this] { return !orders_.empty() || is_paused_; };
  if (table_.size() == 0 && !self_) {
    wake_.wait(lock, stop, has_orders);
  } else {
    wake_.wait_for(lock, stop, look_for_expired_every, has_orders);
  }
  return std::exchange(orders_, {});
}

void UploadKeeper::serve(Order& order) {
  UploadAsk& ask = order.ask;
  if (order.desk == nullptr) {
    if (!is_handed_away_) give_up_all_of(ask.session);
    return;
  }
  UploadAnswer answer{.number = ask.number, .kind = ask.kind};
  if (is_handed_away_) {
    answer.fault = UploadFault::busy;
    return order.desk->put(std::move(answer));
  }
  const std::int64_t now_us = clock_.monotonic_us();
  Upload* upload = ask.kind == Kind::create ? nullptr : table_.find(ask.session, ask.id);
  if (ask.kind == Kind::create) {
    create_upload(ask, answer);
  } else if (upload == nullptr) {
    answer.fault = UploadFault::unknown;
  } else if (ask.kind == Kind::open) {
    answer.fault = open_upload(*upload, order);
  } else if (ask.kind == Kind::write) {
    write(*upload, ask.text, answer);
    upload = table_.find(ask.session, ask.id);
  } else if (ask.kind == Kind::close) {
    answer.fault = close_upload(*upload);
    if (answer.fault) give_up(*std::exchange(upload, nullptr));
  } else if (ask.kind == Kind::remove) {
    answer.upload = *upload;
    give_up(*std::exchange(upload, nullptr));
  }
  if (upload != nullptr) {
    answer.upload = *upload;
    answer.expires_us = table_.expires_us(*upload) - now_us + clock_.server_us();
  }
  if (ask.kind == Kind::write) {
    ask.text.clear();
    answer.buffer = std::move(ask.text);
  }
  order.desk->put(std::move(answer));
}

std::optional<UploadFault> UploadKeeper::open_upload(Upload& upload, const Order& order) {
  const auto opened = table_.open(upload, order.ask.bytes, clock_.monotonic_us());
  if (opened) {
    openers_.push_back({upload.id, order.desk, order.ask.number});
    return std::nullopt;
  }
  if (opened.error() == UploadFault::in_progress) have_yield(upload);
  return opened.error();
}

// Who brings it has been left for another connection, and cannot know: a network that is gone says
// nothing, and a browser's kernel sends for seconds what a page had begun before its reload. So who
// comes anew need not wait for that.
void UploadKeeper::have_yield(const Upload& upload) {
  if (upload.is_whole()) return;  // its last answer is on its way
  const auto opener = std::ranges::find_if(
      openers_, [&](const Opener& each) { return each.id.bytes == upload.id.bytes; });
  VS_ASSERT(opener != openers_.end());
  UploadAnswer answer{.number = opener->number, .kind = Kind::yield};
  answer.upload = upload;
  opener->desk->put(std::move(answer));
}

std::optional<UploadFault> UploadKeeper::close_upload(Upload& upload) {
  const bool is_kept = files_.close(upload);
  if (upload.is_open) table_.close(upload, clock_.monotonic_us());
  forget_opener(upload);
  if (!is_kept) return UploadFault::storage_failed;
  return std::nullopt;
}

void UploadKeeper::forget_opener(const Upload& upload) noexcept {
  std::erase_if(openers_, [&](const Opener& each) { return each.id.bytes == upload.id.bytes; });
}

void UploadKeeper::create_upload(UploadAsk& ask, UploadAnswer& answer) {
  const std::int64_t now_us = clock_.monotonic_us();
  Upload upload{.session = ask.session, .id = {}, .name = std::move(ask.text), .length = ask.bytes};
  fill_random(upload.id.bytes);
  const auto made = table_.create(std::move(upload), now_us);
  if (!made) {
    answer.fault = made.error();
    if (made.error() == UploadFault::exists) answer.upload = *table_.unfinished_of(ask.session);
    return;
  }
  answer.upload = **made;
  answer.expires_us = table_.expires_us(answer.upload) - now_us + clock_.server_us();
  const auto file = files_.create(answer.upload);
  if (file) return;
  log_warn("uploads", "no film can be brought", field("why", file.error().message));
  answer.fault =
      is_full(file.error().system_errno) ? UploadFault::storage_full : UploadFault::storage_failed;
  table_.remove(answer.upload.session, answer.upload.id);
}

void UploadKeeper::write(Upload& upload, const std::string& bytes, UploadAnswer& answer) {
  if (!upload.is_open) {  // another one has taken its place
    answer.fault = UploadFault::unknown;
    return;
  }
  VS_ASSERT(bytes.size() <= upload.length - upload.offset);
  const UploadFiles::Written written = files_.append(upload, bytes);
  table_.on_written(upload, written.bytes, clock_.monotonic_us());
  if (written.system_errno != 0) {
    log_warn("uploads", "the storage does not take a film",
             field("why", std::strerror(written.system_errno)), field("bytes", upload.offset));
    answer.fault =
        is_full(written.system_errno) ? UploadFault::storage_full : UploadFault::storage_failed;
  } else if (upload.is_whole()) {
    finish(upload, answer);
  }
}

void UploadKeeper::finish(Upload& upload, UploadAnswer& answer) {
  Result<std::string> place = fail(ErrorCode::io, "closing it failed");
  if (files_.close(upload)) place = files_.finish(upload);
  if (place) {
    upload.place = std::move(*place);
    log_info("uploads", "a film was brought", field("bytes", upload.length),
             field("all", table_.taken_bytes()));
    return;
  }
  log_warn("uploads", "a film that was brought is lost", field("why", place.error().message));
  answer.fault = UploadFault::storage_failed;
  give_up(Upload(upload));
}

void UploadKeeper::give_up(const Upload& upload) noexcept {
  files_.remove(upload);
  forget_opener(upload);
  table_.remove(Uuid(upload.session), UploadId(upload.id));
}

void UploadKeeper::give_up_all_of(const Uuid& session) noexcept {
  for (const Upload& upload : table_.all_of(session))
    give_up(upload);
  files_.remove_all_of(session);
}

}  // namespace videosync
