// BodySink: who takes a request's body that is streamed, as it comes.
//
// From Connection::begin_body() to exactly one of on_body_end() and on_body_lost(), or to
// Connection::fail_body(), which the sink itself calls. On the connection's thread.
#pragma once

#include <string_view>

namespace videosync {

class BodySink {
 public:
  // Takes all of it. False: it wants no more before it calls Connection::resume_body(); what is on
  // its way comes all the same.
  virtual bool on_body(std::string_view bytes) noexcept = 0;
  // It was whole: the request is to be answered.
  virtual void on_body_end() noexcept = 0;
  // No more comes, and the request needs no answer.
  virtual void on_body_lost() noexcept = 0;

 protected:
  ~BodySink() = default;
};

}  // namespace videosync
