#include "server/uploads/upload_keeper.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <sys/resource.h>

#include <deque>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/support/temp_folder.h"

using namespace videosync;
using namespace videosync::test;

namespace {

using Kind = UploadAsk::Kind;

constexpr UploadRules keeper_rules{
    .bytes_max = 1 << 20, .quota = 1 << 20, .expires_us = 3'600'000'000};
constexpr int answer_wait_ms = 10'000;

Uuid a_session() {
  return *Uuid::parse_v4("0d9c2e5a-8a1b-4c3d-9e0f-112233445566");
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One that asks and waits for the answer.
class Asker {
 public:
  explicit Asker(const std::string& folder, const std::optional<Uuid>& self = {})
      : Asker(folder, UploadKeeper::Owners{.self = self}) {}
  Asker(const std::string& folder, UploadKeeper::Owners owners)
      : keeper_(std::move(*UploadKeeper::create(folder, keeper_rules, clock_, std::move(owners)))),
        desk_(std::move(*UploadDesk::create("a test"))) {
    keeper_->note_serving();
  }

  // A question of which nothing is awaited.
  std::uint64_t put(Kind kind, std::uint64_t bytes) {
    keeper_->ask(
        *desk_,
        {.number = ++number_, .kind = kind, .session = a_session(), .id = id_, .bytes = bytes});
    return number_;
  }
  UploadAnswer next() {
    while (heard_.empty()) {
      pollfd waited{desk_->descriptor(), POLLIN, 0};
      cr_assert_eq(::poll(&waited, 1, answer_wait_ms), 1);
      for (UploadAnswer& answer : desk_->take())
        heard_.push_back(std::move(answer));
    }
    UploadAnswer first = std::move(heard_.front());
    heard_.pop_front();
    return first;
  }
  UploadAnswer ask(Kind kind, std::uint64_t bytes = 0, std::string text = {}) {
    keeper_->ask(*desk_, {.number = ++number_,
                          .kind = kind,
                          .session = a_session(),
                          .id = id_,
                          .text = std::move(text),
                          .bytes = bytes});
    pollfd waited{desk_->descriptor(), POLLIN, 0};
    cr_assert_eq(::poll(&waited, 1, answer_wait_ms), 1);
    std::vector<UploadAnswer> answers = desk_->take();
    cr_assert_eq(answers.size(), 1U);
    cr_assert_eq(answers[0].number, number_);
    if (kind == Kind::create && !answers[0].fault) id_ = answers[0].upload.id;
    return std::move(answers[0]);
  }
  UploadKeeper& keeper() { return *keeper_; }
  void take_up(const UploadId& id) { id_ = id; }

 private:
  SystemClock clock_;
  std::unique_ptr<UploadKeeper> keeper_;
  std::unique_ptr<UploadDesk> desk_;
  std::deque<UploadAnswer> heard_;
  std::uint64_t number_ = 0;
  UploadId id_{};
};

}  // namespace

Test(upload_keeper, a_film_is_written_and_put_in_its_place) {
  const TempFolder folder;
  Asker asker(folder.path());
  cr_assert_not(asker.ask(Kind::create, 10, "a.mp4").fault);
  cr_assert_not(asker.ask(Kind::open, 0).fault);
  UploadAnswer answer = asker.ask(Kind::write, 0, "01234");
  cr_assert(!answer.fault && answer.upload.offset == 5 && answer.upload.place.empty());
  cr_assert(answer.buffer.empty() && answer.buffer.capacity() >= 5);
  answer = asker.ask(Kind::write, 0, "56789");
  cr_assert(answer.upload.is_whole());
  cr_assert(read_whole(folder / answer.upload.place) == "0123456789");
  cr_assert_not(asker.ask(Kind::close).fault);
  cr_assert_not(asker.ask(Kind::remove).fault);
  cr_assert(asker.ask(Kind::look).fault == UploadFault::unknown);
  cr_assert_not(std::filesystem::exists(folder / answer.upload.place));
}

Test(upload_keeper, a_file_that_may_not_grow_is_an_answer_and_no_end) {
  const TempFolder folder;
  Asker asker(folder.path());
  asker.ask(Kind::create, 10'000, "a.mp4");
  asker.ask(Kind::open, 0);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{4'096, before.rlim_max};
  cr_assert_eq(::setrlimit(RLIMIT_FSIZE, &small), 0);
  UploadAnswer answer = asker.ask(Kind::write, 0, std::string(5'000, 'x'));
  cr_assert(answer.fault == UploadFault::storage_full);
  cr_assert_eq(answer.upload.offset, 4'096U);
  ::setrlimit(RLIMIT_FSIZE, &before);
  asker.ask(Kind::close);
  cr_assert_not(asker.ask(Kind::open, 4'096).fault);
  answer = asker.ask(Kind::write, 0, std::string(5'904, 'y'));
  cr_assert(!answer.fault && answer.upload.is_whole());
  cr_assert_eq(read_whole(folder / answer.upload.place).size(), 10'000U);
}

Test(upload_keeper, who_brings_it_is_told_that_another_one_wants_to_go_on) {
  const TempFolder folder;
  Asker asker(folder.path());
  asker.ask(Kind::create, 10, "a.mp4");
  const std::uint64_t first = asker.put(Kind::open, 0);
  cr_assert_not(asker.next().fault);
  const std::uint64_t second = asker.put(Kind::open, 0);
  const UploadAnswer told = asker.next();
  cr_assert(told.kind == Kind::yield && told.number == first);
  const UploadAnswer refused = asker.next();
  cr_assert(refused.number == second && refused.fault == UploadFault::in_progress);
  cr_assert_not(asker.ask(Kind::write, 0, "01234").fault, "what has come is kept");
  cr_assert_not(asker.ask(Kind::close).fault);
  cr_assert_not(asker.ask(Kind::open, 5).fault);
  cr_assert(asker.ask(Kind::write, 0, "56789").upload.is_whole());
  asker.put(Kind::open, 10);
  cr_assert(asker.next().fault == UploadFault::in_progress, "a whole one is not disturbed");
}

Test(upload_keeper, what_was_forgotten_takes_no_more) {
  const TempFolder folder;
  Asker asker(folder.path());
  asker.ask(Kind::create, 10, "a.mp4");
  asker.ask(Kind::open, 0);
  asker.ask(Kind::write, 0, "01234");
  asker.keeper().forget(a_session());
  cr_assert(asker.ask(Kind::write, 0, "56789").fault == UploadFault::unknown);
  cr_assert(asker.ask(Kind::close).fault == UploadFault::unknown);
  cr_assert_not(asker.ask(Kind::create, 10, "b.mp4").fault);
}

Test(upload_keeper, nodes_are_counted_in_the_folder) {
  const TempFolder folder;
  const TempFolder other;
  const Asker first(folder.path(), Uuid::random_v4());
  Asker second(folder.path(), Uuid::random_v4());
  Asker stranger(other.path(), Uuid::random_v4());
  for (UploadKeeper* keeper : {&second.keeper(), &stranger.keeper()})
    keeper->note_nodes(2);
  const auto is_shared = [](Asker& asker) {
    for (int i = 0; i < 50 && !asker.keeper().is_shared_by_all(); ++i)
      ::poll(nullptr, 0, 100);
    return asker.keeper().is_shared_by_all();
  };
  cr_assert(is_shared(second));
  cr_assert_not(stranger.keeper().is_shared_by_all());
  stranger.keeper().note_nodes(1);
  cr_assert(is_shared(stranger));
}

Test(upload_keeper, another_process_goes_on_where_this_one_stopped) {
  const TempFolder folder;
  auto before = std::make_unique<Asker>(folder.path());
  const UploadId id = before->ask(Kind::create, 10, "a.mp4").upload.id;
  before->ask(Kind::open, 0);
  before->ask(Kind::write, 0, "01234");
  auto uploads = before->keeper().pause(std::chrono::seconds(10));
  cr_assert(uploads && uploads->size() == 1);
  before->keeper().resume();
  cr_assert_not(before->ask(Kind::look).fault, "it goes on if nobody takes over");
  uploads = before->keeper().pause(std::chrono::seconds(10));
  Asker after(folder.path(), {.living = {a_session()}, .uploads = std::move(*uploads)});
  before->keeper().hand_away();
  cr_assert(before->ask(Kind::write, 0, "!!!!!").fault == UploadFault::busy);
  after.take_up(id);
  cr_assert_not(after.ask(Kind::open, 5).fault);
  before.reset();
  const UploadAnswer answer = after.ask(Kind::write, 0, "56789");
  cr_assert(answer.upload.is_whole());
  cr_assert(read_whole(folder / answer.upload.place) == "0123456789");
}
