// FormDesk: where one worker's asks for forms get their answers from the FormMaker's thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/answer_desk.h"
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

using FormDesk = AnswerDesk<FormAnswer>;

}  // namespace videosync
