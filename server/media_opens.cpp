#include "server/media_opens.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "server/http/faults.h"
#include "server/http/file_response.h"
#include "server/worker.h"
#include "storage/files/open_files.h"

namespace videosync {

namespace {

constexpr HttpFault too_many_opens{503, "unavailable", "the file cannot be opened now, try again"};

}  // namespace

MediaOpens::MediaOpens(Worker& worker, std::unique_ptr<FileDesk> desk)
    : worker_(worker),
      desk_(std::move(desk)),
      watcher_(
          worker.reactor().ring(), desk_->descriptor(),
          [](void* self, std::uint32_t) noexcept { static_cast<MediaOpens*>(self)->on_opened(); },
          this) {}

MediaOpens::~MediaOpens() {
  VS_ASSERT(is_idle());
}

void MediaOpens::open(Connection& connection, MediaLibrary::Place place) {
  VS_ASSERT(place.file == nullptr && place.files != nullptr);
  const SlotHandle asker = worker_.ref_of(connection).slot;
  const auto same = std::ranges::find_if(pending_, [&](const Pending& pending) {
    return pending.place.folder == place.folder && pending.place.path == place.path;
  });
  if (same != pending_.end() && !same->is_late) {
    same->askers.push_back(asker);
    return connection.limit_answer_wait(wait_us);
  }
  const auto number = same != pending_.end() ? fail(ErrorCode::exhausted, "it is late already")
                                             : desk_->ask_to_open(place.folder, place.path);
  if (!number) {
    if (number.error().code == ErrorCode::not_found) return connection.answer_error(nothing_there);
    worker_.metrics().count(Counter::media_opens_refused);
    return connection.answer_error(too_many_opens, retry_in_5_s);
  }
  pending_.push_back({*number, std::move(place), {asker}, worker_.monotonic_us()});
  worker_.metrics().add(Gauge::media_opens, 1);
  connection.limit_answer_wait(wait_us);
}

void MediaOpens::on_opened() noexcept {
  while (auto opened = desk_->take_opened()) {
    const auto found = std::ranges::find(pending_, opened->number, &Pending::number);
    VS_ASSERT(found != pending_.end());
    const Pending pending = std::move(*found);
    pending_.erase(found);
    worker_.metrics().add(Gauge::media_opens, -1);
    if (pending.is_late) end_late();
    if (opened->file) {
      opened->file = pending.place.files->keep(*pending.place.folder, std::move(*opened->file));
    }
    answer(pending, opened->file);
  }
}

// Whoever has left, or has been told to try again, is not waiting any more.
void MediaOpens::answer(const Pending& pending, const Result<MediaFileRef>& opened) {
  for (const SlotHandle asker : pending.askers) {
    Connection* connection = worker_.find_connection(asker);
    if (connection == nullptr || !connection->is_awaiting_answer()) continue;
    if (opened) {
      answer_with_file(worker_, *connection, *opened, media_rule(pending.place.is_private));
    } else if (opened.error().code == ErrorCode::not_found) {
      connection->answer_error(nothing_there);
    } else {
      connection->answer_error(too_many_opens, retry_in_5_s);
    }
  }
}

void MediaOpens::on_second() noexcept {
  for (Pending& pending : pending_) {
    const bool is_over = worker_.monotonic_us() - pending.asked_us >= wait_us;
    if (is_over && !pending.is_late) begin_late(pending);
  }
}

void MediaOpens::begin_late(Pending& pending) {
  pending.is_late = true;
  worker_.metrics().count(Counter::media_opens_given_up, pending.askers.size());
  if (worker_.service().opens_late.fetch_add(1) > 0) return;
  log_warn("media", "the storage does not open a file; requests for it are answered 503",
           field("file", pending.place.path), field("seconds", wait_us / 1'000'000));
}

void MediaOpens::end_late() {
  if (worker_.service().opens_late.fetch_sub(1) > 1) return;
  log_info("media", "the storage has opened the last file that was late");
}

}  // namespace videosync
