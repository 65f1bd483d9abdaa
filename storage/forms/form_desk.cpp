#include "storage/forms/form_desk.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

Result<std::unique_ptr<FormDesk>> FormDesk::create() {
  UniqueFd news(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!news) return fail_errno("an eventfd for forms of films (raise `ulimit -n`)", errno);
  return std::unique_ptr<FormDesk>(new FormDesk(std::move(news)));
}

void FormDesk::put(FormAnswer answer) {
  {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  const std::uint64_t one = 1;
  VS_ASSERT(::write(news_.get(), &one, sizeof one) == sizeof one);
}

std::vector<FormAnswer> FormDesk::take() {
  std::uint64_t count = 0;
  while (::read(news_.get(), &count, sizeof count) > 0) {
  }
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

}  // namespace videosync
