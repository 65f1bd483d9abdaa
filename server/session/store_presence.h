// StorePresence: which parts of the store a worker can use, as far as it has heard, and since when.
//
// A store is there as a whole or not at all; while it is there, single parts of it may be away.
// What a part that has come back lacks, as one that had been away altogether may, is a question of
// the sessions in its slots alone. Pure: told the time, in microseconds. One thread, the worker's.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/key_slots.h"

namespace videosync {

class StorePresence {
 public:
  // So long what a part has may be an older copy than others have seen.
  static constexpr std::int64_t gone_back_us = 600'000'000;

  struct Times {
    std::int64_t returned_us = 0;  // when it was last back; 0: it was never away
    std::int64_t ready_us = 0;     // when it was last there, the first time too
  };

  void on_ready(std::int64_t now_us) noexcept;
  void on_lost() noexcept;
  // Of a store that is not there they say nothing.
  void on_part_ready(const SlotSet& slots, std::int64_t now_us) noexcept;
  void on_part_lost(const SlotSet& slots) noexcept;

  // The store as a whole, whatever parts of it are away.
  bool is_there() const noexcept { return is_there_; }
  bool was_ever_there() const noexcept { return was_there_; }
  // What lies in that slot, which `of` has: a session's key, or a code.
  template <class Name>
  bool has(const Name& of) const noexcept {
    return is_there_ && !is_apart(of);
  }
  bool has_slot(std::uint16_t slot) const noexcept { return is_there_ && !away_.test(slot); }
  // It is the part alone that is away.
  template <class Name>
  bool is_apart(const Name& of) const noexcept {
    return is_any_away_ && away_.test(slot_of(of));
  }
  // It consists of parts: one was heard of. Then there is no order between what lies in several,
  // nor between that and what nodes tell each other.
  bool is_divided() const noexcept { return is_divided_; }
  // Parts are away, or were lately.
  bool has_parts() const noexcept { return is_any_away_ || !returns_.empty(); }

  Times times_of(std::uint16_t slot) const noexcept;

  // An answer of the store took long: nobody could write back, nor take over, meanwhile. The times
  // given for that, so long after a return, begin anew.
  void on_slow_answer(std::int64_t asked_us, std::int64_t now_us, std::int64_t write_back_us,
                      std::int64_t known_after_us) noexcept;
  void forget_old_returns(std::int64_t now_us) noexcept;

 private:
  struct Return {
    SlotSet slots;
    Times times;
  };

  bool is_there_ = false;
  bool was_there_ = false;
  bool is_divided_ = false;
  bool is_any_away_ = false;
  SlotSet away_;  // empty while the store is not there
  Times whole_;
  std::vector<Return> returns_;  // of parts; none of slots that have come back since
};

}  // namespace videosync
