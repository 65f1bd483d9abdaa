// SessionHome: the HTTP requests that need a session's home.
#include <string>
#include <utility>

#include "proto/wire/messages.h"
#include "server/http/file_response.h"
#include "server/http/video_catalog.h"
#include "server/session/homed_session.h"
#include "server/session/stored_session.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr HttpFault too_many_sessions{503, "too_many_sessions",
                                      "the server has as many sessions as it may"};
constexpr HttpFault no_such_video{400, "no_such_video", "the library has no video of that id"};

}  // namespace

const HttpFault& SessionHome::fault_of(const Error& error) noexcept {
  const bool is_lost = error.code == ErrorCode::not_found || error.code == ErrorCode::conflict ||
                       error.code == ErrorCode::corrupt;
  if (is_lost) return session_not_found_fault;
  if (error.code == ErrorCode::exhausted) return too_many_sessions;
  return store_away_fault;
}

void SessionHome::on_create(const Uuid& key, const CreateOrder& order) noexcept {
  auto video = choose_video(order.video);
  if (!video && order.video) {
    answer_error(order.from_worker, order.from_peer, no_such_video);
    return;
  }
  Token host_token;
  fill_random(host_token.bytes);
  Token resume_key;
  fill_random(resume_key.bytes);
  auto machine = std::make_unique<SessionMachine>(
      worker_.service().session_limits, order.settings, host_token,
      video ? std::move(*video) : VideoChoice{}, worker_.server_us(), resume_key);
  const BufferRef bytes = encode_stored_session({Uuid{}, machine->encode()});
  machine->take_durable_changed();
  const StoreVersion first_version{machine->state().epoch, 1};
  worker_.store().create(key, first_version, bytes, store_ttl_us(),
                         [this, key, order, host_token, first_version,
                          machine = std::move(machine)](Result<> made) mutable noexcept {
                           if (!made) {
                             answer_error(order.from_worker, order.from_peer,
                                          fault_of(made.error()));
                             return;
                           }
                           worker_.metrics().count(Counter::sessions_created);
                           std::string body;
                           encode_session_created(body, key, host_token);
                           answer_json(order.from_worker, order.from_peer, 201, std::move(body),
                                       "/api/sessions/" + key.to_string());
                           // Where others share the store, the first member decides which node is
                           // its home.
                           if (is_alone()) arm_timer(adopt(key, std::move(machine), first_version));
                         });
}

void SessionHome::on_info(const Uuid& key, std::uint32_t from_worker,
                          SlotHandle from_peer) noexcept {
  if (!is_alone() && !has(key)) return worker_.outposts().info(key, from_worker, from_peer);
  find_or_load(key, [this, from_worker, from_peer](Result<Homed*> found) noexcept {
    if (!found) {
      answer_error(from_worker, from_peer, fault_of(found.error()));
      return;
    }
    Homed& homed = **found;
    const SessionMachine& machine = *homed.machine;
    answer_json(from_worker, from_peer, 200,
                describe(homed.key, machine.settings(), machine.member_count(), machine.state()));
    arm_timer(homed);
  });
}

void SessionHome::on_validate(const Uuid& key, std::uint32_t from_worker,
                              SlotHandle from_peer) noexcept {
  const auto answer = [this, from_worker, from_peer](bool is_valid) noexcept {
    answer_json(from_worker, from_peer, 200, is_valid ? R"({"valid":true})" : R"({"valid":false})");
  };
  if (has(key) || worker_.outposts().has_members(key)) return answer(true);
  worker_.store().exists(key, [this, answer, from_worker, from_peer](Result<bool> exists) noexcept {
    if (!exists) return answer_error(from_worker, from_peer, store_away_fault);
    answer(*exists);
  });
}

std::string SessionHome::describe(const Uuid& key, const SessionSettings& settings,
                                  std::uint32_t members, const PlaybackState& state) const {
  const VideoEntry* video = worker_.library().find(state.video);
  const std::string video_json = video != nullptr ? encode_video(*video) : "null";
  std::string body;
  encode_session_info(body, {key, video_json, settings, members, state, worker_.server_us()});
  return body;
}

void SessionHome::on_video(const Uuid& key, std::uint32_t from_worker,
                           SlotHandle from_peer) noexcept {
  const auto answer = [this, from_worker, from_peer](const std::string& id) noexcept {
    Worker* worker = worker_.service().workers[from_worker];
    worker_.run_on(from_worker, [worker, from_peer, id = std::string(id)]() noexcept {
      Connection* peer = worker->find_connection(from_peer);
      if (peer == nullptr || !peer->is_awaiting_answer()) return;
      answer_with_video(*worker, *peer, worker->library().find(id));
    });
  };
  if (is_alone() || has(key)) {
    return find_or_load(key, [=, this](Result<Homed*> found) noexcept {
      if (!found) return answer_error(from_worker, from_peer, fault_of(found.error()));
      answer((*found)->machine->state().video);
    });
  }
  if (const std::string* video = worker_.outposts().video_of(key)) return answer(*video);
  // Which video it is does not need the session's home.
  worker_.store().load(key, [=, this](Result<StoredValue> value) noexcept {
    if (!value) return answer_error(from_worker, from_peer, fault_of(value.error()));
    const auto stored = decode_stored_session(value->bytes);
    const auto record = stored ? decode_session_record(stored->record)
                               : Result<SessionRecord>(std::unexpected(stored.error()));
    if (!record) return answer_error(from_worker, from_peer, session_not_found_fault);
    answer(record->state.video);
  });
}

void SessionHome::on_delete(const Uuid& key, const std::optional<Token>& host_token,
                            std::uint32_t from_worker, SlotHandle from_peer) noexcept {
  if (!is_alone() && !has(key)) {
    return worker_.outposts().end(key, host_token, from_worker, from_peer);
  }
  find_or_load(key, [this, host_token, from_worker, from_peer](Result<Homed*> found) noexcept {
    if (!found) {
      answer_error(from_worker, from_peer, fault_of(found.error()));
    } else {
      end_found(**found, host_token, from_worker, from_peer);
    }
  });
}

void SessionHome::end_found(Homed& homed, const std::optional<Token>& host_token,
                            std::uint32_t from_worker, SlotHandle from_peer) noexcept {
  if (!host_token) {
    answer_error(from_worker, from_peer, token_missing_fault);
    return;
  }
  if (!homed.machine->holds_host_token(*host_token)) {
    answer_error(from_worker, from_peer, not_the_host_fault);
    return;
  }
  homed.machine->end(worker_.server_us(), effects_);
  settle(homed);
  answer_json(from_worker, from_peer, 204, "");
}

void SessionHome::answer_error(std::uint32_t to_worker, SlotHandle to_peer,
                               const HttpFault& fault) noexcept {
  Worker* worker = worker_.service().workers[to_worker];
  worker_.run_on(to_worker, [worker, to_peer, fault]() noexcept {
    Connection* peer = worker->find_connection(to_peer);
    if (peer == nullptr || !peer->is_awaiting_answer()) return;
    if (fault.status == 401) {
      static constexpr HttpField challenge[] = {{"WWW-Authenticate", "Bearer"}};
      peer->answer_error(fault, challenge);
    } else if (fault.status == 503) {
      static constexpr HttpField retry[] = {{"Retry-After", "5"}};
      peer->answer_error(fault, retry);
    } else {
      peer->answer_error(fault);
    }
  });
}

void SessionHome::answer_json(std::uint32_t to_worker, SlotHandle to_peer, int status,
                              std::string body, std::string location) noexcept {
  Worker* worker = worker_.service().workers[to_worker];
  worker_.run_on(to_worker, [worker, to_peer, status, body = std::move(body),
                             location = std::move(location)]() noexcept {
    Connection* peer = worker->find_connection(to_peer);
    if (peer == nullptr || !peer->is_awaiting_answer()) return;
    const HttpField extra[] = {{"Cache-Control", "no-store"}, {"Location", location}};
    const std::size_t extra_count = location.empty() ? 1 : 2;
    peer->answer(status, body.empty() ? "" : "application/json", body,
                 std::span(extra).first(extra_count));
  });
}

}  // namespace videosync
