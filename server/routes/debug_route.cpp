#include "server/routes/debug_route.h"

#include <fmt/core.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/json_text.h"
#include "core/base/text.h"
#include "proto/http/http_query.h"
#include "server/http/faults.h"
#include "server/session/survey.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr std::size_t listed_default = 100;
constexpr std::size_t listed_max = 1'000;
constexpr std::size_t shown_digits = 8;

constexpr HttpFault only_here{403, "forbidden", "only this machine is told: ask from loopback"};
constexpr HttpFault bad_limit{400, "out_of_range", "limit is a number from 0 to 1000"};

std::string shortened(const Uuid& id) {
  return id.to_string().substr(0, shown_digits);
}

void append_state(std::string& out, const SurveyedSession& session) {
  const PlaybackState& state = session.state;
  out += fmt::format(R"("state":{{"epoch":{},"seq":{},"video":")", state.epoch, state.seq);
  append_json_text(out, state.video);
  out += '"';
  if (session.is_home) {
    out += fmt::format(R"(,"playing":{},"position":{:.3f},"rate":{},"atMs":{})", state.playing,
                       state.position, state.rate, state.at_us / 1'000);
  }
  out += '}';
}

void append_session(std::string& out, const SurveyedSession& session) {
  out +=
      fmt::format(R"({{"key":"{}","worker":{},"role":"{}","members":{},"membersHere":{},"nodes":[)",
                  shortened(session.key), session.worker, session.is_home ? "home" : "outpost",
                  session.members, session.members_here);
  for (const Uuid& node : session.nodes)
    out += fmt::format(R"({}"{}")", out.ends_with('[') ? "" : ",", shortened(node));
  out += fmt::format(R"(],"queued":{},)", session.queued);
  append_state(out, session);
  out += '}';
}

std::string described(const SessionSurvey& survey) {
  std::string out =
      fmt::format(R"({{"sessions":{},"members":{},"list":[)", survey.sessions, survey.members);
  for (const SurveyedSession& session : survey.largest) {
    if (!out.ends_with('[')) out += ',';
    append_session(out, session);
  }
  return out + "]}\n";
}

struct Asking {
  SessionSurvey survey;
  Worker& asker;
  SlotHandle connection;
};

// From worker to worker, each on its own thread, and back to the first one.
void survey_next(Worker& at, std::unique_ptr<Asking> asking) {
  at.directory().survey(asking->survey);
  const std::size_t next = at.index() + 1;
  Service& service = at.service();
  if (next < service.workers.size()) {
    Worker* worker = service.workers[next];
    return at.run_on(next, [worker, asking = std::move(asking)]() mutable noexcept {
      survey_next(*worker, std::move(asking));
    });
  }
  const std::size_t home = asking->asker.index();
  at.run_on(home, [asking = std::move(asking)]() noexcept {
    Connection* connection = asking->asker.find_connection(asking->connection);
    if (connection == nullptr || !connection->is_awaiting_answer()) return;
    static constexpr HttpField extra[] = {{"Cache-Control", "no-store"}};
    connection->answer_json(200, described(asking->survey), extra);
  });
}

}  // namespace

void route_debug_sessions(Worker& worker, Connection& connection) {
  const auto address = connection.socket_address();
  if (address && !address->is_loopback()) return connection.answer_error(only_here);
  std::size_t limit = listed_default;
  if (const auto wanted = query_value(connection.request().query, "limit")) {
    const auto number = parse_decimal<std::size_t>(*wanted);
    if (!number || *number > listed_max) return connection.answer_error(bad_limit);
    limit = *number;
  }
  auto asking = std::unique_ptr<Asking>(new Asking{.survey = {.limit = limit, .largest = {}},
                                                   .asker = worker,
                                                   .connection = worker.ref_of(connection).slot});
  Worker* first = worker.service().workers.front();
  worker.run_on(0, [first, asking = std::move(asking)]() mutable noexcept {
    survey_next(*first, std::move(asking));
  });
}

}  // namespace videosync
