// Unix stream sockets.
#define _GNU_SOURCE
#include "CSys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
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
