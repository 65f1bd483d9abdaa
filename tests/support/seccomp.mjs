// Runs a program under a container's seccomp profile (deploy/seccomp.json) without a container: the profile's names become
// the numbers of this machine, and those a filter of the kernel's. Stricter than the profile: what it does not name kills,
// lest a way round it hide that it is missing.
import { execFileSync } from 'node:child_process';

const LOAD_ARCH = [0x20, 0, 0, 4];
const LOAD_NUMBER = [0x20, 0, 0, 0];
const answer = (value) => [0x06, 0, 0, value];
const ALLOW = answer(0x7fff0000);
const KILL = answer(0x80000000);
const AUDIT_ARCH = { x64: 0xc000003e, arm64: 0xc00000b7 };
const PRCTL = { x64: 157, arm64: 167 };

export const isKnownHere = process.arch in PRCTL;

// {name: number} of the system calls that the C library's headers of this machine name.
export function numbersOfCalls() {
  const macros = execFileSync('g++', ['-E', '-dM', '-x', 'c', '-include', 'sys/syscall.h', '/dev/null'], { encoding: 'utf8' });
  const numbers = Object.fromEntries([...macros.matchAll(/^#define __NR_(\w+) (\d+)$/gm)].map(([, name, number]) => [name, Number(number)]));
  return { cachestat: 451, ...numbers }; // newer than Debian 12's headers
}

// Which names are refused with which error, and which are allowed. Where arguments decide, the call is allowed here.
function actionsOf(profile) {
  const numbers = numbersOfCalls();
  return profile.syscalls.flatMap(({ names, action, errnoRet }) => names
    .filter((name) => name in numbers)
    .map((name) => [numbers[name], action === 'SCMP_ACT_ALLOW' ? ALLOW : answer(0x00050000 | errnoRet)]));
}

function filterOf(profile) {
  const calls = actionsOf(profile).flatMap(([number, then]) => [[0x15, 0, 1, number], then]);
  return [LOAD_ARCH, [0x15, 1, 0, AUDIT_ARCH[process.arch]], KILL, LOAD_NUMBER, ...calls, KILL];
}

// A script that runs a program, with its own arguments, under this profile.
export const scriptUnder = (profile, program) => `#!/usr/bin/perl
my $filter = join '', map { pack 'SCCL', @$_ } ${JSON.stringify(filterOf(profile))}->@*;
my $program = pack 'Sx6P', length($filter) / 8, $filter;
syscall(${PRCTL[process.arch]}, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
syscall(${PRCTL[process.arch]}, 22, 2, $program) == 0 or die "seccomp: $!";
exec { '${program}' } '${program}', @ARGV or die "$!";
`;
