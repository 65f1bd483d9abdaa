#include "server/routes/session_answers.h"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "proto/http/http_request.h"
#include "proto/wire/messages.h"
#include "server/films/video_catalog.h"
#include "server/http/faults.h"
#include "server/http/file_response.h"
#include "server/routes/code_route.h"
#include "server/routes/film_gate.h"
#include "server/routes/film_route.h"
#include "server/routes/websocket_route.h"
#include "server/uploads/upload_route.h"
#include "server/worker.h"

namespace videosync {

namespace {

// In the order of SessionFault.
constexpr HttpFault faults[] = {
    {404, "session_not_found", "no such session"},
    {503, "unavailable", "the session's home or the store cannot be reached now, try again"},
    {503, "too_many_sessions", "the server has as many sessions as it may"},
    {503, "session_full", "the session has as many members as it may"},
    {400, "no_such_video", "the library has no video of that id"},
    {401, "unauthorized", "send Authorization: Bearer with the host token"},
    {403, "not_host", "the token is not this session's host token"},
    {403, "session_locked", "the session is locked: nobody else is let in"},
    {403, "must_knock", "the host has to let you in"},
    {403, "turned_away", "the host did not let you in"},
    {503, "door_full", "too many wait to be let in, try again"},
    {403, "removed", "the host has removed this browser from the session"},
};

struct Answering {
  Worker& worker;
  Connection& connection;

  void operator()(SessionFault fault) const noexcept {
    static constexpr HttpField challenge[] = {{"WWW-Authenticate", "Bearer"}};
    const HttpFault& told = faults[static_cast<std::size_t>(fault)];
    settle_code(worker, connection, false);
    if (told.status == 401) return connection.answer_error(told, challenge);
    if (told.status == 503) return connection.answer_error(told, retry_in_5_s);
    connection.answer_error(told);
  }
  void operator()(const SessionCreated& created) const noexcept {
    std::string body;
    encode_session_created(body, created.key, created.host_token, created.code);
    const std::string location = "/api/sessions/" + created.key.to_string();
    const HttpField extra[] = {{"Cache-Control", "no-store"}, {"Location", location}};
    connection.answer(201, "application/json", body, extra);
  }
  void operator()(const SessionInfo& info) const noexcept {
    if (is_join_question(connection)) return answer_join_question(worker, connection, info);
    if (is_upload_request(connection)) return on_uploader_known(worker, connection, info);
    const VideoEntry* video = worker.library().find(info.state.video);
    const std::string video_json =
        video != nullptr ? encode_video(worker.library(), *video, info.state.video) : "null";
    std::string body;
    encode_session_info(body, {info.key, video_json, info.settings, info.members, info.state,
                               worker.server_us(), info.code});
    answer_who_knows(body);
  }
  void operator()(const SessionValidity& validity) const noexcept {
    settle_code(worker, connection, !validity.key);
    if (is_code_link(connection)) return answer_code_link(worker, connection, validity);
    if (is_film_request(connection)) return go_on_with_film(worker, connection, validity);
    std::string body;
    encode_session_validity(body, validity.key);
    if (validity.key) return answer_who_knows(body);
    connection.answer_json(200, body, fresh);
  }
  void operator()(const SessionVideo& video) const noexcept {
    if (is_film_url(video.id)) {
      const HttpField elsewhere[] = {{"Location", video.id}};
      return connection.answer(307, "", "", elsewhere);
    }
    answer_with_video(worker, connection, worker.library().find(video.id));
  }
  void operator()(SessionDeleted) const noexcept { connection.answer(204, "", "", fresh); }

 private:
  static constexpr HttpField fresh[] = {{"Cache-Control", "no-store"}};
  // To who has named a session that there is.
  void answer_who_knows(std::string_view body) const noexcept {
    const auto cookie = viewing_cookie(worker, connection);
    if (!cookie) return connection.answer_json(200, body, fresh);
    const HttpField extra[] = {fresh[0], {"Set-Cookie", *cookie}};
    connection.answer_json(200, body, extra);
  }

 public:
  Answering(Worker& at, Connection& to) noexcept : worker(at), connection(to) {}
};

}  // namespace

void answer_with_session(Worker& worker, Connection& connection,
                         const SessionReply& reply) noexcept {
  VS_ASSERT(connection.is_awaiting_answer());
  std::visit(Answering(worker, connection), reply);
}

}  // namespace videosync
