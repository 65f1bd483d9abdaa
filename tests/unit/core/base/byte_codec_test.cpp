#include "core/base/byte_codec.h"

#include <criterion/criterion.h>

#include <array>
#include <cmath>

using videosync::ByteReader;
using videosync::ByteWriter;

namespace {

enum class Colour : std::uint8_t { red, green, blue };

}  // namespace

Test(byte_codec, integers_are_little_endian) {
  ByteWriter writer;
  writer.put(std::uint8_t{0x01});
  writer.put(std::uint16_t{0x0203});
  writer.put(std::uint32_t{0x04050607});
  writer.put(std::uint64_t{0x08090a0b0c0d0e0f});
  cr_assert_eq(writer.size(), 15u);
  cr_assert_eq(writer.take_bytes(), "\x01\x03\x02\x07\x06\x05\x04\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08");
}

Test(byte_codec, what_was_put_is_got) {
  constexpr std::array<std::uint8_t, 4> raw{0, 1, 0xfe, 0xff};
  ByteWriter writer;
  writer.put_flag(true);
  writer.put_time(1'700'000'000'000'000);
  writer.put_real(-0.125);
  writer.put_raw(raw);
  writer.put_text("caf\xc3\xa9");
  writer.put_text<std::uint16_t>("short");
  writer.put_text("\xff any bytes");
  writer.put(static_cast<std::uint8_t>(Colour::blue));
  const std::string bytes = writer.take_bytes();

  ByteReader reader(bytes);
  cr_assert(reader.get_flag());
  cr_assert_eq(reader.get_time(), 1'700'000'000'000'000);
  cr_assert_eq(reader.get_real(-1, 1), -0.125);
  std::array<std::uint8_t, 4> back{};
  reader.get_raw(back);
  cr_assert(back == raw);
  cr_assert_eq(reader.get_text(5), "caf\xc3\xa9");
  cr_assert_eq(reader.get_text<std::uint16_t>(5), "short");
  cr_assert_eq(reader.get_bytes(100), "\xff any bytes");
  cr_assert(reader.get_enum(Colour::blue) == Colour::blue);
  cr_assert(reader.ok() && reader.at_end());
}

// Each reads a value that does not fit from a text that goes on: then all that follows is empty.
Test(byte_codec, after_what_does_not_fit_nothing_is_read) {
  using Read = void (*)(ByteReader&);
  struct Case {
    std::string_view bytes;
    Read read;
  };
  const Case cases[] = {
      {"\x01\x02\x03", [](ByteReader& r) { r.get<std::uint32_t>(); }},
      {"\x03zz", [](ByteReader& r) { r.get_enum(Colour::blue); }},
      {"\x02zz", [](ByteReader& r) { r.get_flag(); }},
      {"\xff\xff\xff\xff\xff\xff\xff\xffzz", [](ByteReader& r) { r.get_time(); }},
      {"\xff\xff\xff\xff\xff\xff\xff\x7fzz", [](ByteReader& r) { r.get_time(); }},
      {std::string_view("\0\0\0\0\0\0\xf8\x7fzz", 10), [](ByteReader& r) { r.get_real(0, 1); }},
      {std::string_view("\0\0\0\0\0\0\0\x40zz", 10), [](ByteReader& r) { r.get_real(0, 1); }},
      {std::string_view("\4\0\0\0abczz", 6), [](ByteReader& r) { r.get_text(10); }},
      {std::string_view("\4\0\0\0abcdzz", 10), [](ByteReader& r) { r.get_text(3); }},
      {std::string_view("\2\0\0\0\xc3(zz", 8), [](ByteReader& r) { r.get_text(10); }},
      {"zzz", [](ByteReader& r) { r.require(false); }},
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    ByteReader reader(cases[i].bytes);
    cases[i].read(reader);
    cr_assert_not(reader.ok(), "case %zu", i);
    cr_assert_eq(reader.get<std::uint8_t>(), 0, "case %zu", i);
    cr_assert_eq(reader.get_bytes(10), "", "case %zu", i);
    cr_assert_not(reader.ok(), "case %zu", i);
  }
}
