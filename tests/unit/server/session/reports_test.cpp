// What the home makes of members' reports in the metrics.
#include <criterion/criterion.h>

#include <limits>
#include <string>

#include "tests/unit/server/session/directory_fixture.h"
#include "tests/unit/server/session/other_node.h"

using namespace videosync;
using namespace videosync::test;

namespace {

struct Showing {
  DirectoryFixture node;
  Uuid key = node.create();
  DirectoryFixture::Begun host = node.join(key);

  void say(const ClientMessage& message) {
    node.directory().on_message(key, host.member, host.number, {}, message);
    node.turn();
  }
  void play() {
    say(PlayMessage{});
    node.pass(1 * seconds);
  }
  std::string line(const std::string& name) const {
    const std::string page = "\n" + node.metrics().render();
    const std::size_t at = page.find("\nvideosync_" + name + " ");
    cr_assert(at != page.npos, "no %s", name.c_str());
    const std::size_t value = at + 12 + name.size();
    return page.substr(value, page.find('\n', value) - value);
  }
  std::string reports() const { return line("viewer_skew_seconds_count"); }
};

}  // namespace

Test(reports, the_skew_of_who_plays_is_observed_without_its_sign) {
  Showing showing;
  showing.play();
  showing.say(ReportMessage{.drift_ms = -3.5, .form = Form::file});
  showing.say(ReportMessage{.drift_ms = 70, .form = Form::copy});
  showing.say(ReportMessage{.drift_ms = -1e300});
  cr_assert_eq(showing.line("viewer_skew_seconds_bucket{le=\"0.005\"}"), "1");
  cr_assert_eq(showing.line("viewer_skew_seconds_bucket{le=\"0.05\"}"), "1");
  cr_assert_eq(showing.line("viewer_skew_seconds_bucket{le=\"0.1\"}"), "2");
  cr_assert_eq(showing.line("viewer_skew_seconds_bucket{le=\"5\"}"), "2");
  cr_assert_eq(showing.line("viewer_skew_seconds_bucket{le=\"+Inf\"}"), "3");
  cr_assert_eq(showing.node.count(Counter::report_file), 1u);
  cr_assert_eq(showing.node.count(Counter::report_copy), 1u);
  cr_assert_eq(showing.node.count(Counter::report_unknown), 1u);
}

Test(reports, while_nothing_runs_nobody_is_out_of_step) {
  Showing showing;
  showing.say(ReportMessage{.drift_ms = 9'000});
  showing.say(PlayMessage{std::nullopt, 5'000});
  showing.node.pass(1 * seconds);
  showing.say(ReportMessage{.drift_ms = 9'000});
  showing.say(ReportMessage{.drift_ms = 9'000, .buffering = true});
  cr_assert_eq(showing.reports(), "0");
  cr_assert_eq(showing.node.count(Counter::reports_buffering), 0u);
  showing.node.pass(5 * seconds);
  showing.say(ReportMessage{.drift_ms = 9'000});
  cr_assert_eq(showing.reports(), "1");
  showing.say(PauseMessage{});
  showing.say(ReportMessage{.drift_ms = 9'000});
  cr_assert_eq(showing.reports(), "1");
}

Test(reports, who_buffers_cannot_play_or_goes_at_its_own_pace_is_no_measure) {
  Showing showing;
  showing.play();
  showing.say(ReportMessage{.drift_ms = 9'000, .buffering = true});
  showing.say(ReportMessage{.drift_ms = 9'000, .cannot_play = true});
  showing.say(ReportMessage{.drift_ms = 9'000, .own_pace = true});
  cr_assert_eq(showing.reports(), "0");
  cr_assert_eq(showing.node.count(Counter::reports_buffering), 1u);
}

Test(reports, who_is_waited_for_buffers) {
  Showing showing;
  showing.say(SettingsMessage{.on_stall = OnStall::wait});
  showing.play();
  showing.say(ReportMessage{});
  showing.node.pass(10 * seconds);
  showing.say(ReportMessage{.buffering = true});
  showing.say(ReportMessage{.buffering = true});
  cr_assert_eq(showing.node.count(Counter::reports_buffering), 2u);
  cr_assert_eq(showing.reports(), "1");
}

Test(reports, what_is_no_number_is_no_skew) {
  Showing showing;
  showing.play();
  showing.say(ReportMessage{.drift_ms = std::numeric_limits<double>::quiet_NaN()});
  cr_assert_eq(showing.line("viewer_skew_seconds_bucket{le=\"5\"}"), "0");
}
