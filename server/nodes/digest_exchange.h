// DigestExchange: sees to it that two nodes agree on what they share, also where a message was lost
// and nobody says anything after it.
//
// A few times a second the sums of all workers are gathered (SharedSums); what has changed since,
// or is not what the other node has last told, and all of it once a second, goes to that node as
// one Digest: so it may be lost as well, and is told again with the next tick. Whoever gets one
// gathers its own sums, behind the messages that came before it, and compares: an outpost's node
// lists what its differing sums are made of, and the home tells anew what the list has otherwise.
// So the cost is a message for a pair of nodes, not for a session. The first worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/uuid.h"
#include "proto/wire/node_messages.h"
#include "server/session/shared_sums.h"

namespace videosync {

class NodePort;
struct NodesPorts;

class DigestExchange {
 public:
  DigestExchange(const NodesPorts& ports, NodePort& nodes) noexcept
      : ports_(ports), nodes_(nodes) {}

  // A few times a second, while the store is there.
  void tick() noexcept;
  void on_digest(const Uuid& from, const node::Digest& digest) noexcept;
  void on_list(const Uuid& from, node::DigestList list) noexcept;
  // With the next tick, though nothing has changed.
  void tell_again(const Uuid& node) noexcept;
  // A worker's part of that round.
  void add(std::uint64_t round, std::vector<SharedSums> sums) noexcept;

 private:
  struct View {
    SharedSums::Sums home{};     // of sessions at home here
    SharedSums::Sums outpost{};  // of sessions at home there

    friend bool operator==(const View&, const View&) noexcept = default;
  };
  // Another node with which something is shared, or was.
  struct Other {
    View told{};
    View heard{};  // as it was told by that node, which should be the same
    std::int64_t told_us = 0;
    std::int64_t heard_us = 0;
    std::int64_t changed_us = 0;  // either of the two, the last time
  };
  using Asked = std::pair<Uuid, node::Digest>;

  void begin_round() noexcept;
  void end_round() noexcept;
  void compare(const Asked& asked) noexcept;
  void tell_all() noexcept;
  void note_heard(const Uuid& from, const node::Digest& digest) noexcept;
  bool attend(const Uuid& node, Other& other) noexcept;
  void tell(const Uuid& node, bool is_home, const SharedSums::Sums& sums) noexcept;

  const NodesPorts& ports_;
  NodePort& nodes_;
  std::uint64_t round_ = 0;
  std::int64_t gathered_us_ = 0;          // this round's sums, since then
  std::size_t awaited_ = 0;               // workers of this round
  bool is_telling_ = false;               // this round's view is to be told
  std::unordered_map<Uuid, View> views_;  // of this round
  std::vector<Asked> comparing_;          // with this round's view
  std::vector<Asked> waiting_;            // for the next; one of a node and role
  std::unordered_map<Uuid, Other> others_;
};

}  // namespace videosync
