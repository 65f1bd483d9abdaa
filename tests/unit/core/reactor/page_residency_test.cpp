#include "core/reactor/page_residency.h"

#include <criterion/criterion.h>
#include <sys/mman.h>

#include "tests/unit/core/temporary_file.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr std::int64_t step = PageResidency::step_bytes;
constexpr std::int64_t kib = 1'024;

// Eight steps and a bit, in the page cache.
struct ResidencyFixture {
  TemporaryFile file{8 * step + 1'000};
  PageResidency residency;
  std::int64_t now_ms = 5'000;

  ResidencyFixture() {
    file.owner = std::make_shared<int>();
    if (!can_ask_for_residency(file.descriptor)) cr_skip("the kernel does not answer");
  }
  FileTransfer transfer(std::int64_t offset, std::int64_t length) const {
    FileTransfer begun;
    begun.range = file.range(offset, length);
    return begun;
  }
  // Of a range that begins with this question.
  std::int64_t ready(std::int64_t offset, std::int64_t length) {
    FileTransfer begun = transfer(offset, length);
    return residency.ready_bytes(begun, now_ms);
  }
  void settle() {
    ready(0, kib);
    now_ms += PageResidency::settling_ms + 1;
  }
  void read_all() {
    std::string read(file.content.size(), '\0');
    cr_assert_eq(::pread(file.descriptor, read.data(), read.size(), 0),
                 static_cast<ssize_t>(read.size()));
  }
};

}  // namespace

Test(page_residency, of_a_file_that_stays_warm_only_the_pages_are_counted) {
  ResidencyFixture f;
  cr_assert_eq(f.ready(0, 64 * kib), 64 * kib);
  cr_assert_eq(f.residency.bytes_read(), 2, "it is seen for the first time");
  f.now_ms += PageResidency::settling_ms;
  cr_assert_eq(f.ready(100'001, 64 * kib), 64 * kib);
  cr_assert_eq(f.residency.bytes_read(), 4);
  f.now_ms += 1;
  cr_assert_eq(f.ready(100'001, 64 * kib), 64 * kib);
  cr_assert_eq(f.residency.bytes_read(), 4, "now it is settled");
  cr_assert_eq(f.residency.asked(), 3);
}

Test(page_residency, what_is_evicted_is_found_at_once_and_its_file_distrusted) {
  ResidencyFixture f;
  f.settle();
  f.file.drop_from_page_cache();
  cr_assert_eq(f.ready(0, kib), 0);
  f.read_all();
  const std::uint64_t bytes_read = f.residency.bytes_read();
  f.now_ms += PageResidency::settling_ms;
  cr_assert_eq(f.ready(0, kib), kib);
  cr_assert_eq(f.residency.bytes_read(), bytes_read + 2);
  f.now_ms += 1;
  cr_assert_eq(f.ready(0, kib), kib);
  cr_assert_eq(f.residency.bytes_read(), bytes_read + 2);
}

Test(page_residency, a_range_that_moves_on_asks_for_four_steps_at_once) {
  ResidencyFixture f;
  FileTransfer transfer = f.transfer(0, 5 * step);
  while (transfer.range.length > 0) {
    const std::int64_t ready = f.residency.ready_bytes(transfer, f.now_ms);
    cr_assert_eq(ready, step);
    transfer.range.offset += ready;
    transfer.range.length -= ready;
    f.now_ms += 5;
  }
  cr_assert_eq(f.residency.asked(), 2);
}

Test(page_residency, an_answer_ages) {
  ResidencyFixture f;
  FileTransfer transfer = f.transfer(0, step);
  cr_assert_eq(f.residency.ready_bytes(transfer, f.now_ms), step);
  f.file.drop_from_page_cache();
  f.now_ms += PageResidency::trusted_ms;
  cr_assert_eq(f.residency.ready_bytes(transfer, f.now_ms), step, "still trusted");
  f.now_ms += 1;
  cr_assert_eq(f.residency.ready_bytes(transfer, f.now_ms), 0);
}

Test(page_residency, what_is_trusted_of_one_range_is_not_of_another) {
  ResidencyFixture f;
  FileTransfer transfer = f.transfer(0, step);
  cr_assert_eq(f.residency.ready_bytes(transfer, f.now_ms), step);
  f.file.drop_from_page_cache();
  cr_assert_eq(f.ready(0, step), 0);
}

Test(page_residency, a_part_that_is_there_is_ready) {
  ResidencyFixture f;
  f.file.drop_from_page_cache();
  ::posix_fadvise(f.file.descriptor, 0, 0, POSIX_FADV_RANDOM);  // no read-ahead
  char page[4'096];
  cr_assert_eq(::pread(f.file.descriptor, page, sizeof page, 8'192), 4'096);
  cr_assert_eq(f.ready(8'192, 4'096), 4'096);
  cr_assert_eq(f.ready(8'192, 4'097), 0);
  cr_assert_eq(f.ready(0, 1), 0);
}

Test(page_residency, files_do_not_answer_for_each_other) {
  ResidencyFixture f;
  f.settle();
  const std::uint64_t bytes_read = f.residency.bytes_read();
  f.file.owner = std::make_shared<int>();
  f.ready(0, kib);
  cr_assert_eq(f.residency.bytes_read(), bytes_read + 2);
  f.settle();
  f.file.owner = nullptr;
  f.settle();
  f.ready(0, kib);
  cr_assert_eq(f.residency.bytes_read(), bytes_read + 8, "of such a file nothing is remembered");
}

Test(page_residency, a_file_in_memory_alone_is_always_ready) {
  ResidencyFixture f;
  const int file = ::memfd_create("residency", MFD_CLOEXEC);
  cr_assert_eq(::ftruncate(file, step), 0);
  std::string text(step, 'x');
  cr_assert_eq(::pwrite(file, text.data(), text.size(), 0), step);
  FileTransfer transfer;
  transfer.range = {f.file.owner, file, 0, step};
  cr_assert_eq(f.residency.ready_bytes(transfer, f.now_ms), step);
  ::close(file);
}
