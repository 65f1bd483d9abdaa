#include "server/uploads/upload_asks.h"

#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "server/uploads/upload_answers.h"
#include "server/worker.h"

namespace videosync {

using Kind = UploadAsk::Kind;

namespace {

// 0: they come in chunks.
std::uint64_t announced_bytes(const Connection& connection) noexcept {
  return parse_decimal<std::uint64_t>(connection.request().header("Content-Length")).value_or(0);
}

}  // namespace

UploadAsks::UploadAsks(Worker& worker, UploadKeeper& keeper, std::unique_ptr<UploadDesk> desk)
    : worker_(worker),
      keeper_(keeper),
      desk_(std::move(desk)),
      watcher_(
          worker.reactor().ring(), desk_->descriptor(),
          [](void* self, std::uint32_t) noexcept { static_cast<UploadAsks*>(self)->on_answered(); },
          this) {}

UploadAsks::~UploadAsks() {
  VS_ASSERT(is_idle());
}

void UploadAsks::ask(Connection& connection, UploadAsk ask) {
  ask.number = ++last_number_;
  askers_.emplace(ask.number, Asker{worker_.ref_of(connection).slot});
  put(std::move(ask));
}

void UploadAsks::put(UploadAsk ask) {
  VS_ASSERT(askers_.contains(ask.number));
  keeper_.ask(*desk_, std::move(ask));
}

Connection* UploadAsks::find(SlotHandle connection) noexcept {
  return worker_.find_connection(connection);
}

std::int64_t UploadAsks::now_us() const noexcept {
  return worker_.monotonic_us();
}

void UploadAsks::on_answered() noexcept {
  for (UploadAnswer& answer : desk_->take())
    on_answer(answer);
}

void UploadAsks::on_answer(UploadAnswer& answer) {
  const auto found = askers_.find(answer.number);
  VS_ASSERT(found != askers_.end());
  Asker& asker = found->second;
  if (answer.kind == Kind::yield) {
    VS_ASSERT(asker.reception != nullptr);
    return asker.reception->on_yield();
  }
  bool goes_on = false;
  if (asker.reception != nullptr) {
    goes_on = asker.reception->on_answer(answer);
  } else if (answer.kind == Kind::open && !answer.fault) {
    goes_on = on_opened(asker, answer);
  } else if (Connection* connection = find(asker.connection)) {
    if (connection->is_awaiting_answer()) answer_upload(*connection, answer);
  }
  const bool is_given_up = answer.kind == Kind::remove && !answer.fault;
  if (is_given_up) tell(answer.upload, std::nullopt);
  if (!goes_on) askers_.erase(found);
}

bool UploadAsks::on_opened(Asker& asker, const UploadAnswer& answer) {
  asker.reception =
      std::make_unique<UploadReception>(*this, answer.number, asker.connection, answer.upload);
  Connection* connection = find(asker.connection);
  if (connection == nullptr || !connection->is_awaiting_answer()) {
    asker.reception->on_body_lost();
  } else if (announced_bytes(*connection) > answer.upload.length - answer.upload.offset) {
    asker.reception->on_body_lost();
    answer_upload(
        *connection,
        {.kind = Kind::open, .fault = UploadFault::beyond_length, .upload = answer.upload});
  } else if (!connection->request().has_body) {
    asker.reception->on_body_end();
  } else {
    connection->begin_body(*asker.reception);
  }
  return true;
}

void UploadAsks::tell_progress(const Upload& upload) {
  const double part = static_cast<double>(upload.offset) / static_cast<double>(upload.length);
  // 100 is said of a whole one alone.
  tell(upload, static_cast<std::uint8_t>(part * 100));
}

void UploadAsks::tell(const Upload& upload, std::optional<std::uint8_t> percent) {
  const std::size_t owner = worker_.service().worker_of(upload.session);
  SessionDirectory* directory = &worker_.service().workers[owner]->directory();
  auto name = std::make_unique<std::string>(upload.name);
  worker_.run_on(owner, [directory, key = upload.session, name = std::move(name),
                         percent]() noexcept { directory->on_upload(key, *name, percent); });
}

}  // namespace videosync
