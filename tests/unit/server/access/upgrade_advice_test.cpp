#include "server/access/upgrade_advice.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include <string>

#include "core/base/log.h"

using namespace videosync;

namespace {

// What is logged while this lives.
class LogPipe {
 public:
  LogPipe() {
    cr_assert_eq(::pipe(ends_), 0);
    before_ = log_settings.descriptor;
    log_settings.descriptor = ends_[1];
  }
  ~LogPipe() {
    log_settings.descriptor = before_;
    ::close(ends_[0]);
    if (ends_[1] >= 0) ::close(ends_[1]);
  }

  std::string read_all() {
    ::close(std::exchange(ends_[1], -1));
    std::string text;
    char buffer[4096];
    for (ssize_t count; (count = ::read(ends_[0], buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(count));
    return text;
  }

 private:
  int ends_[2] = {-1, -1};
  int before_ = -1;
};

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size())
    ++count;
  return count;
}

}  // namespace

Test(upgrade_advice, each_pair_is_told_once) {
  LogPipe log;
  UpgradeAdvice advice;
  for (int i = 0; i < 3; ++i) {
    advice.tell_foreign_origin("https://watch.example", "127.0.0.1:8080");
    advice.tell_foreign_origin("https://watch.example", "watch");
    advice.tell_missing_upgrade("watch");
  }
  const std::string text = log.read_all();
  cr_assert_eq(count_of(text, "\n"), 3u, "%s", text.c_str());
  cr_assert_eq(count_of(text, "must pass Host"), 2u);
  cr_assert_eq(count_of(text, "must pass Upgrade"), 1u);
  cr_assert_eq(count_of(text, "https://watch.example"), 2u);
  cr_assert_eq(count_of(text, "127.0.0.1:8080"), 1u);
}

Test(upgrade_advice, whatever_clients_invent_the_log_stays_short) {
  LogPipe log;
  UpgradeAdvice advice;
  for (int i = 0; i < 1'000; ++i)
    advice.tell_foreign_origin("https://" + std::to_string(i) + ".example", "watch");
  const std::string text = log.read_all();
  cr_assert_eq(count_of(text, "must pass Host"), UpgradeAdvice::told_max);
  cr_assert_eq(count_of(text, "are not told"), 1u);
}
