#include "server/uploads/upload_table.h"

#include <criterion/criterion.h>

#include <random>
#include <vector>

using namespace videosync;

namespace {

constexpr std::int64_t a_second_us = 1'000'000;
constexpr UploadRules rules{.bytes_max = 1'000, .quota = 2'500, .expires_us = 60 * a_second_us};

Uuid session_of(std::uint8_t number) {
  Uuid key;
  key.bytes[0] = number;
  return key;
}

Upload upload_of(std::uint8_t session, std::uint8_t id, std::uint64_t length) {
  Upload upload{.session = session_of(session), .id = {}, .name = "a.mp4", .length = length};
  upload.id.bytes[0] = id;
  return upload;
}

// Brings all of it.
void bring(UploadTable& table, Upload& upload, std::int64_t now_us) {
  cr_assert(table.open(upload, upload.offset, now_us).has_value());
  table.on_written(upload, upload.length - upload.offset, now_us);
  table.close(upload, now_us);
}

}  // namespace

Test(upload_table, a_film_comes_in_parts) {
  UploadTable table(rules);
  Upload* upload = *table.create(upload_of(1, 1, 300), 0);
  cr_assert_eq(table.taken_bytes(), 300U);
  cr_assert(table.open(*upload, 0, 0).has_value());
  table.on_written(*upload, 100, 0);
  table.close(*upload, 0);
  cr_assert(table.open(*upload, 0, 0).error() == UploadFault::wrong_offset);
  cr_assert(table.open(*upload, 101, 0).error() == UploadFault::wrong_offset);
  cr_assert(table.unfinished_of(session_of(1)) == upload);
  bring(table, *upload, 0);
  cr_assert(upload->is_whole());
  cr_assert_null(table.unfinished_of(session_of(1)));
  cr_assert(table.find(session_of(1), upload->id) == upload);
  cr_assert_null(table.find(session_of(2), upload->id));
}

Test(upload_table, a_session_brings_one_at_a_time) {
  UploadTable table(rules);
  Upload* first = *table.create(upload_of(1, 1, 300), 0);
  cr_assert(table.create(upload_of(1, 2, 300), 0).error() == UploadFault::exists);
  cr_assert(table.create(upload_of(2, 3, 300), 0).has_value());
  bring(table, *first, 0);
  cr_assert(table.create(upload_of(1, 2, 300), 0).has_value());
}

Test(upload_table, one_connection_at_a_time_brings_it) {
  UploadTable table(rules);
  Upload* upload = *table.create(upload_of(1, 1, 300), 0);
  cr_assert(table.open(*upload, 0, 0).has_value());
  cr_assert(table.open(*upload, 0, 0).error() == UploadFault::in_progress);
  table.close(*upload, 0);
  cr_assert(table.open(*upload, 0, 0).has_value());
}

Test(upload_table, sizes_are_bounded_one_by_one_and_together) {
  UploadTable table(rules);
  cr_assert(table.create(upload_of(1, 1, 1'001), 0).error() == UploadFault::too_large);
  cr_assert(table.create(upload_of(1, 1, UINT64_MAX), 0).error() == UploadFault::too_large);
  cr_assert(table.create(upload_of(1, 1, 1'000), 0).has_value());
  cr_assert(table.create(upload_of(2, 2, 1'000), 0).has_value());
  cr_assert(table.create(upload_of(3, 3, 501), 0).error() == UploadFault::no_room);
  cr_assert(table.create(upload_of(3, 3, 500), 0).has_value());
  table.remove(session_of(1), upload_of(1, 1, 1).id);
  cr_assert_eq(table.taken_bytes(), 1'500U);
  cr_assert(table.create(upload_of(1, 4, 1'000), 0).has_value());
}

Test(upload_table, a_session_brings_so_many_and_no_more) {
  UploadTable table(rules);
  for (std::uint8_t id = 0; id < UploadTable::of_session_max; ++id)
    bring(table, **table.create(upload_of(1, id, 1), 0), 0);
  cr_assert(table.create(upload_of(1, 200, 1), 0).error() == UploadFault::too_many);
  cr_assert(table.create(upload_of(2, 200, 1), 0).has_value());
  cr_assert_eq(table.all_of(session_of(1)).size(), UploadTable::of_session_max);
}

Test(upload_table, so_many_connections_bring_films_and_no_more) {
  UploadTable table(rules);
  for (std::uint8_t i = 0; i < UploadTable::open_max; ++i)
    cr_assert(table.open(**table.create(upload_of(i, i, 1), 0), 0, 0).has_value());
  Upload* late = *table.create(upload_of(200, 200, 1), 0);
  cr_assert(table.open(*late, 0, 0).error() == UploadFault::busy);
  table.remove(session_of(0), upload_of(0, 0, 1).id);
  cr_assert(table.open(*late, 0, 0).has_value());
}

Test(upload_table, what_rests_unfinished_expires) {
  UploadTable table(rules);
  Upload* resting = *table.create(upload_of(1, 1, 10), 0);
  Upload* open = *table.create(upload_of(2, 2, 10), 0);
  bring(table, **table.create(upload_of(3, 3, 10), 0), 0);
  cr_assert(table.open(*open, 0, 0).has_value());
  cr_assert(table.expired(59 * a_second_us).empty());
  const std::vector<Upload> expired = table.expired(60 * a_second_us);
  cr_assert_eq(expired.size(), 1U);
  cr_assert(expired[0].session == session_of(1));
  cr_assert(table.open(*resting, 0, 60 * a_second_us).has_value());
  table.close(*resting, 61 * a_second_us);
  cr_assert(table.expired(120 * a_second_us).empty());
  cr_assert_eq(table.expires_us(*resting), 121 * a_second_us);
}

// What is taken is the sum of what is there, whatever happens in whatever order.
Test(upload_table, its_sums_hold_on_any_way) {
  std::mt19937 random(7);
  UploadTable table(rules);
  std::uint64_t taken = 0;
  for (int step = 0; step < 20'000; ++step) {
    const auto session = static_cast<std::uint8_t>(random() % 4);
    const auto id = static_cast<std::uint8_t>(random() % 3);
    const Upload wanted = upload_of(session, id, 1 + random() % 1'100);
    Upload* there = table.find(wanted.session, wanted.id);
    if (there == nullptr) {
      if (table.create(wanted, step)) taken += wanted.length;
    } else if (there->is_open && random() % 2 == 0) {
      table.on_written(*there, random() % (there->length - there->offset + 1), step);
      if (random() % 2 == 0) table.close(*there, step);
    } else if (random() % 3 == 0) {
      taken -= there->length;
      table.remove(wanted.session, wanted.id);
    } else {
      const bool was_open = there->is_open;
      cr_assert_eq(table.open(*there, there->offset, step).has_value(), !was_open);
    }
    cr_assert_eq(table.taken_bytes(), taken);
    cr_assert_leq(taken, rules.quota);
  }
}

Test(upload_table, another_process_has_brought_the_first_part) {
  UploadTable before(rules);
  Upload* whole = *before.create(upload_of(1, 1, 300), 0);
  bring(before, *whole, 0);
  whole->place = "one/a.mp4";
  Upload* half = *before.create(upload_of(2, 2, 500), 0);
  cr_assert(before.open(*half, 0, 0).has_value());
  before.on_written(*half, 200, 0);
  cr_assert_eq(before.unfinished().size(), 1U);
  UploadTable after(rules);
  for (Upload& upload : before.all())
    after.adopt(std::move(upload), a_second_us);
  cr_assert_eq(after.taken_bytes(), 800U);
  Upload* found = after.find(session_of(2), half->id);
  cr_assert(after.open(*found, 200, a_second_us).has_value(), "nobody brings it");
  after.on_written(*found, 300, a_second_us);
  cr_assert(found->is_whole());
}

Test(upload_table, what_cannot_be_is_not_adopted) {
  UploadTable table(rules);
  Upload beyond = upload_of(1, 1, 100);
  beyond.offset = 101;
  table.adopt(beyond, 0);
  Upload nowhere = upload_of(1, 2, 100);
  nowhere.offset = 100;
  table.adopt(nowhere, 0);
  table.adopt(upload_of(1, 3, rules.quota + 1), 0);
  table.adopt(upload_of(1, 4, 100), 0);
  table.adopt(upload_of(1, 4, 100), 0);
  cr_assert_eq(table.all().size(), 1U);
  cr_assert_eq(table.taken_bytes(), 100U);
}
