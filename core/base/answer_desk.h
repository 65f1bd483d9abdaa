// AnswerDesk: where one worker's asks get their answers from another thread.
//
// The descriptor is readable when there is something to take. Both threads may use it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "core/kernel/kernel.h"

namespace videosync {

template <class Answer>
class AnswerDesk {
 public:
  // `what`: whose answers these are, for the operator. Errors: io, where no eventfd is to be had.
  static Result<std::unique_ptr<AnswerDesk>> create(const std::string& what) {
    const int event = kernel::make_event();
    UniqueFd news(event);
    if (!news) return fail_errno("an eventfd for " + what + " (raise `ulimit -n`)", -event);
    return std::unique_ptr<AnswerDesk>(new AnswerDesk(std::move(news)));
  }
  AnswerDesk(const AnswerDesk&) = delete;
  AnswerDesk& operator=(const AnswerDesk&) = delete;

  int descriptor() const noexcept { return news_.get(); }

  void put(Answer answer) {
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
    }
    VS_ASSERT(kernel::add_event(news_.get()) == 0);
  }

  std::vector<Answer> take() {
    while (kernel::take_event(news_.get()) > 0) {
    }
    const std::lock_guard lock(mutex_);
    return std::exchange(answers_, {});
  }

 private:
  explicit AnswerDesk(UniqueFd news) noexcept : news_(std::move(news)) {}

  const UniqueFd news_;
  std::mutex mutex_;
  std::vector<Answer> answers_;
};

}  // namespace videosync
