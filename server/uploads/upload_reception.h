// UploadReception: one request's bytes on their way to the UploadKeeper.
//
// What comes is gathered while the bytes before it are being written, so who sends slowly is
// written in small pieces and who sends fast in large ones. Once `gathered_max` bytes wait, the
// connection reads no more: twice as much is what an upload takes of memory. What came is written
// also where the connection is lost. Owned by UploadAsks, on the worker's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/slot_pool.h"
#include "server/connection/body_sink.h"
#include "server/uploads/upload_keeper.h"

namespace videosync {

class Connection;
class UploadAsks;

class UploadReception final : public BodySink {
 public:
  static constexpr std::size_t gathered_max = 128 * 1024;

  // Of an upload that was opened for it.
  UploadReception(UploadAsks& asks, std::uint64_t number, SlotHandle connection, Upload upload);
  ~UploadReception() = default;
  UploadReception(const UploadReception&) = delete;
  UploadReception& operator=(const UploadReception&) = delete;

  bool on_body(std::string_view bytes) noexcept override;
  void on_body_end() noexcept override;
  void on_body_lost() noexcept override;

  // Another connection wants to go on: what has come is written, and no more is taken.
  void on_yield();

  // False: that was the last one.
  bool on_answer(UploadAnswer& answer);

 private:
  void go_on();
  void tell_progress();
  void ask(UploadAsk::Kind kind, std::string text = {});
  void fail(UploadFault fault);

  UploadAsks& asks_;
  const std::uint64_t number_;
  const SlotHandle connection_;
  Upload upload_;             // as it was at the latest answer
  std::uint64_t room_bytes_;  // what may still come
  std::string gathered_;
  std::string spare_;                 // the other buffer
  std::int64_t told_us_;              // when members last heard how far it is
  bool is_asking_ = false;            // the keeper owes an answer
  bool has_ended_ = false;            // no more comes
  bool is_answer_due_ = false;        // to the request, whose body was whole
  std::optional<UploadFault> fault_;  // why no more is written
};

}  // namespace videosync
