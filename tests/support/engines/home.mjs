// A home folder for the processes of one engine: no settings of whoever runs the tests, no sound device,
// no session bus. All of it is gone with remove().
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newMark } from './processes.mjs';

// Resolves to {directory, env, mark, remove()}.
export async function makeHome(changes = {}) {
  const directory = await mkdtemp(path.join(tmpdir(), 'videosync-engine-'));
  const run = path.join(directory, 'run');
  mkdirSync(run, { mode: 0o700 });
  const mark = newMark();
  const env = {
    ...process.env,
    ...mark,
    HOME: directory,
    XDG_RUNTIME_DIR: run,
    PULSE_SERVER: `unix:${run}/no-sound`, // or the client library would start a server of its own
    DBUS_SESSION_BUS_ADDRESS: 'disabled:',
    NO_AT_BRIDGE: '1',
    LIBGL_ALWAYS_SOFTWARE: '1',
    ...changes,
  };
  for (const name of ['XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_HOME', 'WAYLAND_DISPLAY']) delete env[name];
  return { directory, env, mark, remove: () => rm(directory, { recursive: true, force: true, maxRetries: 5 }) };
}
