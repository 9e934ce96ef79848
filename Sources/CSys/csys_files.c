// Files and directories.
#define _GNU_SOURCE
#include "CSys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RESULT(call)                 \
  ({                                 \
    __typeof__(call) result_ = call; \
    result_ < 0 ? -errno : result_;  \
  })

const char *csys_error_name(int code) { return strerrorname_np(code); }

const char *csys_error_text(int code) {
  const char *text = strerrordesc_np(code);
  return text != NULL ? text : "unknown error";
}

int csys_open(const char *path, int flags, unsigned mode) {
  int wanted = O_CLOEXEC;
  int both = CSYS_OPEN_READ | CSYS_OPEN_WRITE;
  if ((flags & both) == both) wanted |= O_RDWR;
  else if (flags & CSYS_OPEN_WRITE) wanted |= O_WRONLY;
  else wanted |= O_RDONLY;
  if (flags & CSYS_OPEN_CREATE) wanted |= O_CREAT;
  if (flags & CSYS_OPEN_EXCLUSIVE) wanted |= O_EXCL;
  if (flags & CSYS_OPEN_DIRECT) wanted |= O_DIRECT;
  if (flags & CSYS_OPEN_DIRECTORY) wanted |= O_DIRECTORY;
  if (flags & CSYS_OPEN_NOFOLLOW) wanted |= O_NOFOLLOW;
  if (flags & CSYS_OPEN_TRUNCATE) wanted |= O_TRUNC;
  if (flags & CSYS_OPEN_APPEND) wanted |= O_APPEND;
  return RESULT(open(path, wanted, (mode_t)mode));
}

int csys_close(int descriptor) { return RESULT(close(descriptor)); }

int64_t csys_read(int descriptor, void *bytes, size_t count) {
  return RESULT(read(descriptor, bytes, count));
}

int64_t csys_write(int descriptor, const void *bytes, size_t count) {
  return RESULT(write(descriptor, bytes, count));
}

int64_t csys_pread(int descriptor, void *bytes, size_t count, int64_t offset) {
  return RESULT(pread(descriptor, bytes, count, offset));
}

int64_t csys_pwrite(int descriptor, const void *bytes, size_t count, int64_t offset) {
  return RESULT(pwrite(descriptor, bytes, count, offset));
}

int csys_fdatasync(int descriptor) { return RESULT(fdatasync(descriptor)); }

int csys_fsync(int descriptor) { return RESULT(fsync(descriptor)); }

int csys_ftruncate(int descriptor, int64_t byte_count) {
  return RESULT(ftruncate(descriptor, byte_count));
}

int csys_fallocate(int descriptor, int64_t offset, int64_t byte_count) {
  return RESULT(fallocate(descriptor, 0, offset, byte_count));
}

static void fill(struct csys_status *status, const struct stat *found) {
  status->device = found->st_dev;
  status->inode = found->st_ino;
  status->byte_count = found->st_size;
  status->modified_seconds = found->st_mtim.tv_sec;
  status->modified_nanoseconds = found->st_mtim.tv_nsec;
  status->mode = found->st_mode;
  status->owner = found->st_uid;
}

int csys_fstat(int descriptor, struct csys_status *status) {
  struct stat found;
  if (fstat(descriptor, &found) < 0) return -errno;
  fill(status, &found);
  return 0;
}

int csys_fstatfs_free(int descriptor, uint64_t *free_bytes) {
  struct statvfs found;
  if (fstatvfs(descriptor, &found) < 0) return -errno;
  *free_bytes = (uint64_t)found.f_bavail * (uint64_t)found.f_frsize;
  return 0;
}

int csys_stat(const char *path, int follow, struct csys_status *status) {
  struct stat found;
  if ((follow ? stat(path, &found) : lstat(path, &found)) < 0) return -errno;
  fill(status, &found);
  return 0;
}

int csys_mkdir(const char *path, unsigned mode) { return RESULT(mkdir(path, (mode_t)mode)); }

int csys_rmdir(const char *path) { return RESULT(rmdir(path)); }

int csys_unlink(const char *path) { return RESULT(unlink(path)); }

int csys_rename(const char *from, const char *to) { return RESULT(rename(from, to)); }

int csys_chmod(const char *path, unsigned mode) { return RESULT(chmod(path, (mode_t)mode)); }

int csys_fchmod(int descriptor, unsigned mode) { return RESULT(fchmod(descriptor, (mode_t)mode)); }

int csys_flock_exclusive(int descriptor) { return RESULT(flock(descriptor, LOCK_EX | LOCK_NB)); }

int csys_flock_release(int descriptor) { return RESULT(flock(descriptor, LOCK_UN)); }

int csys_open_directory(const char *path, void **directory) {
  DIR *opened = opendir(path);
  if (opened == NULL) return -errno;
  *directory = opened;
  return 0;
}

const char *csys_next_entry(void *directory, int *error) {
  errno = 0;
  struct dirent *entry = readdir((DIR *)directory);
  *error = entry == NULL ? -errno : 0;
  return entry == NULL ? NULL : entry->d_name;
}

void csys_close_directory(void *directory) { closedir((DIR *)directory); }
