// Each small helper stands once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { findCopies, findIdle, helpers } from './helpers.mjs';
import { sourceRoots } from './rules.mjs';
import { readTree } from './tree.mjs';

const sources = readTree(sourceRoots, /\.(h|cpp)$/);

test('no helper has a second copy', () => {
  assert.ok(sources.length > 0, 'no sources found');
  const faults = findCopies(sources);
  assert.equal(faults.length, 0, `\n${faults.join('\n')}\n`);
});

test('each helper is at its home, and each exception needs to be one', () => {
  assert.deepEqual(findIdle(sources), []);
});

// Copies as they stood in this tree, or as somebody would write the next one.
const planted = [
  ['letters of either case', "char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }"],
  ['letters of either case', 'return (a | 0x20) == (b | 0x20);'],
  ['letters of either case', "name += static_cast<char>(c - 'a' + 'A');"],
  ['letters of either case', 'c = std::tolower(c);'],
  ['kinds of characters', "return c >= '0' && c <= '9';"],
  ['kinds of characters', "if (c < 'a' || c > 'z') return false;"],
  ['kinds of characters', 'return std::isdigit(static_cast<unsigned char>(c)) != 0;'],
  ['blanks at the ends', 'const std::size_t begin = text.find_first_not_of(" \\t");'],
  ['blanks at the ends', 'return text.substr(0, text.find_last_not_of(" \\t\\r\\n") + 1);'],
  ['hexadecimal digits', 'static constexpr char digits[] = "0123456789abcdef";'],
  ['hexadecimal digits', "return c - 'a' + 10;"],
  ['percent-decoding', "if (text[i] == '%') i += 2;"],
  ['whole numbers', 'const auto [end, error] = std::from_chars(first, last, port);'],
  ['whole numbers', 'const int port = std::stoi(text);'],
  ['UTF-8', 'if (lead == 0xed && second > 0x9f) return 0;'],
  ['UTF-8', 'if (lead < 0xc2 || lead > 0xf4) return 0;'],
  ['escapes of JSON strings', 'out += "\\\\u00";'],
  ['escapes of JSON strings', "case '\\\\':"],
  ['bytes of integers', 'bytes += static_cast<char>(value >> (8 * i) & 0xff);'],
  ['bytes of integers', 'value |= std::uint64_t{byte} << (8 * i);'],
  ['token buckets', 'bucket.full_at_us = full_at_us;'],
  ['closing of descriptors', 'if (descriptor_ >= 0) ::close(descriptor_);'],
];

for (const [kind, line] of planted) {
  test(`finds ${kind} once more: ${line}`, () => {
    const faults = findCopies([{ path: 'server/a.cpp', text: `// planted\n${line}\n` }]);
    assert.ok(faults.some((fault) => fault.startsWith(`server/a.cpp:2: ${kind} once more: `)), faults.join('\n'));
  });
}

test('every kind has a planted fault', () => {
  const kinds = new Set(planted.map(([kind]) => kind));
  assert.deepEqual(helpers.map(({ kind }) => kind).filter((kind) => !kinds.has(kind)), []);
});

test('lets pass what only looks alike', () => {
  const text = `// c >= '0' && c <= '9', "0123456789abcdef", ::close(fd)
bool is_octet(char c) { return is_digit(c) || c == '.'; }
stream.close(reason);
void Listener::close() noexcept {}
const auto port = parse_decimal<std::uint16_t>(text);
list.remove_prefix(list.find_first_not_of(" \\t,"));
const bool is_v4 = (bytes[8] & 0xc0) == 0x80;
`;
  assert.deepEqual(findCopies([{ path: 'server/a.cpp', text }]), []);
});

test('a table that is no longer true is found', () => {
  const idle = findIdle([{ path: 'core/kernel/linux_calls.cpp', text: '::close(descriptor);\n' }]);
  assert.ok(!idle.includes('closing of descriptors: core/kernel/linux_calls.cpp'));
  assert.ok(idle.includes('UTF-8: core/base/utf8.h'));
  assert.ok(idle.includes('bytes of integers: server/digest.cpp'));
});
