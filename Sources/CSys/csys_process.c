// Time, memory, terminal and children of this process.
#define _GNU_SOURCE
#include "CSys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RESULT(call)                 \
  ({                                 \
    __typeof__(call) result_ = call; \
    result_ < 0 ? -errno : result_;  \
  })

extern char **environ;

int64_t csys_wall_microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

uint64_t csys_monotonic_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t csys_thread_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t csys_random(void *bytes, size_t count) { return RESULT(getrandom(bytes, count, 0)); }

int csys_processor_count(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int)count : 1;
}

int csys_raise_descriptor_limit(uint64_t *limit) {
  struct rlimit held;
  if (getrlimit(RLIMIT_NOFILE, &held) < 0) return -errno;
  *limit = held.rlim_cur;
  if (held.rlim_cur == held.rlim_max) return 0;
  held.rlim_cur = held.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &held) < 0) return -errno;
  *limit = held.rlim_cur;
  return 0;
}

void *csys_map_pages(size_t byte_count, size_t alignment, int *error) {
  // Ask for more, then give back what lies outside the aligned part.
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t slack = alignment > page ? alignment : 0;
  char *start = mmap(NULL, byte_count + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) {
    *error = -errno;
    return NULL;
  }
  *error = 0;
  if (slack == 0) return start;
  size_t skip = (alignment - ((uintptr_t)start & (alignment - 1))) & (alignment - 1);
  if (skip > 0) munmap(start, skip);
  if (slack > skip) munmap(start + skip + byte_count, slack - skip);
  return start + skip;
}

int csys_unmap_pages(void *address, size_t byte_count) { return RESULT(munmap(address, byte_count)); }

int csys_advise_huge(void *address, size_t byte_count) {
  return RESULT(madvise(address, byte_count, MADV_HUGEPAGE));
}

int csys_populate(void *address, size_t byte_count) {
#ifdef MADV_POPULATE_WRITE
  if (madvise(address, byte_count, MADV_POPULATE_WRITE) == 0) return 0;
  if (errno != EINVAL) return -errno;
#endif
  // An older kernel: touch each page, keeping its byte.
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (size_t offset = 0; offset < byte_count; offset += page) {
    volatile char *byte = (volatile char *)address + offset;
    *byte = *byte;
  }
  return 0;
}

int csys_is_terminal(int descriptor) { return isatty(descriptor); }

int csys_window_size(int descriptor, int *columns, int *rows) {
  struct winsize size;
  if (ioctl(descriptor, TIOCGWINSZ, &size) < 0) return -errno;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return 0;
}

/// Starts the program with `input` as standard input, signals as a program expects to find them.
static int spawn(const char *const *arguments, int input, pid_t *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, defaults;
  int error = posix_spawn_file_actions_init(&actions);
  if (error != 0) return -error;
  error = posix_spawnattr_init(&attributes);
  if (error != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return -error;
  }
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  sigaddset(&defaults, SIGINT);
  sigaddset(&defaults, SIGTERM);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  error = posix_spawn_file_actions_adddup2(&actions, input, 0);
  if (error == 0)
    error = posix_spawnp(pid, arguments[0], &actions, &attributes, (char *const *)arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return -error;
}

int csys_spawn(const char *const *arguments, int *standard_input) {
  int ends[2];
  pid_t pid = 0;
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  int error = spawn(arguments, ends[0], &pid);
  close(ends[0]);
  if (error < 0) {
    close(ends[1]);
    return error;
  }
  *standard_input = ends[1];
  return pid;
}

int csys_wait(int pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) < 0) return -errno;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
