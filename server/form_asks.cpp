#include "server/form_asks.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "server/http/faults.h"
#include "server/http/file_response.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr HttpFault busy{503, "busy", "this machine has too much to prepare, try again"};
constexpr HttpField retry_in_2_s[] = {{"Retry-After", "2"}};
// The FormMaker answers after 10 s at the latest.
constexpr std::int64_t wait_us = 12'000'000;
// Its URL names the version of the film. What is not for everybody is for the caches of who has it.
constexpr std::string_view for_good = "public, max-age=31536000, immutable";
constexpr std::string_view for_good_to_viewers = "private, max-age=31536000, immutable";

}  // namespace

FormAsks::FormAsks(Worker& worker, FormMaker& maker, std::unique_ptr<FormDesk> desk)
    : worker_(worker),
      maker_(maker),
      desk_(std::move(desk)),
      watcher_(
          worker.reactor().ring(), desk_->descriptor(),
          [](void* self, std::uint32_t) noexcept { static_cast<FormAsks*>(self)->on_answered(); },
          this) {}

FormAsks::~FormAsks() {
  VS_ASSERT(is_idle());
}

void FormAsks::ask(Connection& connection, FormAsk ask) {
  ask.number = ++last_number_;
  askers_.emplace(ask.number, Asker{worker_.ref_of(connection).slot, ask.source.is_private});
  maker_.ask(*desk_, std::move(ask));
  connection.limit_answer_wait(wait_us);
}

void FormAsks::on_answered() noexcept {
  for (const FormAnswer& one : desk_->take()) {
    const auto asker = askers_.extract(one.number);
    if (asker.empty()) continue;
    const Asker& who = asker.mapped();
    Connection* connection = worker_.find_connection(who.slot);
    if (connection == nullptr || !connection->is_awaiting_answer()) continue;
    answer(*connection, one, who.is_private);
  }
}

CacheRule FormAsks::kept_rule(bool is_private) const noexcept {
  const bool is_for_all = !is_private && !worker_.service().create_password.is_asked_for();
  return {is_for_all ? for_good : for_good_to_viewers, is_private};
}

void FormAsks::answer(Connection& connection, const FormAnswer& answer, bool is_private) {
  using Kind = FormAnswer::Kind;
  switch (answer.kind) {
    case Kind::text:
      return answer_with_text(worker_, connection, answer.type, answer.text,
                              media_rule(is_private));
    case Kind::file:
      return answer_with_file(worker_, connection, answer.file, kept_rule(is_private));
    case Kind::unmade:
      return answer_with_type(worker_, connection, answer.type, kept_rule(is_private));
    case Kind::not_found:
      return connection.answer_error(nothing_there);
    case Kind::unplayable:
      return connection.answer_error({422, "film_unplayable", answer.text});
    case Kind::busy:
      return connection.answer_error(busy, retry_in_2_s);
    case Kind::failing:
      return connection.answer_error({503, "unavailable", answer.text}, retry_in_2_s);
  }
}

// Whoever has closed its half alone is not told apart from a browser that has left.
void FormAsks::on_asker_left(Connection& connection) noexcept {
  const SlotHandle slot = worker_.ref_of(connection).slot;
  const auto asker =
      std::ranges::find(askers_, slot, [](const auto& one) { return one.second.slot; });
  if (asker == askers_.end()) return;
  maker_.give_up(*desk_, asker->first);
  askers_.erase(asker);
  if (connection.is_awaiting_answer()) connection.answer_error(busy, retry_in_2_s);
}

}  // namespace videosync
