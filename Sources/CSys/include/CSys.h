// System calls with their errno as a value: each function answers a result of 0 or more, or minus errno.
//
// Swift reads `errno` too late to trust it (a release or an allocation may come between), does not see epoll,
// eventfd, signalfd, accept4 and O_DIRECT, and cannot call variadic functions. No function here retries,
// allocates or decides anything: `Platform/Syscalls.swift` does.
#ifndef CSYS_H
#define CSYS_H

#include <stddef.h>
#include <stdint.h>

// ---- Errors ----

/// "ENOSPC" for its number; a null pointer for a number that has no name. The text lives for ever.
const char *csys_error_name(int code);
/// "No space left on device", always in English. The text lives for ever.
const char *csys_error_text(int code);

// ---- Files ----

#define CSYS_OPEN_READ 0x01
#define CSYS_OPEN_WRITE 0x02
#define CSYS_OPEN_CREATE 0x04
#define CSYS_OPEN_EXCLUSIVE 0x08
#define CSYS_OPEN_DIRECT 0x10
#define CSYS_OPEN_DIRECTORY 0x20
#define CSYS_OPEN_NOFOLLOW 0x40
#define CSYS_OPEN_TRUNCATE 0x80
#define CSYS_OPEN_APPEND 0x100

/// What Swift needs to know of a `struct stat`.
struct csys_status {
  uint64_t device;
  uint64_t inode;
  int64_t byte_count;
  int64_t modified_seconds;
  int64_t modified_nanoseconds;
  uint32_t mode;
  uint32_t owner;
};

/// open(2), close-on-exec. `flags` are CSYS_OPEN_*.
int csys_open(const char *path, int flags, unsigned mode);
int csys_close(int descriptor);
int64_t csys_read(int descriptor, void *bytes, size_t count);
int64_t csys_write(int descriptor, const void *bytes, size_t count);
int64_t csys_pread(int descriptor, void *bytes, size_t count, int64_t offset);
int64_t csys_pwrite(int descriptor, const void *bytes, size_t count, int64_t offset);
int csys_fdatasync(int descriptor);
int csys_fsync(int descriptor);
int csys_ftruncate(int descriptor, int64_t byte_count);
int csys_fallocate(int descriptor, int64_t offset, int64_t byte_count);
int csys_fstat(int descriptor, struct csys_status *status);
int csys_fstatfs_free(int descriptor, uint64_t *free_bytes);
/// stat(2), or lstat(2) when `follow` is 0.
int csys_stat(const char *path, int follow, struct csys_status *status);
int csys_mkdir(const char *path, unsigned mode);
int csys_rmdir(const char *path);
int csys_unlink(const char *path);
int csys_rename(const char *from, const char *to);
int csys_chmod(const char *path, unsigned mode);
int csys_fchmod(int descriptor, unsigned mode);
/// flock(2): an exclusive lock or -EWOULDBLOCK.
int csys_flock_exclusive(int descriptor);
/// flock(2): gives the lock back, whoever else has the open file.
int csys_flock_release(int descriptor);
/// Opens a directory for `csys_next_entry`; 0 or minus errno.
int csys_open_directory(const char *path, void **directory);
/// The next name (valid until the next call), a null pointer at the end; `*error` is 0 or minus errno.
const char *csys_next_entry(void *directory, int *error);
void csys_close_directory(void *directory);

// ---- Sockets ----

/// Bytes of a path that a Unix socket address holds, without the closing zero: 107.
size_t csys_socket_path_limit(void);
/// A stream socket, close-on-exec.
int csys_socket(int nonblocking);
int csys_socketpair(int nonblocking, int *first, int *second);
int csys_bind(int descriptor, const char *path);
int csys_connect(int descriptor, const char *path);
int csys_listen(int descriptor, int backlog);
/// accept4(2): nonblocking and close-on-exec.
int csys_accept(int descriptor);
/// recv(2).
int64_t csys_receive(int descriptor, void *bytes, size_t count);
/// The most descriptors that one read takes in.
#define CSYS_PASSED_LIMIT 4
/// recvmsg(2): also takes in the descriptors that came with the bytes, close-on-exec, into `passed`, which
/// has room for CSYS_PASSED_LIMIT. `*is_cut` is 1 when more were sent than were taken in.
int64_t csys_receive_passed(
    int descriptor, void *bytes, size_t count, int *passed, int *passed_count, int *is_cut);
/// sendmsg(2) with MSG_NOSIGNAL: `passed` goes with the first byte.
int64_t csys_send_passing(int descriptor, const void *bytes, size_t count, int passed);
#define CSYS_SINK_FILE 0
#define CSYS_SINK_PIPE 1
#define CSYS_SINK_SOCKET 2
#define CSYS_SINK_OTHER 3
/// What a descriptor writes to, CSYS_SINK_*; -EBADF when it is not open for writing.
int csys_sink_kind(int descriptor);
/// send(2) with MSG_NOSIGNAL and MSG_DONTWAIT.
int64_t csys_send_now(int descriptor, const void *bytes, size_t count);
/// Writes to a pipe what it takes without waiting, whether or not it is nonblocking; -EAGAIN when it is full.
int64_t csys_write_now(int descriptor, const void *bytes, size_t count);
/// pipe2(2), close-on-exec.
int csys_pipe(int *reading, int *writing);
/// send(2) with MSG_NOSIGNAL.
int64_t csys_send(int descriptor, const void *bytes, size_t count);
/// shutdown(2) of reading, writing or both.
int csys_shutdown(int descriptor, int reading, int writing);
int csys_peer_credentials(int descriptor, int32_t *pid, uint32_t *uid, uint32_t *gid);
int csys_set_nonblocking(int descriptor, int nonblocking);
/// SO_SNDTIMEO or SO_RCVTIMEO in microseconds; 0 waits for ever.
int csys_set_timeout(int descriptor, int sending, int64_t microseconds);
int csys_set_buffer(int descriptor, int sending, int byte_count);
/// poll(2) on one descriptor; 1 when ready, 0 when the time is over. -1 ms waits for ever.
int csys_poll(int descriptor, int writing, int milliseconds);

// ---- Events ----

#define CSYS_EVENT_READ 0x01u
#define CSYS_EVENT_WRITE 0x02u
#define CSYS_EVENT_READ_HANGUP 0x04u
#define CSYS_EVENT_HANGUP 0x08u
#define CSYS_EVENT_ERROR 0x10u
/// The most events that one call of `csys_epoll_wait` answers.
#define CSYS_EVENT_LIMIT 256

struct csys_event {
  uint64_t token;
  uint32_t flags;
  uint32_t reserved;
};

int csys_epoll_create(void);
int csys_epoll_add(int epoll, int descriptor, uint32_t flags, uint64_t token);
int csys_epoll_modify(int epoll, int descriptor, uint32_t flags, uint64_t token);
int csys_epoll_remove(int epoll, int descriptor);
/// Number of events written to `events`. -1 ms waits for ever.
int csys_epoll_wait(int epoll, struct csys_event *events, int capacity, int milliseconds);
int csys_eventfd(void);
/// Blocks the signals for this thread and its later children; answers a nonblocking signalfd for them.
int csys_signalfd(const int *signals, int count);
/// Number of the next signal, 0 when there is none.
int csys_next_signal(int descriptor);
int csys_ignore_signal(int signal);

// ---- The process ----

int64_t csys_wall_microseconds(void);
uint64_t csys_monotonic_nanoseconds(void);

// Tells the processor that this is a loop that waits.
static inline void csys_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Processor time that the calling thread has used, in nanoseconds.
uint64_t csys_thread_nanoseconds(void);
/// getrandom(2).
int64_t csys_random(void *bytes, size_t count);
/// Processors that this process may run on.
int csys_processor_count(void);
/// Names the calling thread; the kernel keeps 15 bytes.
void csys_name_thread(const char *name);
/// Ties the calling thread to one processor.
int csys_pin_thread(int processor);
/// Raises RLIMIT_NOFILE to its hard limit; `*limit` is what holds afterwards.
int csys_raise_descriptor_limit(uint64_t *limit);
/// Starts a joinable thread; 0 or minus errno.
int csys_create_thread(size_t stack_bytes, void *(*run)(void *), void *argument, uint64_t *thread);
int csys_join_thread(uint64_t thread);
void csys_detach_thread(uint64_t thread);
void csys_yield(void);
/// A pthread mutex with a condition that waits by CLOCK_MONOTONIC; null when there is no memory.
struct csys_gate;
struct csys_gate *csys_gate_create(void);
void csys_gate_destroy(struct csys_gate *gate);
void csys_gate_lock(struct csys_gate *gate);
void csys_gate_unlock(struct csys_gate *gate);
/// Waits, with the lock held before and after, for a wake-up; for ever or until a monotonic time.
void csys_gate_wait(struct csys_gate *gate);
/// 1 when the time is over, else 0.
int csys_gate_wait_until(struct csys_gate *gate, uint64_t nanoseconds);
void csys_gate_wake_one(struct csys_gate *gate);
void csys_gate_wake_all(struct csys_gate *gate);
/// Anonymous memory whose address is a multiple of `alignment` (a power of two); null on failure.
void *csys_map_pages(size_t byte_count, size_t alignment, int *error);
int csys_unmap_pages(void *address, size_t byte_count);
int csys_advise_huge(void *address, size_t byte_count);
/// Makes the kernel provide every page now, without changing what they hold.
int csys_populate(void *address, size_t byte_count);
int csys_is_terminal(int descriptor);
int csys_window_size(int descriptor, int *columns, int *rows);
/// Starts a program found by PATH with a pipe as its standard input; answers its pid.
int csys_spawn(const char *const *arguments, int *standard_input);
/// Waits for a child: its exit code, or 128 plus the number of the signal that ended it.
int csys_wait(int pid);

#endif
