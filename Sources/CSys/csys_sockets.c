// Unix stream sockets.
#define _GNU_SOURCE
#include "CSys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define RESULT(call)                 \
  ({                                 \
    __typeof__(call) result_ = call; \
    result_ < 0 ? -errno : result_;  \
  })

size_t csys_socket_path_limit(void) { return sizeof(((struct sockaddr_un *)0)->sun_path) - 1; }

static int stream_type(int nonblocking) {
  return SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
}

int csys_socket(int nonblocking) { return RESULT(socket(AF_UNIX, stream_type(nonblocking), 0)); }

int csys_socketpair(int nonblocking, int *first, int *second) {
  int pair[2];
  if (socketpair(AF_UNIX, stream_type(nonblocking), 0, pair) < 0) return -errno;
  *first = pair[0];
  *second = pair[1];
  return 0;
}

static int fill(struct sockaddr_un *address, const char *path) {
  size_t count = strlen(path);
  if (count == 0) return -EINVAL;
  if (count > csys_socket_path_limit()) return -ENAMETOOLONG;
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, path, count);
  return 0;
}

int csys_bind(int descriptor, const char *path) {
  struct sockaddr_un address;
  int error = fill(&address, path);
  if (error < 0) return error;
  return RESULT(bind(descriptor, (const struct sockaddr *)&address, sizeof address));
}

int csys_connect(int descriptor, const char *path) {
  struct sockaddr_un address;
  int error = fill(&address, path);
  if (error < 0) return error;
  return RESULT(connect(descriptor, (const struct sockaddr *)&address, sizeof address));
}

int csys_listen(int descriptor, int backlog) { return RESULT(listen(descriptor, backlog)); }

int csys_accept(int descriptor) {
  return RESULT(accept4(descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int64_t csys_receive(int descriptor, void *bytes, size_t count) {
  return RESULT(recv(descriptor, bytes, count, 0));
}

int64_t csys_send(int descriptor, const void *bytes, size_t count) {
  return RESULT(send(descriptor, bytes, count, MSG_NOSIGNAL));
}

int64_t csys_receive_passed(
    int descriptor, void *bytes, size_t count, int *passed, int *passed_count, int *is_cut) {
  union {
    char room[CMSG_SPACE(CSYS_PASSED_LIMIT * sizeof(int))];
    struct cmsghdr alignment;
  } control;
  struct iovec part = {.iov_base = bytes, .iov_len = count};
  struct msghdr message = {
      .msg_iov = &part,
      .msg_iovlen = 1,
      .msg_control = control.room,
      .msg_controllen = sizeof control.room,
  };
  *passed_count = 0;
  *is_cut = 0;
  ssize_t received = recvmsg(descriptor, &message, MSG_CMSG_CLOEXEC);
  if (received < 0) return -errno;
  if (message.msg_controllen == 0 && !(message.msg_flags & MSG_CTRUNC)) return received;
  *is_cut = (message.msg_flags & MSG_CTRUNC) != 0;
  for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head != NULL; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    size_t bytes_here = head->cmsg_len - CMSG_LEN(0);
    for (size_t at = 0; at + sizeof(int) <= bytes_here; at += sizeof(int)) {
      int number;
      memcpy(&number, CMSG_DATA(head) + at, sizeof number);
      if (*passed_count < CSYS_PASSED_LIMIT) {
        passed[(*passed_count)++] = number;
      } else {
        close(number);
        *is_cut = 1;
      }
    }
  }
  return received;
}

int64_t csys_send_passing(int descriptor, const void *bytes, size_t count, int passed) {
  union {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr alignment;
  } control;
  memset(&control, 0, sizeof control);
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
  struct msghdr message = {
      .msg_iov = &part,
      .msg_iovlen = 1,
      .msg_control = control.room,
      .msg_controllen = sizeof control.room,
  };
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(head), &passed, sizeof passed);
  return RESULT(sendmsg(descriptor, &message, MSG_NOSIGNAL));
}

int csys_sink_kind(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0) return -errno;
  if ((flags & O_PATH) || (flags & O_ACCMODE) == O_RDONLY) return -EBADF;
  struct stat status;
  if (fstat(descriptor, &status) < 0) return -errno;
  if (S_ISREG(status.st_mode)) return CSYS_SINK_FILE;
  if (S_ISFIFO(status.st_mode)) return CSYS_SINK_PIPE;
  if (S_ISSOCK(status.st_mode)) return CSYS_SINK_SOCKET;
  return CSYS_SINK_OTHER;
}

int64_t csys_send_now(int descriptor, const void *bytes, size_t count) {
  return RESULT(send(descriptor, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT));
}

int64_t csys_write_now(int descriptor, const void *bytes, size_t count) {
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
  ssize_t written = pwritev2(descriptor, &part, 1, -1, RWF_NOWAIT);
  if (written >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)) {
    return written < 0 ? -errno : written;
  }
  // A pipe that is ready takes PIPE_BUF bytes without waiting, unless somebody else writes into it too.
  struct pollfd wanted = {.fd = descriptor, .events = POLLOUT};
  int ready = poll(&wanted, 1, 0);
  if (ready < 0) return -errno;
  if (ready == 0) return -EAGAIN;
  return RESULT(write(descriptor, bytes, count < PIPE_BUF ? count : PIPE_BUF));
}

int csys_pipe(int *reading, int *writing) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  *reading = ends[0];
  *writing = ends[1];
  return 0;
}

int csys_shutdown(int descriptor, int reading, int writing) {
  return RESULT(shutdown(descriptor, reading ? (writing ? SHUT_RDWR : SHUT_RD) : SHUT_WR));
}

int csys_peer_credentials(int descriptor, int32_t *pid, uint32_t *uid, uint32_t *gid) {
  struct ucred peer;
  socklen_t count = sizeof peer;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &count) < 0) return -errno;
  *pid = peer.pid;
  *uid = peer.uid;
  *gid = peer.gid;
  return 0;
}

int csys_set_nonblocking(int descriptor, int nonblocking) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0) return -errno;
  flags = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  return RESULT(fcntl(descriptor, F_SETFL, flags));
}

int csys_set_timeout(int descriptor, int sending, int64_t microseconds) {
  struct timeval time = {.tv_sec = microseconds / 1000000, .tv_usec = microseconds % 1000000};
  int option = sending ? SO_SNDTIMEO : SO_RCVTIMEO;
  return RESULT(setsockopt(descriptor, SOL_SOCKET, option, &time, sizeof time));
}

int csys_set_buffer(int descriptor, int sending, int byte_count) {
  int option = sending ? SO_SNDBUF : SO_RCVBUF;
  return RESULT(setsockopt(descriptor, SOL_SOCKET, option, &byte_count, sizeof byte_count));
}

int csys_poll(int descriptor, int writing, int milliseconds) {
  struct pollfd wanted = {.fd = descriptor, .events = writing ? POLLOUT : POLLIN};
  return RESULT(poll(&wanted, 1, milliseconds));
}
