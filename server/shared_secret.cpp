#include "server/shared_secret.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/base/uuid.h"

namespace videosync {

namespace {

constexpr std::string_view key_text = "videosync:secret";  // of no version 4, which sessions' are
constexpr std::int64_t kept_us = 315'360'000'000'000;      // ten years, since a key must expire

Uuid secret_key() noexcept {
  Uuid key;
  VS_ASSERT(key_text.size() == key.bytes.size());
  std::ranges::copy(key_text, key.bytes.begin());
  return key;
}

Token random_token() noexcept {
  Token token;
  fill_random(token.bytes);
  return token;
}

std::string_view text_of(const Token& token) noexcept {
  return {reinterpret_cast<const char*>(token.bytes.data()), token.bytes.size()};
}

}  // namespace

SharedSecret::SharedSecret(bool is_shared) noexcept : own_(random_token()) {
  if (!is_shared) known_ = own_;
}

void SharedSecret::agree(SessionStore& store) noexcept {
  const Token proposed = get().value_or(own_);
  store.create(secret_key(), {1, 1}, BufferRef::copy_of(text_of(proposed)), kept_us,
               [this, &store, proposed](const Result<>& made) noexcept {
                 if (made) return set(proposed);
                 if (made.error().code == ErrorCode::conflict) read(store);
               });
}

void SharedSecret::read(SessionStore& store) noexcept {
  store.load(secret_key(), [this](const Result<StoredValue>& value) noexcept {
    if (!value) return;
    const std::string_view bytes = value->bytes.text();
    Token secret;
    if (bytes.size() != secret.bytes.size()) {
      return log_warn("store",
                      "the secret that nodes share cannot be read: removed browsers will "
                      "not be known again");
    }
    std::ranges::copy(bytes, secret.bytes.begin());
    set(secret);
  });
}

std::optional<Token> SharedSecret::get() const noexcept {
  const std::lock_guard lock(mutex_);
  return known_;
}

void SharedSecret::set(const Token& secret) noexcept {
  const std::lock_guard lock(mutex_);
  known_ = secret;
}

}  // namespace videosync
