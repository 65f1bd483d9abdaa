// SessionStore: what is remembered of a session, as opaque, versioned bytes in two parts, and the
// channels on which nodes speak to each other. An interface.
//
// A value is written by compare-and-set: the writer says which version it knows and which one it
// makes. A write by one who knows an older version than the store has is a conflict: load again and
// decide anew. A key that the store does not have is written all the same, because a store may lose
// its data and whoever holds the session brings it back; but a key that was removed is remembered
// for tombstone_us, so that a late writer cannot revive what has ended. Writes may follow each
// other without waiting for answers: they are applied in the order of the calls of one thread.
//
// A channel is named by a Uuid, a session's key or any other. Events of a channel arrive in the
// order in which the store took them, at every store that follows it, the sender's included. What
// bytes and events mean is the caller's affair.
//
// A store may consist of parts that come and go for themselves: which part a key is in says its
// slot (key_slots.h). Then on_part_lost and on_part_ready tell of single ones, on_store_lost and
// on_store_ready of all at once.
//
// A key may have a short code, kept in a record of its own that says whose it is. It is made with
// the key, or with the first change that finds it missing, lives as long and is removed with it. A
// code that another key has stays that one's: create is then a conflict, and a change leaves it.
//
// Every operation ends in exactly one call of its callback: before the operation returns or in a
// later turn on the calling thread. Callers must cope with both, so: touch nothing after the call
// that the callback may have changed. The callback may call the store again. Errors: not_found,
// conflict, exhausted; unavailable or timed_out where the store is away or refuses (the message
// says how), and then a write may have been done or not. Times are microseconds; a key that nobody
// changes or touches for ttl_us is gone.
//
// Lifetime: the owner outlives every caller and the listener outlives the store's last use.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <utility>

#include "core/base/error.h"
#include "core/base/shared_buffer.h"
#include "core/base/short_code.h"
#include "core/base/uuid.h"
#include "storage/key_slots.h"

namespace videosync {

// Lexicographic: only a take-over raises the fence, every change the revision. So who was cut off
// and taken over from never overwrites, whatever it did meanwhile; and a store that went back is
// written over.
struct StoreVersion {
  std::uint64_t fence = 0;
  std::uint64_t revision = 0;

  friend constexpr auto operator<=>(const StoreVersion&, const StoreVersion&) noexcept = default;
};

struct StoredValue {
  BufferRef bytes;
  StoreVersion version;
  BufferRef queue{};  // null: none was written
};

// What a change writes: a part that is null stays as it is. The queue lies beside the bytes because
// it is much and seldom changes, under the same version because they belong together.
struct SessionBytes {
  SessionBytes(BufferRef record, BufferRef with_queue = {}) noexcept
      : bytes(std::move(record)), queue(std::move(with_queue)) {}

  BufferRef bytes;  // never null
  BufferRef queue;
};

// Whom a change is about: the key, and the code that goes with it, if it has one.
struct SessionName {
  SessionName(const Uuid& session_key, ShortCode with_code = {}) noexcept
      : key(session_key), code(with_code) {}

  Uuid key;
  ShortCode code;  // nil: none
};

// The channel of a session is in the part that has its key. One of a node, or of all nodes, is in
// every part, so that it is heard as long as any part is there.
struct Channel {
  enum class Reach : std::uint8_t { part, node, all };

  // NOLINTNEXTLINE(google-explicit-constructor): a session's key is its channel
  Channel(const Uuid& session) noexcept : id(session) {}
  // Of which one node hears. That nobody does is told only where it is so.
  static Channel of_node(const Uuid& node) noexcept { return {node, Reach::node}; }
  static Channel of_all_nodes(const Uuid& id) noexcept { return {id, Reach::all}; }

  Uuid id;
  Reach reach = Reach::part;

 private:
  Channel(const Uuid& node, Reach reach_of_node) noexcept : id(node), reach(reach_of_node) {}
};

class SessionListener {
 public:
  // Called on the store's thread, or on the thread of the sender and under a lock of the store
  // where the store says so: hand the event on (a mailbox) and return.
  virtual void on_session_event(const Uuid& channel, const BufferRef& event) noexcept = 0;
  // The store can be used and all followed channels are heard. Events may have been missed since
  // the last on_store_lost: read again what depends on them.
  virtual void on_store_ready() noexcept {}
  // With every failure until the store is ready again, also if it could not be reached at first.
  virtual void on_store_lost(const Error& why) noexcept { static_cast<void>(why); }
  // The same of the keys and sessions' channels in these slots, while the store as a whole can be
  // used. on_store_ready means all slots, but those of which on_part_lost tells right behind it.
  virtual void on_part_ready(const SlotSet& slots) noexcept { static_cast<void>(slots); }
  virtual void on_part_lost(const SlotSet& slots, const Error& why) noexcept {
    static_cast<void>(slots);
    static_cast<void>(why);
  }
  // Where the store is another process: it has answered after this time.
  virtual void on_store_round_trip(std::int64_t took_us) noexcept { static_cast<void>(took_us); }

 protected:
  ~SessionListener() = default;
};

class SessionStore {
 public:
  static constexpr std::int64_t tombstone_us = 600'000'000;

  // A capture of up to two words is kept without an allocation.
  using OnDone = std::move_only_function<void(Result<>) noexcept>;
  using OnValue = std::move_only_function<void(Result<StoredValue>) noexcept>;
  using OnExists = std::move_only_function<void(Result<bool>) noexcept>;
  using OnKey = std::move_only_function<void(Result<Uuid>) noexcept>;
  using OnReceivers = std::move_only_function<void(Result<std::uint32_t>) noexcept>;

  virtual ~SessionStore() = default;

  // Once, before any other call and before threads share the store.
  virtual void listen(SessionListener& listener) noexcept = 0;

  // Makes the key. conflict: it exists or was removed, or its code is taken; exhausted: the limit
  // of sessions is reached.
  virtual void create(const SessionName& name, StoreVersion version, BufferRef bytes,
                      std::int64_t ttl_us, OnDone done) = 0;

  // not_found: there is no such key; conflict: it was removed.
  virtual void load(const Uuid& key, OnValue done) = 0;
  virtual void exists(const Uuid& key, OnExists done) = 0;
  // Whose code it is. not_found: nobody's.
  virtual void find(ShortCode code, OnKey done) = 0;

  // Makes it version `next` (> expected) if the store's version is at most `expected` or the store
  // has none, lets it live ttl_us from now, and publishes `event` (null: nothing to say) on the
  // key's channel. conflict: the store's version is higher; not_found: the key was removed;
  // exhausted: it was missing and the limit of sessions is reached.
  virtual void change(const SessionName& name, StoreVersion expected, StoreVersion next,
                      SessionBytes bytes, std::int64_t ttl_us, BufferRef event, OnDone done) = 0;

  // Prolongs the key's life to ttl_us from now; the version stays.
  virtual void touch(const SessionName& name, std::int64_t ttl_us, OnDone done) = 0;

  // Ends the key and publishes `event` (null: nothing to say) on its channel, if the store's
  // version is at most `version` or the store has none. conflict: it is higher; not_found: removed
  // before.
  virtual void remove(const SessionName& name, StoreVersion version, BufferRef event,
                      OnDone done) = 0;

  // An event that changes nothing. Answers with the number of stores that follow the channel, of
  // the sender's one included.
  virtual void publish(const Channel& channel, BufferRef event, OnReceivers done) = 0;

  // From the answer on, events of the channel reach the listener; lasts until unfollow, also where
  // the answer is that the store is away. Following twice is following once.
  virtual void follow(const Channel& channel, OnDone done) = 0;
  virtual void unfollow(const Channel& channel) = 0;
};

}  // namespace videosync
