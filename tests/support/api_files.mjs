// What docs/openapi.yaml and docs/asyncapi.yaml say of the interface, to hold real answers and frames against.
//
// The files allow more fields than they name, as clients have to; here they do not, so that a field which nobody has
// described is a fault. Only what is a part of others, and called ...Fields, stays open: whoever uses it closes it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { projectRoot } from './server.mjs';

const read = (name) => parse(readFileSync(path.join(projectRoot, 'docs', name), 'utf8'));
export const files = { 'openapi.yaml': read('openapi.yaml'), 'asyncapi.yaml': read('asyncapi.yaml') };
export const openapi = files['openapi.yaml'];
export const asyncapi = files['asyncapi.yaml'];

const isObject = (schema) => schema.$ref === undefined && (schema.properties !== undefined || schema.allOf !== undefined);

// A copy in which every object is closed. isPart: somebody else sees the rest of it.
function closed(node, isPart = false) {
  if (Array.isArray(node)) return node.map((one) => closed(one, isPart));
  if (node === null || typeof node !== 'object') return node;
  const copy = {};
  for (const [name, value] of Object.entries(node)) {
    // Beside a reference they say more of what is closed there.
    const isMore = name === 'properties' && node.$ref !== undefined;
    copy[name] = isMore ? value : closed(value, ['allOf', 'if', 'then', 'else'].includes(name) || name.endsWith('Fields'));
  }
  return isPart || !isObject(node) ? copy : { ...copy, unevaluatedProperties: false };
}

// The value that a reference of that file leads to; throws where it leads nowhere.
export function follow(reference, from) {
  const [name, pointer] = reference.split('#');
  let value = files[name || from];
  for (const step of pointer.split('/').slice(1)) value = value?.[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  if (value === undefined) throw new Error(`${from}: ${reference} leads nowhere`);
  return value;
}

const settled = (value, from) => (value?.$ref === undefined ? value : follow(value.$ref, from));

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
for (const [name, file] of Object.entries(files)) ajv.addSchema(closed(file), name);

// Faults of a value by the schema at that place, as texts. place: keys from the top of the file.
export function faultsOf(value, name, place) {
  const pointer = place.map((step) => `/${encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');
  const isRight = ajv.getSchema(`${name}#${pointer}`);
  if (isRight === undefined) throw new Error(`${name} has no ${pointer}`);
  return isRight(value) ? [] : isRight.errors.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
}

// --- The WebSocket -------------------------------------------------------------------------------------------------

// channel: 'fromServer' or 'fromMember'. Resolves the payload's faults; a type that the file does not know is one.
export function faultsOfFrame(channel, message) {
  if (asyncapi.channels[channel].messages[message.type] === undefined) return [`no type of message ${JSON.stringify(message.type)}`];
  return faultsOf(message, 'asyncapi.yaml', ['channels', channel, 'messages', message.type, 'payload']);
}

// --- HTTP ----------------------------------------------------------------------------------------------------------

// [{id, route, method, operation}] of all that can be asked for.
export const operations = Object.entries(openapi.paths).flatMap(([route, item]) =>
  ['get', 'head', 'post', 'patch', 'delete'].filter((method) => item[method]).map((method) => ({ id: item[method].operationId, route, method, operation: item[method] })));

// The most particular one first. What is called so may have slashes.
const prefix = (route) => route.split('{')[0].length;
const holes = (route) => route.split('{').length;
const formOf = (route) => new RegExp(`^${route.replaceAll('.', '\\.').replace(/\{(?:path|file|code)\}/g, '.*').replace(/\{\w+\}/g, '[^/]*')}$`);
const forms = operations.map((one) => ({ ...one, form: formOf(one.route) }))
  .sort((a, b) => prefix(b.route) - prefix(a.route) || holes(a.route) - holes(b.route));

export function operationOf(method, target) {
  const { pathname } = new URL(target, 'http://test');
  const isAsked = (its) => its === method.toLowerCase() || (its === 'get' && method === 'HEAD');
  return forms.find(({ method: its, form }) => isAsked(its) && form.test(pathname)) ?? forms.find(({ form }) => form.test(pathname));
}

// [{status, response, place, codes}] of an operation. codes: of the errors that it may be; '' where it is none.
export function responsesOf({ route, method, operation }) {
  return Object.entries(operation.responses).map(([status, said]) => {
    const response = settled(said, 'openapi.yaml');
    const code = response.content?.['application/json']?.schema?.properties?.error?.properties?.code;
    const codes = code?.enum ?? (code ? [code.const] : []);
    const isMore = codes.length === 0 || response.content['text/html'] !== undefined;
    const place = said.$ref ? said.$ref.split('/').slice(1) : ['paths', route, method, 'responses', status];
    return { status, response, place, codes: isMore ? ['', ...codes] : codes };
  });
}

// Of any answer, or told of by its content.
const ORDINARY = ['date', 'connection', 'content-type', 'content-length', 'content-encoding', 'vary', 'cache-control', 'x-content-type-options'];

function faultsOfHeaders(headers, response, place) {
  const said = Object.entries(response.headers ?? {}).map(([name, header]) => [name.toLowerCase(), settled(header, 'openapi.yaml'), header.$ref?.split('/').slice(1) ?? [...place, 'headers', name]]);
  const names = said.map(([name]) => name);
  return [
    ...Object.keys(headers).filter((name) => !names.includes(name) && !ORDINARY.includes(name)).map((name) => `no word of ${name}`),
    ...said.flatMap(([name, { required }, at]) => {
      if (headers[name] === undefined) return required ? [`${name} is missing`] : [];
      return faultsOf(headers[name], 'openapi.yaml', [...at, 'schema']).map((fault) => `${name}: ${headers[name]} ${fault}`);
    }),
  ];
}

function faultsOfBody({ headers, body }, response, place) {
  const type = headers['content-type']?.split(';')[0];
  if (response.content === undefined) return type !== undefined || body.length > 0 ? [`a body of ${type}`] : [];
  const name = response.content[type] ? type : '*/*';
  if (response.content[name] === undefined) return [`a body of ${type}`];
  if (response.content[name].schema === undefined || body.length === 0) return [];
  const value = type === 'application/json' ? JSON.parse(body) : String(body);
  return faultsOf(value, 'openapi.yaml', [...place, 'content', name, 'schema']);
}

// Of an answer {status, headers, body}. Resolves to {seen, faults}: 'operation status code', and what is wrong.
export function holdAnswer(method, target, answer) {
  const found = operationOf(method, target);
  if (!found) return { seen: '', faults: [`no route ${target}`] };
  const isError = answer.status >= 400 && answer.headers['content-type'] === 'application/json' && answer.body.length > 0;
  const code = isError ? JSON.parse(answer.body).error.code : '';
  const candidates = responsesOf(found).filter(({ status }) => status === String(answer.status) || status === 'default');
  const judged = candidates.map(({ status, response, place }) => ({
    seen: `${found.id} ${status} ${status === 'default' ? `${answer.status} ` : ''}${code}`.trim(),
    faults: [...faultsOfHeaders(answer.headers, response, place), ...faultsOfBody(answer, response, place)],
  }));
  return judged.find(({ faults }) => faults.length === 0) ?? judged[0] ?? { seen: '', faults: [`no status ${answer.status}`] };
}
