// Small helpers that stand once: each kind is known by a telltale, which may be found at its home
// and nowhere else. Pure: files come in as {path, text}, faults go out as text that names file, line
// and what to use instead.
import { lineOf, withoutComments } from './sources.mjs';

// `except`: files that do something else with the same means, and what.
export const helpers = [
  {
    kind: 'letters of either case',
    telltale: /\|\s*0x20\b|'a'\s*[-+]\s*'A'|'A'\s*\+\s*'a'|\bc\s*\+\s*32\b|\bto(?:lower|upper)\s*\(/g,
    home: 'core/base/text.h',
    use: 'ascii_lower(), ascii_upper() or equals_ignoring_case()',
  },
  {
    kind: 'kinds of characters',
    telltale: />=\s*'[0aA]'\s*&&[^;\n]*<=\s*'[9zZ]'|<\s*'[0aA]'\s*\|\|[^;\n]*>\s*'[9zZ]'|\bis(?:digit|alpha|alnum|space|cntrl)\s*\(/g,
    home: 'core/base/text.h',
    use: 'is_digit(), is_letter() or is_control_byte()',
  },
  {
    kind: 'blanks at the ends',
    telltale: /find_(?:first|last)_not_of\(\s*(?:"[ \\tnr]+"|blanks)/g,
    home: 'core/base/text.h',
    use: 'trim()',
  },
  {
    kind: 'hexadecimal digits',
    telltale: /"0123456789abcdef|"0123456789ABCDEF|'[aA]'\s*\+\s*10\b/g,
    home: 'core/base/text.h',
    use: 'hex_digits, hex_value(), to_hex() or parse_hex()',
  },
  {
    kind: 'percent-decoding',
    telltale: /[!=]=\s*'%'/g,
    home: 'core/base/text.h',
    except: {
      'proto/http/http_authority.cpp': 'judges escapes and decodes none',
    },
    use: 'percent_decode()',
  },
  {
    kind: 'whole numbers',
    telltale: /\bfrom_chars\s*\(|\bsto(?:i|l|ll|ul|ull)\s*\(|\bstrtou?ll?\s*\(|\bato[il]\s*\(/g,
    home: 'core/base/text.h',
    except: {
      'proto/http/http_head.cpp': 'a length that is too large has an answer of its own',
      'server/config/setting_values.cpp': 'a unit follows the digits',
      'maker/subtitles/webvtt.cpp': 'numbers with decimals, and hexadecimal ones',
      'storage/films/media_probe.cpp': 'seconds with decimals, and the rest of the line',
    },
    use: 'parse_decimal()',
  },
  {
    kind: 'UTF-8',
    telltale: /[<>=]=?\s*0x(?:ed|f4)\b/g,
    home: 'core/base/utf8.h',
    use: 'Utf8Validator, is_valid_utf8(), utf8_sequence_length() or to_utf8()',
  },
  {
    kind: 'escapes of JSON strings',
    telltale: /"\\\\u|'\\\\',\s*'u'|\bcase\s*'\\\\'/g,
    home: 'core/base/json_text.h',
    use: 'append_json_text() or JsonEscape',
  },
  {
    kind: 'bytes of integers',
    telltale: /(?:>>|<<)\s*\(8\s*\*\s*i\)/g,
    home: 'core/base/byte_codec.h',
    except: {
      'proto/websocket/websocket_encode.cpp': 'big-endian, into a frame of fixed size',
      'server/digest.cpp': 'what is hashed, without a string',
    },
    use: 'ByteWriter and ByteReader',
  },
  {
    kind: 'token buckets',
    telltale: /\bfull_at(?:_us|_ms)?_?\s*=|\brefill\w*\s*=|\btokens_?\s*\+=/g,
    home: 'core/base/token_bucket.h',
    use: 'TokenBucket',
  },
  {
    kind: 'closing of descriptors',
    telltale: /(?<![\w>)])::close\s*\(/g,
    home: 'core/kernel/linux_calls.cpp',
    use: 'UniqueFd',
  },
];

function placesOf(helper, { path, text }) {
  return [...withoutComments(text).matchAll(helper.telltale)].map(({ index }) => `${path}:${lineOf(text, index)}`);
}

export function findCopies(files) {
  return files.flatMap((file) =>
    helpers
      .filter(({ home, except = {} }) => file.path !== home && !(file.path in except))
      .flatMap((helper) =>
        placesOf(helper, file).map((place) => `${place}: ${helper.kind} once more: ${helper.home} has ${helper.use}`)));
}

// Homes and exceptions without their telltale: the table says what is no longer so.
export function findIdle(files) {
  const isIdle = (helper, path) => {
    const file = files.find((candidate) => candidate.path === path);
    return !file || placesOf(helper, file).length === 0;
  };
  return helpers.flatMap((helper) =>
    [helper.home, ...Object.keys(helper.except ?? {})]
      .filter((path) => isIdle(helper, path))
      .map((path) => `${helper.kind}: ${path}`));
}
