// docs/openapi.yaml and docs/asyncapi.yaml are valid, and name what the sources know: no code, type or field less, and
// none more. api_http and api_websocket hold a server against them.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv';
import { asyncapi, faultsOfFrame, files, follow, openapi, operations, responsesOf } from '../support/api_files.mjs';
import { projectRoot } from '../support/server.mjs';
import { withoutComments } from '../layers/sources.mjs';
import { readTree } from '../layers/tree.mjs';

const source = (name) => withoutComments(readFileSync(path.join(projectRoot, name), 'utf8'));
const sources = readTree(['server', 'proto'], /\.(h|cpp)$/).map(({ path: name, text }) => [name, withoutComments(text)]);
const sorted = (list) => [...new Set(list)].sort();
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, ...found]) => found);

// Calls look(value, where it stands) for every value below that one.
function walk(value, look, place = '') {
  look(value, place);
  if (value === null || typeof value !== 'object') return;
  for (const [name, one] of Object.entries(value)) walk(one, look, `${place}/${name}`);
}

test('they are what they say: OpenAPI 3.1 and AsyncAPI 3.0', async () => {
  const validator = new Validator();
  await validator.addSpecRef(structuredClone(asyncapi), 'asyncapi.yaml');
  assert.deepEqual(await validator.validate(structuredClone(openapi)), { valid: true });
  const specification = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0-without-$id.json');
  const isRight = new Ajv({ strict: false, validateFormats: false }).compile(specification);
  assert.ok(isRight(asyncapi), JSON.stringify(isRight.errors));
});

test('every reference leads somewhere, and whatever may be referred to is', () => {
  const used = new Set();
  for (const [name, file] of Object.entries(files)) {
    walk(file, (value, place) => {
      if (typeof value?.$ref !== 'string') return;
      follow(value.$ref, name);
      used.add(value.$ref.replace(/^#/, `${name}#`));
      assert.ok(!/\/allOf\/\d+$/.test(place) || value.$ref.endsWith('Fields'), `${name}${place}: a part of others is called ...Fields`);
    });
  }
  for (const [name, { components: { securitySchemes, ...components } }] of Object.entries(files)) {
    const there = Object.entries(components).flatMap(([kind, parts]) => Object.keys(parts).map((part) => `${name}#/components/${kind}/${part}`));
    assert.deepEqual(there.filter((one) => !used.has(one)), []);
  }
});

test('each operation has a name of its own, its answers, and what is refused everywhere', () => {
  const names = operations.map(({ id }) => id);
  assert.equal(new Set(names).size, names.length);
  for (const one of operations) {
    const statuses = responsesOf(one).map(({ status }) => status);
    assert.ok(statuses.some((status) => /^[123]/.test(status)), `${one.id} has no answer`);
    assert.ok(statuses.includes('default'), `${one.id} may be refused, too`);
  }
});

test('each message of a member has an example that is one', () => {
  for (const [type, { examples = [] }] of Object.entries(asyncapi.channels.fromMember.messages)) {
    assert.ok(examples.length > 0, `${type} has none`);
    for (const { payload } of examples) assert.deepEqual([payload.type, faultsOfFrame('fromMember', payload)], [type, []]);
  }
});

// --- What the sources know ---

test('the types of messages are those of the wire', () => {
  const decode = source('proto/wire/messages_decode.cpp');
  const heard = all(decode.slice(decode.indexOf('message_types{{')), /\{"(\w+)", read_\w+\}/g).flat();
  assert.ok(heard.length > 20);
  assert.deepEqual(Object.keys(asyncapi.channels.fromMember.messages).sort(), sorted(heard));
  const encode = ['messages_encode.cpp', 'messages_encode_queue.cpp'].map((name) => source(`proto/wire/${name}`)).join('');
  assert.deepEqual(Object.keys(asyncapi.channels.fromServer.messages).sort(), sorted(all(encode, /"type":"(\w+)"/g).flat()));
});

const fieldsOf = (schema) => {
  const names = [];
  walk(schema, (value) => {
    if (value?.properties) names.push(...Object.keys(value.properties));
    if (typeof value?.$ref === 'string') names.push(...fieldsOf(follow(value.$ref, 'asyncapi.yaml')));
  });
  return names;
};

test('the fields of members\' messages are those that are read', () => {
  const [[table]] = all(source('proto/wire/json_fields.cpp'), /FieldKey::count\)> names\{([^}]*)\}/g);
  const messages = Object.values(asyncapi.channels.fromMember.messages);
  assert.deepEqual(sorted(messages.flatMap(({ payload }) => fieldsOf(payload))), sorted(all(table, /"(\w+)"/g).flat()));
});

// Of the functions that give enumerators their names on the wire.
function namesIn(file, name) {
  const text = source(file);
  const body = text.slice(text.indexOf(`std::string_view ${name}(`));
  return sorted(all(body.slice(0, body.indexOf('\n}')), /return "(\w+)"/g).flat());
}

test('what a field may be is what the sources call it', () => {
  const { fromServer } = asyncapi.channels;
  const encode = 'proto/wire/messages_encode.cpp';
  const enumOf = (place) => sorted(follow(`#/${place}`, 'asyncapi.yaml').enum);
  const payload = (type, field) => sorted(fromServer.messages[type].payload.properties[field].enum);
  assert.deepEqual(payload('error', 'code'), namesIn(encode, 'refusal_name'));
  assert.deepEqual(payload('notice', 'code'), namesIn(encode, 'notice_name'));
  assert.deepEqual(payload('host', 'reason'), namesIn(encode, 'reason_name'));
  assert.deepEqual(enumOf('components/schemas/StateFields/allOf/1/properties/cause'), namesIn(encode, 'cause_name'));
});

test('the close codes are those that there are', () => {
  const codes = all(source('core/base/close_code.h'), /\buint16_t \w+ = (\d+);/g).flat();
  assert.deepEqual(Object.keys(asyncapi.channels.fromServer['x-close-codes']), codes);
});

// [status, code] of every refusal that stands in the sources.
function refusalsInSources() {
  const table = Object.fromEntries(all(source('proto/http/http_message.cpp'), /case (\d{3}):\s*return "(\w+)"/g));
  const found = sources.flatMap(([name, text]) => {
    const whole = all(text, /\{\s*(\d{3}),\s*"([a-z_]+)",/g);
    const byStatus = /code_for_status\(/.test(text) ? all(text, /\brefuse\((\d{3}),/g).map(([status]) => [status, table[status]]) : [];
    const ofMessages = name.startsWith('server/routes/') && text.includes('refusal_name(') ? [['400', 'bad_json'], ['400', 'bad_message']] : [];
    return [...whole, ...byStatus, ...ofMessages];
  });
  return sorted(found.map((one) => one.join(' ')));
}

// Who has to knock waits, and who is turned away while waiting is closed with 4005: neither is said over HTTP.
const NEVER_SAID = ['403 must_knock', '403 turned_away'];
// Which status each of them comes with, wherever that is.
const EVERYWHERE = { bad_request: 400, method_not_allowed: 405, request_timeout: 408, body_too_large: 413, uri_too_long: 414, expectation_failed: 417,
  head_too_large: 431, not_implemented: 501, too_many_connections: 503, unavailable: 503, version_not_supported: 505 };

test('the statuses and codes of errors are those that the sources give', () => {
  const described = operations.flatMap((one) => responsesOf(one).flatMap(({ status, codes }) =>
    codes.filter(Boolean).map((code) => `${status === 'default' ? EVERYWHERE[code] : status} ${code}`)));
  const given = refusalsInSources();
  assert.ok(given.length > 30, String(given));
  for (const one of NEVER_SAID) assert.ok(given.includes(one), `${one} is not in the sources any more`);
  assert.deepEqual(sorted(described), given.filter((one) => !NEVER_SAID.includes(one)));
});

test('the routes are those that are served', () => {
  const whole = [...all(source('server/routes/routes.cpp'), /\bpath == "([^"]+)"/g), ...all(source('server/routes/film_route.cpp'), /_path = "([^"]+)"/g), ...all(source('server/uploads/upload_route.h'), /_path = "([^"]+)"/g)].flat();
  const prefixes = ['server/routes/code_route.h', 'server/films/video_catalog.h', 'storage/library/media_library.h']
    .flatMap((name) => all(source(name), /_prefix = "(\/[^"]+)"/g).flat());
  assert.ok(whole.length >= 6 && prefixes.length === 4, `${whole} ${prefixes}`);
  const routes = Object.keys(openapi.paths);
  for (const route of whole) assert.ok(routes.includes(route), `${route} is not described`);
  for (const prefix of prefixes) assert.ok(routes.some((route) => route.startsWith(prefix)), `${prefix} is not described`);
  // The rest is pages.
  const pages = routes.filter((route) => !whole.some((one) => route === one || route.startsWith(`${one}/`)) && !prefixes.some((prefix) => route.startsWith(prefix)));
  assert.deepEqual(pages.sort(), ['/', '/player.html', '/{file}']);
});
