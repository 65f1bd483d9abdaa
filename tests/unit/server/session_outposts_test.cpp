// Sessions whose home is another node, over a store that answers when the test says so.
#include "server/session_outposts.h"

#include <criterion/criterion.h>

#include "server/nodes.h"
#include "server/stored_session.h"
#include "tests/unit/server/node_fixture.h"

using namespace videosync;
using namespace videosync::test;

namespace {

// As far as outposts can tell, there are others.
struct SharingNode : Node {
  Nodes nodes{*service};

  SharingNode() {
    service->nodes = &nodes;
    worker->outposts().on_store_ready();
  }
  ~SharingNode() { service->nodes = nullptr; }
};

}  // namespace

Test(session_outposts, a_join_that_the_store_fails_leaves_no_channel_followed) {
  SharingNode node;
  const Uuid key = Uuid::random_v4();
  const BufferRef at_another = encode_stored_session({Uuid::random_v4(), ""});
  node.store.create(key, {1, 1}, at_another, 60'000'000,
                    [](Result<> made) noexcept { cr_assert(made.has_value()); });
  node.store.answer_all();

  const Client client(node);
  join(client, key.to_string());
  node.store.answer_all();  // who is home
  cr_assert(node.store.followed.contains(key));
  node.store.is_away = true;
  node.store.answer_all();  // its channel
  const std::string refusal = client.receive();
  cr_assert(refusal.starts_with("HTTP/1.1 503"), "%s", refusal.c_str());
  cr_assert(!node.store.followed.contains(key), "nobody will ever leave it");
}
