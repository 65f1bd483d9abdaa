// SessionBridge: a worker as the session layer sees it, and the other way round: its connections,
// its mailboxes, its library, behind the ports of server/session.
//
// Belongs to its worker's thread and lives as long as the worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "server/session/ports.h"

namespace videosync {

class Worker;

class SessionBridge final : public Delivery, public Surroundings {
 public:
  explicit SessionBridge(Worker& worker) noexcept : worker_(worker) {}

  void answer(ConnectionRef to, SessionReply reply) noexcept override;
  void begin(ConnectionRef to, const Uuid& key, MemberId member, ConnectionNumber number,
             const BufferRef& welcome) noexcept override;
  void knock(ConnectionRef to, const Uuid& key, ConnectionNumber number,
             const BufferRef& frame) noexcept override;
  void send(ConnectionRef to, const BufferRef& frame, SendClass send_class) noexcept override;
  void close(ConnectionRef to, std::uint16_t code) noexcept override;
  void broadcast(std::size_t worker, const Uuid& key, const BufferRef& frame, SendClass send_class,
                 std::int64_t sent_us) noexcept override;
  void close_all(std::size_t worker, const Uuid& key, std::uint16_t code) noexcept override;

  void post(std::size_t worker, InlineTask task) noexcept override;
  SessionDirectory& directory_of(std::size_t worker) noexcept override;
  std::optional<VideoChoice> choose_video(const std::optional<std::string>& id) noexcept override;
  bool allows_film_url(const std::string& url) noexcept override;
  std::span<const std::string> film_sources() noexcept override;
  std::optional<VideoChoice> next_episode(const std::string& id) noexcept override;
  std::string title_of(const std::string& id) noexcept override;
  void fill_random(std::span<std::uint8_t> bytes) noexcept override;
  bool is_draining() const noexcept override;
  void on_session_ended(const Uuid& key) noexcept override;

 private:
  Worker& worker_;
};

}  // namespace videosync
