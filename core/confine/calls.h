// Lists of system calls by what they are for, of which each kind of our processes gets its own
// filter (SyscallFilter). Older calls, which a C library takes on some machines and not on others,
// are with their younger kin.
#pragma once

#include <sys/syscall.h>

#include "core/confine/syscall_filter.h"

namespace videosync::calls {

// What every program does: memory, time, signals of its own, threads that wait, its end.
inline constexpr int basic[] = {
    SYS_brk,
    SYS_mmap,
    SYS_mprotect,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_membarrier,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigtimedwait,
    SYS_rt_sigpending,
    SYS_rt_sigsuspend,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_futex,
    SYS_set_robust_list,
    SYS_get_robust_list,
    SYS_set_tid_address,
    SYS_rseq,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_getcpu,
    SYS_exit,
    SYS_exit_group,
    SYS_getpid,
    SYS_gettid,
    SYS_getppid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrandom,
    SYS_uname,
    SYS_sysinfo,
    SYS_getrusage,
    SYS_read,
    SYS_readv,
    SYS_pread64,
    SYS_preadv,
    SYS_write,
    SYS_writev,
    SYS_pwrite64,
    SYS_pwritev,
    SYS_close,
    SYS_lseek,
    SYS_fcntl,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_ppoll,
    SYS_pselect6,
#ifdef __x86_64__
    SYS_time,
    SYS_dup2,
    SYS_pipe,
    SYS_poll,
    SYS_select,
    SYS_arch_prctl,
#endif
};

// Files that are found, read, listed.
inline constexpr int reading_files[] = {
    SYS_openat,     SYS_openat2, SYS_newfstatat, SYS_fstat,      SYS_statx,
    SYS_fstatfs,    SYS_statfs,  SYS_faccessat,  SYS_faccessat2, SYS_readlinkat,
    SYS_getdents64, SYS_getcwd,  SYS_fadvise64,  SYS_readahead,
#ifdef __x86_64__
    SYS_open,       SYS_stat,    SYS_lstat,      SYS_access,     SYS_readlink,
#endif
};

// Files that are made, written, renamed and removed. Not what Landlock has no right for, and so
// does not keep to folders: modes, owners, times, and truncate(2) before Linux 6.2.
inline constexpr int writing_files[] = {
    SYS_ftruncate, SYS_fallocate, SYS_fsync,    SYS_fdatasync, SYS_sync_file_range,
    SYS_renameat,  SYS_renameat2, SYS_unlinkat, SYS_mkdirat,   SYS_linkat,
    SYS_fchmod,    SYS_umask,
#ifdef __x86_64__
    SYS_rename,    SYS_unlink,    SYS_mkdir,    SYS_rmdir,     SYS_link,
#endif
};

}  // namespace videosync::calls
