// Packages a film for a test the way people do.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from './server.mjs';

const run = promisify(execFile);

// Resolves to {stdout, stderr}; rejects with {code, stdout, stderr} where it fails.
export function packageHls(file, media, args = []) {
  return run(path.join(projectRoot, 'deploy/make-hls'), ['--media', media, '--preset', 'ultrafast', ...args, file]);
}
