// FlatMap: a hash table in one block, for small values under a StrongId that is never 0.
//
// Open addressing with linear probing; at most 7 of 8 places are taken, erasing moves what follows
// and leaves no mark. Ids that are given in order spread evenly (Fibonacci hashing). Grows by
// doubling and never shrinks. Insertion and erasure move other entries: pointers and iterators do
// not outlive them, and nothing is erased during an iteration. One thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/assert.h"

namespace videosync {

template <class Key, class Value>
class FlatMap {
 public:
  struct Entry {
    Key first;  // 0: the place is free
    Value second;
  };

  template <class EntryType>
  class Iterator {
   public:
    Iterator(EntryType* at, EntryType* end) noexcept : at_(at), end_(end) { skip_free(); }
    EntryType& operator*() const noexcept { return *at_; }
    EntryType* operator->() const noexcept { return at_; }
    Iterator& operator++() noexcept {
      ++at_;
      skip_free();
      return *this;
    }
    friend bool operator==(Iterator a, Iterator b) noexcept { return a.at_ == b.at_; }

   private:
    void skip_free() noexcept {
      while (at_ != end_ && !at_->first)
        ++at_;
    }
    EntryType* at_;
    EntryType* end_;
  };

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  auto begin() noexcept { return Iterator<Entry>(entries_.data(), past_last()); }
  auto end() noexcept { return Iterator<Entry>(past_last(), past_last()); }
  auto begin() const noexcept { return Iterator<const Entry>(entries_.data(), past_last()); }
  auto end() const noexcept { return Iterator<const Entry>(past_last(), past_last()); }

  auto find(Key key) noexcept {
    const std::size_t place = find_place(key);
    return place == none ? end() : Iterator<Entry>(&entries_[place], past_last());
  }
  auto find(Key key) const noexcept {
    const std::size_t place = find_place(key);
    return place == none ? end() : Iterator<const Entry>(&entries_[place], past_last());
  }

  // A new value where there is none.
  Value& operator[](Key key) {
    VS_ASSERT(key);
    if (const std::size_t place = find_place(key); place != none) return entries_[place].second;
    if ((size_ + 1) * 8 > entries_.size() * 7) grow();
    ++size_;
    Entry& entry = entries_[free_place(key)];
    entry.first = key;
    return entry.second;
  }

  // REQUIRES that the iterator is not at the end.
  template <class EntryType>
  void erase(Iterator<EntryType> found) noexcept {
    auto place = static_cast<std::size_t>(&*found - entries_.data());
    --size_;
    // An entry further on that could stand here moves here: searches never meet a gap too early.
    for (std::size_t next = after(place); entries_[next].first; next = after(next)) {
      const std::size_t wanted = wanted_place(entries_[next].first);
      const std::size_t mask = entries_.size() - 1;
      if (((next - wanted) & mask) < ((next - place) & mask)) continue;
      entries_[place] = std::move(entries_[next]);
      place = next;
    }
    entries_[place] = Entry{};
  }

 private:
  static constexpr std::size_t none = SIZE_MAX;
  static constexpr std::size_t places_min = 4;

  Entry* past_last() noexcept { return entries_.data() + entries_.size(); }
  const Entry* past_last() const noexcept { return entries_.data() + entries_.size(); }
  std::size_t after(std::size_t place) const noexcept {
    return (place + 1) & (entries_.size() - 1);
  }
  std::size_t wanted_place(Key key) const noexcept {
    const auto spread = static_cast<std::uint32_t>(key.value) * 2'654'435'769U;
    return spread >> (32 - std::countr_zero(entries_.size()));
  }
  std::size_t find_place(Key key) const noexcept {
    if (entries_.empty()) return none;
    std::size_t place = wanted_place(key);
    while (entries_[place].first && entries_[place].first != key)
      place = after(place);
    return entries_[place].first ? place : none;
  }
  std::size_t free_place(Key key) const noexcept {
    std::size_t place = wanted_place(key);
    while (entries_[place].first)
      place = after(place);
    return place;
  }
  void grow() {
    std::vector<Entry> before(entries_.empty() ? places_min : entries_.size() * 2);
    before.swap(entries_);
    for (Entry& entry : before) {
      if (entry.first) entries_[free_place(entry.first)] = std::move(entry);
    }
  }

  std::vector<Entry> entries_;  // a power of two, or none
  std::size_t size_ = 0;
};

}  // namespace videosync
