// Writes the types that the pages are checked with (www/jsconfig.json): contract.d.ts, what docs/asyncapi.yaml and docs/openapi.yaml say of messages and answers, and elements.d.ts, what has an id (elements.mjs). Types tell shapes: bounds and patterns are left to tests/e2e/api_*.test.mjs.
// Usage: node tests/types/make.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parse } from 'yaml';
import { readTree, root } from '../layers/tree.mjs';
import { elementDeclarations } from './elements.mjs';

export const here = path.dirname(fileURLToPath(import.meta.url));

const SHAPES = new Set(['$ref', 'const', 'enum', 'type', 'required', 'properties', 'items', 'allOf', 'oneOf']);
// What these say, a type does not.
const VALUES = new Set(['description', 'pattern', 'minimum', 'exclusiveMinimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems',
  'additionalProperties', 'dependentRequired', 'if', 'then', 'else', 'contentEncoding', 'contentMediaType']);
const SIMPLE = { integer: 'number', number: 'number', string: 'string', boolean: 'boolean', null: 'null' };

const union = (types) => (types.length > 1 ? `(${types.join(' | ')})` : types[0]);
const onlyRequires = (schema) => Object.keys(schema).every((keyword) => keyword === 'required');

// The type of a schema, as text.
export function typeOf(schema) {
  const unknown = Object.keys(schema).filter((keyword) => !SHAPES.has(keyword) && !VALUES.has(keyword));
  if (unknown.length > 0) throw new Error(`${unknown} is no keyword that has a type: teach tests/types/make.mjs what it means`);
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return union(schema.enum.map((value) => JSON.stringify(value)));
  if (schema.allOf !== undefined) return schema.allOf.map(typeOf).join(' & ');
  if (schema.oneOf?.every(onlyRequires)) return union(schema.oneOf.map(({ required }) => objectOf(schema, required)));
  if (schema.oneOf !== undefined) return union(schema.oneOf.map(typeOf));
  return union([schema.type].flat().map((type) => namedType(type, schema)));
}

function namedType(type, schema) {
  if (type === 'object') return objectOf(schema, []);
  if (type === 'array') return `Array<${typeOf(schema.items)}>`;
  if (SIMPLE[type] === undefined) throw new Error(`no type for ${JSON.stringify(schema)}`);
  return SIMPLE[type];
}

function objectOf({ properties = {}, required = [] }, more) {
  const fields = Object.entries(properties).map(([name, schema]) => `${name}${[...required, ...more].includes(name) ? '' : '?'}: ${typeOf(schema)}`);
  return `{ ${fields.join('; ')} }`;
}

const linesOf = (head, types) => [`${head} {`, ...Object.entries(types).map(([name, type]) => `  type ${name} = ${type};`), '}'];
const anyOf = (namespace, { messages }) => Object.keys(messages).map((name) => `${namespace}.${name}`).join(' | ');
const typesOf = (schemas) => Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, typeOf(schema)]));
const messagesOf = (channel) => Object.fromEntries(Object.entries(channel.messages).map(([name, { payload }]) => [name, typeOf(payload)]));

// What is answered in JSON where all went well, by operationId.
function answersOf(openapi) {
  const operations = Object.values(openapi.paths).flatMap((item) => Object.values(item)).filter(({ operationId }) => operationId);
  const answers = operations.map(({ operationId, responses }) => [operationId, (responses[200] ?? responses[201])?.content?.['application/json']?.schema]);
  return Object.fromEntries(answers.filter(([, schema]) => schema).map(([name, schema]) => [name, typeOf(schema)]));
}

export function declarations(asyncapi, openapi) {
  const { fromServer, fromMember } = asyncapi.channels;
  return [
    '// Made of docs/asyncapi.yaml and docs/openapi.yaml by `make types`; tests/layers compares.',
    ...linesOf('declare namespace Contract', typesOf({ ...asyncapi.components.schemas, ...openapi.components.schemas })),
    ...linesOf('declare namespace Contract.FromServer', messagesOf(fromServer)),
    ...linesOf('declare namespace Contract.FromMember', messagesOf(fromMember)),
    ...linesOf('declare namespace Contract.Answer', answersOf(openapi)),
    ...linesOf('declare namespace Contract', { ServerMessage: anyOf('FromServer', fromServer), MemberMessage: anyOf('FromMember', fromMember) }),
    '',
  ].join('\n');
}

// Map of file names in this folder to texts.
export function madeNow() {
  const read = (name) => parse(readFileSync(path.join(root, 'docs', name), 'utf8'));
  return new Map([
    ['contract.d.ts', declarations(read('asyncapi.yaml'), read('openapi.yaml'))],
    ['elements.d.ts', elementDeclarations(readTree(['www'], /\.(js|html)$/))],
  ]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [name, text] of madeNow()) writeFileSync(path.join(here, name), text);
}
