// SessionStore: what is remembered of a session, as opaque, versioned bytes. An interface.
//
// A value is changed by compare-and-set only: whoever read version N writes N+1 or learns of a
// conflict, loads again and decides anew. A change carries an event, which goes to the listener of
// every node; the events of one key arrive in the order of their versions. What bytes and events
// mean is the caller's affair.
//
// Every operation ends in exactly one call of its callback: before the operation returns (embedded
// store) or in a later turn on the calling thread (a store across the network). Callers must cope
// with both, so: touch nothing after the call that the callback may have changed. The callback may
// call the store again. Errors: not_found, conflict, exhausted; unavailable or timed_out where the
// store is away. Times are microseconds; a key that nobody changes or touches for ttl_us is gone.
//
// Lifetime: the owner outlives every caller and the listener outlives the store's last use.
#pragma once

#include <cstdint>
#include <functional>

#include "core/base/error.h"
#include "core/base/shared_buffer.h"
#include "core/base/strong_id.h"
#include "core/base/uuid.h"

namespace videosync {

// Counts the changes of one key, from 1.
using StoreVersion = StrongId<struct StoreVersionTag, std::uint64_t>;

struct StoredValue {
  BufferRef bytes;
  StoreVersion version;
};

class SessionListener {
 public:
  // `version` is the one the event made; none for an event that changed nothing (publish) and for
  // the last one (remove). Runs on any thread, possibly under a lock of the store: hand the event
  // on (a mailbox) and return, without calling the store.
  virtual void on_session_event(const Uuid& key, StoreVersion version,
                                const BufferRef& event) noexcept = 0;

 protected:
  ~SessionListener() = default;
};

class SessionStore {
 public:
  // A capture of up to two words is kept without an allocation.
  using OnVersion = std::move_only_function<void(Result<StoreVersion>) noexcept>;
  using OnValue = std::move_only_function<void(Result<StoredValue>) noexcept>;
  using OnExists = std::move_only_function<void(Result<bool>) noexcept>;
  using OnDone = std::move_only_function<void(Result<>) noexcept>;

  virtual ~SessionStore() = default;

  // Once, before any other call and before threads share the store.
  virtual void listen(SessionListener& listener) noexcept = 0;

  // Makes the key at version 1. conflict: it exists; exhausted: the limit of sessions is reached.
  virtual void create(const Uuid& key, BufferRef bytes, std::int64_t ttl_us, OnVersion done) = 0;

  virtual void load(const Uuid& key, OnValue done) = 0;
  virtual void exists(const Uuid& key, OnExists done) = 0;

  // Replaces the value if its version is `expected`, prolongs its life to ttl_us from now, and
  // publishes `event` (null: nothing to say). conflict: the version is another one by now.
  virtual void change(const Uuid& key, StoreVersion expected, BufferRef bytes, std::int64_t ttl_us,
                      BufferRef event, OnVersion done) = 0;

  // An event that changes nothing and is not ordered against changes (chat). Needs no such key.
  virtual void publish(const Uuid& key, BufferRef event, OnDone done) = 0;

  // Prolongs the key's life to ttl_us from now; the version stays.
  virtual void touch(const Uuid& key, std::int64_t ttl_us, OnDone done) = 0;

  // Forgets the key and publishes `event` (null: nothing to say) as its last.
  virtual void remove(const Uuid& key, BufferRef event, OnDone done) = 0;
};

}  // namespace videosync
