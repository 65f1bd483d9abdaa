// SharedSecret: with which all nodes of a store sign what they give to browsers, so that each takes
// what another gave, also after a restart.
//
// It is kept in the store, under a key that no session can have. Whoever is there first makes it;
// a store that has lost it gets it back from whoever knows it. agree() belongs to the store's
// thread; any thread may ask for the secret. Outlives the store's answers.
#pragma once

#include <mutex>
#include <optional>

#include "proto/session/session_values.h"
#include "storage/session_store.h"

namespace videosync {

class SharedSecret {
 public:
  // Without a store that others share it is made here, and lives as long as the process.
  explicit SharedSecret(bool is_shared = false) noexcept;
  // Not shared, and this one: that of the process before.
  explicit SharedSecret(const Token& secret) noexcept : own_(secret), known_(secret) {}

  // Whenever the store can be used again.
  void agree(SessionStore& store) noexcept;
  // Nothing: the store has not been asked yet.
  std::optional<Token> get() const noexcept;

 private:
  void read(SessionStore& store) noexcept;
  void set(const Token& secret) noexcept;

  const Token own_;
  mutable std::mutex mutex_;
  std::optional<Token> known_;
};

}  // namespace videosync
