// What a restart keeps: written whole or not at all, read once, and damage is seen.
#include "server/succession/state_file.h"

#include <criterion/criterion.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/temp_folder.h"

using namespace videosync;
using videosync::test::TempFolder;

namespace {

constexpr std::int64_t hour_us = 3'600'000'000;
constexpr std::int64_t wall_us = 1'700'000'000'000'000;

MemoryStore::Kept session(std::uint8_t number, std::int64_t left_us, bool has_queue) {
  Uuid key;
  key.bytes.fill(number);
  const ShortCode code{number == 2 ? 0U : 1000U + number};
  MemoryStore::Kept kept{.name = {key, code}, .value = {}, .left_us = left_us};
  kept.value.version = {number * 10U, number * 100U};
  kept.value.bytes = BufferRef::copy_of(std::string(number, 'b'));
  if (has_queue) kept.value.queue = BufferRef::copy_of(std::string("queue\0of", 8));
  return kept;
}

SavedState some_state() {
  SavedState state;
  state.secret.bytes.fill(7);
  state.sessions.push_back({session(1, hour_us, true)});
  state.sessions.push_back({session(2, 2 * hour_us, false)});
  state.sessions[0].company.members = {{{MemberId{3}, "Ann", BrowserId{12}}, {MemberId{9}, "Bob"}}};
  Upload upload{.session = state.sessions[0].kept.name.key, .id = {}, .name = "Film.mp4"};
  upload.length = 100;
  upload.offset = 60;
  state.uploads.push_back(upload);
  return state;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Test(state_file, what_was_written_is_read) {
  const SavedState before = some_state();
  const auto after = decode_state(encode_state(before, wall_us), wall_us + 5);
  cr_assert(after.has_value());
  cr_assert(after->secret.equals(before.secret));
  cr_assert_eq(after->sessions.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto &one = before.sessions[i].kept, &other = after->sessions[i].kept;
    cr_assert(one.name.key == other.name.key);
    cr_assert(one.name.code == other.name.code);
    cr_assert(one.value.version == other.value.version);
    cr_assert_eq(one.left_us - 5, other.left_us);
    cr_assert_eq(one.value.bytes.text(), other.value.bytes.text());
    cr_assert_eq(static_cast<bool>(one.value.queue), static_cast<bool>(other.value.queue));
  }
  const auto& members = *after->sessions[0].company.members;
  cr_assert_eq(members.size(), 2U);
  cr_assert(members[0].id == MemberId{3} && members[0].name == "Ann");
  cr_assert(members[0].browser == BrowserId{12});
  cr_assert(!after->sessions[1].company.members);
  cr_assert_eq(after->uploads.size(), 1U);
  cr_assert_eq(after->uploads[0].offset, 60U);
  cr_assert_eq(after->uploads[0].name, "Film.mp4");
  cr_assert_eq(after->sessions[0].kept.value.queue.text(),
               before.sessions[0].kept.value.queue.text());
}

Test(state_file, time_goes_on_while_nothing_runs) {
  const std::string bytes = encode_state(some_state(), wall_us);
  cr_assert_eq(decode_state(bytes, wall_us + hour_us - 1)->sessions.size(), 2U);
  const auto later = decode_state(bytes, wall_us + hour_us);
  cr_assert_eq(later->sessions.size(), 1U);
  cr_assert_eq(later->sessions[0].kept.left_us, hour_us);
  // A clock that was set back meanwhile gives nobody more time.
  cr_assert_eq(decode_state(bytes, wall_us - hour_us)->sessions[0].kept.left_us, hour_us);
}

Test(state_file, each_byte_that_is_another_or_missing_is_seen) {
  const std::string bytes = encode_state(some_state(), wall_us);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    cr_assert_not(decode_state(bytes.substr(0, i), wall_us).has_value(), "cut at %zu", i);
    std::string other = bytes;
    other[i] = static_cast<char>(other[i] ^ 1);
    const auto decoded = decode_state(other, wall_us);
    cr_assert_not(decoded.has_value(), "byte %zu", i);
    cr_assert(decoded.error().code == ErrorCode::corrupt);
  }
  cr_assert_not(decode_state(bytes + "x", wall_us).has_value());
}

Test(state_file, it_is_there_until_it_is_removed) {
  const TempFolder folder;
  const StateFile file(folder / "state");
  cr_assert(file.is_kept());
  cr_assert(file.check().has_value());
  cr_assert_not(file.read(wall_us).has_value(), "there was none");
  cr_assert(file.write(some_state(), wall_us).has_value());
  struct stat status{};
  cr_assert_eq(::stat((folder / "state").c_str(), &status), 0);
  cr_assert_eq(status.st_mode & 0777U, 0600U, "others could read the keys");
  cr_assert_eq(file.read(wall_us)->sessions.size(), 2U);
  cr_assert_eq(file.read(wall_us)->sessions.size(), 2U);
  file.remove();
  cr_assert_not(file.read(wall_us).has_value());
  cr_assert(std::filesystem::is_empty(folder.path()));
}

Test(state_file, what_is_there_stays_until_the_new_one_is_whole) {
  const TempFolder folder;
  const StateFile file(folder / "state");
  folder.write("state", "of before");
  folder.write("state.new", "half of one");
  cr_assert(file.write(some_state(), wall_us).has_value());
  cr_assert(decode_state(bytes_of(folder / "state"), wall_us).has_value());
  cr_assert_not(std::filesystem::exists(folder / "state.new"));
}

Test(state_file, a_damaged_one_is_set_aside) {
  const TempFolder folder;
  const StateFile file(folder / "state");
  folder.write("state", "videosync sessions 2\nand nothing else");
  cr_assert_not(file.read(wall_us).has_value());
  cr_assert_not(std::filesystem::exists(folder / "state"));
  cr_assert_eq(bytes_of(folder / "state.damaged"), "videosync sessions 2\nand nothing else");
}

Test(state_file, a_folder_that_is_not_there_is_known_at_the_start) {
  const TempFolder folder;
  const auto checked = StateFile(folder / "none/state").check();
  cr_assert_not(checked.has_value());
  cr_assert_eq(checked.error().system_errno, ENOENT);
  cr_assert(StateFile("").is_kept() == false);
}

Test(state_file, what_was_said_goes_from_process_to_process) {
  SavedState before = some_state();
  before.sessions[1].company.chat = {
      {.id = 7, .from = MemberId{3}, .name = "Ann", .text = "Hello", .at_us = wall_us}};
  const auto after = decode_state(encode_state(before, wall_us), wall_us);
  cr_assert(after.has_value());
  const auto& chat = after->sessions[1].company.chat;
  cr_assert_eq(chat.size(), 1U);
  cr_assert(chat[0].id == 7 && chat[0].from == MemberId{3} && chat[0].at_us == wall_us);
  cr_assert(chat[0].name == "Ann" && chat[0].text == "Hello");
}
