// FormDesk: where one worker's asks for forms get their answers from the FormMaker's thread.
//
// The descriptor is readable when there is something to take. Both threads may use it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "storage/files/media_file.h"

namespace videosync {

struct FormAnswer {
  enum class Kind : std::uint8_t {
    text,  // with its type
    file,
    unmade,      // it is to be had, but was only looked for
    not_found,   // no such film, form or part
    unplayable,  // it cannot be made of this film: why is in `text`
    busy,        // too much is being made: ask again
    failing,     // this server cannot make it now: why is in `text`
  };
  std::uint64_t number = 0;  // of the ask
  Kind kind = Kind::not_found;
  std::string text{};
  std::string_view type{};  // a literal
  MediaFileRef file{};
};

class FormDesk {
 public:
  // Errors: io, where no eventfd is to be had.
  static Result<std::unique_ptr<FormDesk>> create();
  FormDesk(const FormDesk&) = delete;
  FormDesk& operator=(const FormDesk&) = delete;

  int descriptor() const noexcept { return news_.get(); }
  void put(FormAnswer answer);
  std::vector<FormAnswer> take();

 private:
  explicit FormDesk(UniqueFd news) noexcept : news_(std::move(news)) {}

  const UniqueFd news_;
  std::mutex mutex_;
  std::vector<FormAnswer> answers_;
};

}  // namespace videosync
