// A certificate of a test's own making, for 127.0.0.1.
import { execFile } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

// Puts certificate.pem and key.pem into a folder of makeFolder(). Resolves to what Chromium's
// --ignore-certificate-errors-spki-list wants of its key.
export async function makeCertificate(folder) {
  const [key, certificate] = [folder.path('key.pem'), folder.path('certificate.pem')];
  await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate]);
  const spki = createPublicKey(await readFile(certificate)).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64');
}
