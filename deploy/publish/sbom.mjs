// What a build is made of, as SPDX 2.3 (ISO/IEC 5962): Debian's packages whose libraries the programs load, and npm's
// whose code is in the pages.
//
// Usage: node sbom.mjs VERSION SECONDS PROGRAM... (SECONDS: when it was committed, since the epoch)
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [version, seconds, ...programs] = process.argv.slice(2);
const lines = (command, args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n').filter(Boolean);

// The libraries that a program loads, those of libraries included.
const librariesOf = (program) => lines('ldd', [program]).map((line) => /=> (\/\S+)/.exec(line)?.[1]).filter(Boolean);

// Debian's name of whose file it is. A path may be known by the one that /lib is a link to.
function ownerOf(library) {
  for (const file of [library, realpathSync(library), library.replace(/^\/usr/, ''), `/usr${library}`]) {
    try {
      return lines('dpkg', ['-S', file])[0].split(':')[0];
    } catch {
      // the next spelling
    }
  }
  throw new Error(`no package has ${library}`);
}

function debianPackages() {
  const names = [...new Set(programs.flatMap(librariesOf).map(ownerOf))].sort();
  return names.map((name) => {
    const [found] = lines('dpkg-query', ['-W', '-f', '${Version}\\t${Architecture}\\t${source:Package}\\n', name]);
    const [packageVersion, architecture, source] = found.split('\t');
    return { name, version: packageVersion, from: `Debian source package ${source}`, purl: `pkg:deb/debian/${name}@${encodeURIComponent(packageVersion)}?arch=${architecture}`, license: 'NOASSERTION' };
  });
}

// From the lock file that the build installs, without what only installing needs.
function npmPackages() {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'www/package-lock.json'), 'utf8'));
  return Object.entries(packages).filter(([place, { dev }]) => place !== '' && !dev).map(([place, { version: packageVersion, license }]) => {
    const name = place.replace(/^.*node_modules\//, '');
    return { name, version: packageVersion, from: 'npm', purl: `pkg:npm/${name.replace('@', '%40')}@${packageVersion}`, license: license ?? 'NOASSERTION' };
  });
}

const idOf = (name) => `SPDXRef-${name.replaceAll(/[^A-Za-z0-9.-]/g, '-')}`;
const describe = ({ name, version: packageVersion, from, purl, license }) => ({
  SPDXID: idOf(`${from === 'npm' ? 'npm' : 'deb'}-${name}`),
  name,
  versionInfo: packageVersion,
  sourceInfo: from,
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  licenseConcluded: 'NOASSERTION',
  licenseDeclared: license,
  copyrightText: 'NOASSERTION',
  externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
});

const parts = [...debianPackages(), ...npmPackages()].map(describe);
const own = {
  SPDXID: 'SPDXRef-videosync',
  name: 'videosync',
  versionInfo: version,
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  licenseConcluded: 'MIT',
  licenseDeclared: 'MIT',
  copyrightText: 'Copyright (c) 2026 The VideoSync authors',
  checksums: [{ algorithm: 'SHA256', checksumValue: createHash('sha256').update(readFileSync(programs[0])).digest('hex') }],
};
console.log(JSON.stringify({
  spdxVersion: 'SPDX-2.3',
  dataLicense: 'CC0-1.0',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: `videosync-${version}`,
  documentNamespace: `urn:videosync:${version}:${own.checksums[0].checksumValue}`,
  creationInfo: { created: new Date(Number(seconds) * 1_000).toISOString().replace(/\.\d+/, ''), creators: ['Organization: The VideoSync authors', 'Tool: deploy/publish/sbom.mjs'] },
  packages: [own, ...parts],
  relationships: [
    { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: own.SPDXID },
    ...parts.map(({ SPDXID }) => ({ spdxElementId: own.SPDXID, relationshipType: 'DEPENDS_ON', relatedSpdxElement: SPDXID })),
  ],
}, null, 1));
