// Which file may include what: the floors of docs/ARCHITECTURE.md and the rooms inside them as data,
// and the judgement of one file's include lines. Pure: files come in as {path, text}, violations go out as text that names
// file, line and rule.

// Floors of our own, lowest first; `libraries` are the third parties a floor may use.
const floors = {
  'core/kernel': { uses: [], libraries: ['liburing'] },
  'core/base': { uses: ['core/kernel'], libraries: ['fmt'] },
  'core/confine': { uses: ['core/base'], libraries: [] },
  'core/reactor': { uses: ['core/base', 'core/kernel'], libraries: ['fmt', 'liburing'] },
  proto: { uses: ['core/base'], libraries: ['fmt', 'llhttp', 'wslay', 'simdjson'] },
  storage: { uses: ['core/base', 'core/confine', 'core/reactor'], libraries: ['fmt', 'hiredis', 'libssl', 'pugixml', 'simdjson'] },
  // The program beside the server: nobody includes it, and it alone knows libav*.
  maker: { uses: ['core/base'], libraries: ['fmt', 'CLI11', 'libav'] },
  server: {
    uses: ['core/base', 'core/confine', 'core/kernel', 'core/reactor', 'proto', 'storage'],
    libraries: ['fmt', 'CLI11', 'libcrypto'],
  },
};

// Rooms inside the floors, a room being a folder's own files, and what each may include besides
// itself: rooms, or single headers of one.
export const rooms = {
  'core/kernel': [],
  'core/base': ['core/kernel'],
  'core/confine': ['core/base'],
  'core/reactor': ['core/base', 'core/kernel'],
  'proto/http': ['core/base'],
  'proto/session': ['core/base'],
  'proto/websocket': ['core/base', 'proto/http'],
  'proto/wire': ['core/base', 'proto/session'],
  storage: ['core/base'],
  'storage/names': ['core/base'],
  'storage/files': ['core/base', 'core/confine', 'storage/names'],
  'storage/library': ['core/base', 'storage/files', 'storage/names'],
  'storage/films': ['core/base', 'storage/files', 'storage/library', 'storage/names'],
  'storage/forms': ['core/base', 'storage/files', 'storage/library', 'storage/names'],
  'storage/redis/link': ['core/base', 'core/reactor'],
  'storage/redis/cluster': [
    'core/base', 'core/reactor', 'storage/key_slots.h', 'storage/redis/link', 'storage/redis/redis_servers.h', 'storage/session_store.h',
  ],
  'storage/redis': [
    'core/base', 'core/reactor', 'storage/key_slots.h', 'storage/redis/cluster/redis_cluster.h', 'storage/redis/link', 'storage/session_store.h',
  ],
  'maker/film': ['core/base'],
  'maker/forms': ['core/base', 'maker/film'],
  'maker/subtitles': ['core/base', 'maker/film', 'maker/forms/picture_filter.h'],
  maker: ['core/base', 'maker/film', 'maker/forms', 'maker/subtitles'],
  // Whoever serves: the worker's connections, and what is said over them.
  'server/connection': [
    'core/base', 'core/reactor', 'proto/http', 'proto/session', 'proto/websocket',
    'server/access/ip_address.h', 'server/digest.h', 'server/http', 'server/metrics', 'server/routes', 'server/worker.h',
  ],
  // Which request is answered by what, and by whom it may be made.
  'server/routes': [
    'core/base', 'proto/http', 'proto/websocket', 'proto/wire', 'storage/library', 'server/access', 'server/films',
    'server/http', 'server/metrics', 'server/nodes/nodes.h', 'server/session/session_reply.h', 'server/session/survey.h',
    'server/uploads', 'server/worker.h',
  ],
  // Who comes, from where, and what they have shown.
  'server/access': ['core/base', 'proto/http', 'proto/wire', 'server/digest.h'],
  // The library over HTTP.
  'server/films': [
    'core/base', 'proto/http', 'storage/forms', 'storage/library', 'storage/names', 'server/digest.h', 'server/http/faults.h', 'server/worker.h',
  ],
  'server/http': [
    'core/base', 'proto/http', 'storage/files', 'storage/library', 'storage/names', 'server/digest.h', 'server/worker.h',
  ],
  // Sessions know neither sockets nor HTTP: of the reactor they have the timers' words alone.
  'server/session': [
    'core/base', 'core/reactor/timer_wheel.h', 'proto/session', 'proto/websocket', 'proto/wire',
    'server/digest.h', 'server/metrics', 'storage/key_slots.h', 'storage/session_store.h',
  ],
  'server/nodes': [
    'core/base', 'core/reactor/timer_wheel.h', 'proto/wire',
    'server/session', 'storage/key_slots.h', 'storage/session_store.h',
  ],
  // Films that hosts bring.
  'server/uploads': [
    'core/base', 'core/reactor/fd_watcher.h', 'proto/http', 'proto/session', 'proto/wire/token.h', 'storage/names',
    'server/connection', 'server/digest.h', 'server/http', 'server/session/session_reply.h', 'server/worker.h',
  ],
  // From one process to the next.
  'server/succession': [
    'core/base', 'proto/session', 'server/digest.h', 'server/session/session_directory.h', 'server/uploads/upload_table.h', 'storage/files/spawner.h', 'storage/memory_store.h',
  ],
  'server/metrics': [
    'core/base', 'proto/session', 'server/nodes/nodes.h', 'server/service.h', 'storage/forms/form_counts.h', 'storage/redis',
  ],
  'server/config': [
    'core/base', 'server/access',
    'server/version.h', 'storage/redis/link/redis_address.h',
  ],
  // What puts it all together.
  server: [
    'core/base', 'core/confine', 'core/kernel', 'core/reactor', 'proto/http', 'proto/session', 'proto/websocket', 'proto/wire',
    'server/access', 'server/config', 'server/connection', 'server/films', 'server/http', 'server/metrics', 'server/nodes', 'server/routes', 'server/session', 'server/succession', 'server/uploads',
    'storage', 'storage/files', 'storage/films', 'storage/forms', 'storage/library', 'storage/names', 'storage/redis',
    'storage/redis/link/redis_address.h', 'storage/redis/link/redis_tls.h',
  ],
};

// `door`: a C library, which one .cpp of ours talks to and hides; or the few that it takes.
const libraries = [
  { name: 'fmt', pattern: /^fmt\//, inHeaders: true },
  { name: 'CLI11', pattern: /^CLI\// },
  { name: 'simdjson', pattern: /^simdjson(\.h$|\/)/ },
  {
    name: 'liburing', pattern: /^liburing(\.h$|\/)/,
    // The kernel's own, and whoever fills the entries that it takes.
    door: ['core/kernel/linux_ring.cpp', 'core/reactor/ring.cpp'],
  },
  { name: 'llhttp', pattern: /^llhttp(\.h$|\/)/, door: true },
  { name: 'wslay', pattern: /^wslay\//, door: true },
  {
    name: 'hiredis', pattern: /^hiredis\//,
    // Its asynchronous interface carries commands; of channels it knows too little.
    door: ['storage/redis/link/redis_link.cpp', 'storage/redis/link/redis_reply.cpp', 'storage/redis/link/redis_wire.cpp'],
  },
  { name: 'pugixml', pattern: /^pugixml\.hpp$/, door: true },
  { name: 'libssl', pattern: /^openssl\/(err|ssl|x509_vfy|x509err|x509v3)\.h$/, door: true },
  { name: 'libcrypto', pattern: /^openssl\//, door: true },
  { name: 'libav', pattern: /^lib(av(codec|filter|format|util)|swresample)\//, inHeaders: true },
];

// The C++ standard library has no dot and no slash in its names; the system's headers are these.
const standard = /^[a-z_0-9]+$/;
const system =
  /^((sys|netinet|arpa|net|linux|asm)\/[\w/]+\.h|(dirent|errno|fcntl|ftw|getopt|glob|grp|iconv|ifaddrs|limits|netdb|poll|pthread|pwd|sched|signal|spawn|stdio|stdlib|string|strings|syslog|time|unistd)\.h)$/;

export const sourceRoots = ['core', 'proto', 'storage', 'maker', 'server'];

export function floorOf(path) {
  return Object.keys(floors).find((floor) => path.startsWith(`${floor}/`));
}

const roomOf = (path) => path.slice(0, path.lastIndexOf('/'));
// The entry of the room's list that lets it include that file.
const permitOf = (room, path) => rooms[room].find((use) => use === path || use === roomOf(path));

// [{line, name, quoted}] of a source text.
export function includesOf(text) {
  const found = [];
  text.split('\n').forEach((content, index) => {
    const match = /^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)/.exec(content);
    if (match) found.push({ line: index + 1, name: match[1] ?? match[2], quoted: Boolean(match[1]) });
  });
  return found;
}

function judgeOwn(file, floor, include, known) {
  if (!known.has(include.name)) {
    return `"${include.name}" is no file of ours: quoted includes are paths from the root`;
  }
  const target = floorOf(include.name);
  if (target !== floor && !floors[floor].uses.includes(target)) {
    return `${floor} may not include ${target ?? include.name} (it may: ${[floor, ...floors[floor].uses].join(', ')})`;
  }
  const room = roomOf(file.path);
  if (roomOf(include.name) === room || permitOf(room, include.name)) return null;
  return `${room} may not include ${include.name} (it may: ${rooms[room].join(', ')})`;
}

function judgeForeign(file, floor, include, doors) {
  const library = libraries.find((candidate) => candidate.pattern.test(include.name));
  if (!library) {
    if (standard.test(include.name) || system.test(include.name)) return null;
    return `<${include.name}> belongs to no library that the table knows`;
  }
  if (!floors[floor].libraries.includes(library.name)) {
    return `${floor} may not use ${library.name} (it may: ${floors[floor].libraries.join(', ')})`;
  }
  if (file.path.endsWith('.h') && !library.inHeaders) {
    return `${library.name} may not appear in a header of ours`;
  }
  if (Array.isArray(library.door)) {
    if (!library.door.includes(file.path)) return `${library.name} has its doors already: ${library.door.join(', ')}`;
  } else if (library.door) {
    const first = doors.get(library.name) ?? file.path;
    doors.set(library.name, first);
    if (first !== file.path) return `${library.name} has its one door already: ${first}`;
  }
  return null;
}

// Every violation among `files` ([{path, text}], paths from the root), in their order.
export function findViolations(files) {
  const known = new Set(files.map((file) => file.path));
  const doors = new Map();
  const violations = [];
  for (const file of files) {
    const floor = floorOf(file.path);
    if (!floor) {
      violations.push(`${file.path}:1: lies on no floor (${Object.keys(floors).join(', ')})`);
      continue;
    }
    if (!rooms[roomOf(file.path)]) {
      violations.push(`${file.path}:1: lies in no room (${Object.keys(rooms).join(', ')})`);
      continue;
    }
    for (const include of includesOf(file.text)) {
      const fault = include.quoted
        ? judgeOwn(file, floor, include, known)
        : judgeForeign(file, floor, include, doors);
      if (fault) violations.push(`${file.path}:${include.line}: ${fault}`);
    }
  }
  return violations;
}

// What the table of rooms allows and none of `files` does.
export function findIdle(files) {
  const used = new Set();
  for (const file of files) {
    const room = roomOf(file.path);
    for (const { name, quoted } of includesOf(file.text)) {
      if (quoted) used.add(`${room} -> ${permitOf(room, name)}`);
    }
  }
  return Object.entries(rooms)
    .flatMap(([room, uses]) => uses.map((use) => `${room} -> ${use}`))
    .filter((edge) => !used.has(edge));
}
