// A CA of a test's own making, and what it signs.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

// Its files go into a folder of makeFolder() under that name. Resolves to {certificate, issue()}, certificate being a path.
export async function makeAuthority(folder, name) {
  const [certificate, key] = [folder.path(`${name}.pem`), folder.path(`${name}.key`)];
  await run('openssl', ['req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', certificate]);
  return {
    certificate,
    // names: of the subject, as openssl has them ("DNS:localhost", "IP:127.0.0.1"); days: may be over. Resolves to
    // {certificate, key}, paths.
    issue: async (leaf, { names = ['DNS:localhost', 'IP:127.0.0.1'], days = 2 } = {}) => {
      const issued = { certificate: folder.path(`${leaf}.pem`), key: folder.path(`${leaf}.key`) };
      await run('openssl', ['req', '-x509', '-CA', certificate, '-CAkey', key, ...newKey, '-days', String(days), '-subj', `/CN=${leaf}`,
        '-addext', `subjectAltName=${names.join(',')}`, '-addext', 'basicConstraints=critical,CA:FALSE',
        '-keyout', issued.key, '-out', issued.certificate]);
      return issued;
    },
  };
}
