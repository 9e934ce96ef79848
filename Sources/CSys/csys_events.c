// epoll, eventfd and signals.
#define _GNU_SOURCE
#include "CSys.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define RESULT(call)                 \
  ({                                 \
    __typeof__(call) result_ = call; \
    result_ < 0 ? -errno : result_;  \
  })

int csys_epoll_create(void) { return RESULT(epoll_create1(EPOLL_CLOEXEC)); }

static int control(int epoll, int operation, int descriptor, uint32_t flags, uint64_t token) {
  struct epoll_event event = {.events = 0, .data = {.u64 = token}};
  if (flags & CSYS_EVENT_READ) event.events |= EPOLLIN;
  if (flags & CSYS_EVENT_WRITE) event.events |= EPOLLOUT;
  if (flags & CSYS_EVENT_READ_HANGUP) event.events |= EPOLLRDHUP;
  return RESULT(epoll_ctl(epoll, operation, descriptor, &event));
}

int csys_epoll_add(int epoll, int descriptor, uint32_t flags, uint64_t token) {
  return control(epoll, EPOLL_CTL_ADD, descriptor, flags, token);
}

int csys_epoll_modify(int epoll, int descriptor, uint32_t flags, uint64_t token) {
  return control(epoll, EPOLL_CTL_MOD, descriptor, flags, token);
}

int csys_epoll_remove(int epoll, int descriptor) {
  return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0);
}

int csys_epoll_wait(int epoll, struct csys_event *events, int capacity, int milliseconds) {
  struct epoll_event found[CSYS_EVENT_LIMIT];
  if (capacity > CSYS_EVENT_LIMIT) capacity = CSYS_EVENT_LIMIT;
  int count = epoll_wait(epoll, found, capacity, milliseconds);
  if (count < 0) return -errno;
  for (int i = 0; i < count; i++) {
    uint32_t flags = 0;
    if (found[i].events & EPOLLIN) flags |= CSYS_EVENT_READ;
    if (found[i].events & EPOLLOUT) flags |= CSYS_EVENT_WRITE;
    if (found[i].events & EPOLLRDHUP) flags |= CSYS_EVENT_READ_HANGUP;
    if (found[i].events & EPOLLHUP) flags |= CSYS_EVENT_HANGUP;
    if (found[i].events & EPOLLERR) flags |= CSYS_EVENT_ERROR;
    events[i] = (struct csys_event){.token = found[i].data.u64, .flags = flags};
  }
  return count;
}

int csys_eventfd(void) { return RESULT(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int csys_signalfd(const int *signals, int count) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
  int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (error != 0) return -error;
  return RESULT(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int csys_next_signal(int descriptor) {
  struct signalfd_siginfo received;
  ssize_t count = read(descriptor, &received, sizeof received);
  if (count < 0) return errno == EAGAIN ? 0 : -errno;
  return count == sizeof received ? (int)received.ssi_signo : -EIO;
}

int csys_ignore_signal(int signal_number) {
  struct sigaction action = {.sa_handler = SIG_IGN};
  return RESULT(sigaction(signal_number, &action, NULL));
}
