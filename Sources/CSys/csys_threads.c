// Threads, and a mutex with its condition.
#define _GNU_SOURCE
#include "CSys.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct csys_gate {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
};

int csys_create_thread(size_t stack_bytes, void *(*run)(void *), void *argument, uint64_t *thread) {
  pthread_attr_t attributes;
  pthread_t made;
  int error = pthread_attr_init(&attributes);
  if (error != 0) return -error;
  error = pthread_attr_setstacksize(&attributes, stack_bytes);
  if (error == 0) error = pthread_create(&made, &attributes, run, argument);
  if (error == 0) *thread = (uint64_t)made;
  pthread_attr_destroy(&attributes);
  return -error;
}

int csys_join_thread(uint64_t thread) { return -pthread_join((pthread_t)thread, NULL); }

void csys_detach_thread(uint64_t thread) { pthread_detach((pthread_t)thread); }

void csys_yield(void) { sched_yield(); }

void csys_name_thread(const char *name) {
  char kept[16] = {0};
  strncpy(kept, name, sizeof kept - 1);
  pthread_setname_np(pthread_self(), kept);
}

int csys_pin_thread(int processor) {
  cpu_set_t set;
  if (processor < 0 || processor >= CPU_SETSIZE) return -EINVAL;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return sched_setaffinity(0, sizeof set, &set) < 0 ? -errno : 0;
}

struct csys_gate *csys_gate_create(void) {
  pthread_condattr_t attributes;
  struct csys_gate *gate = malloc(sizeof *gate);
  if (gate == NULL) return NULL;
  pthread_mutex_init(&gate->mutex, NULL);
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&gate->condition, &attributes);
  pthread_condattr_destroy(&attributes);
  return gate;
}

void csys_gate_destroy(struct csys_gate *gate) {
  pthread_cond_destroy(&gate->condition);
  pthread_mutex_destroy(&gate->mutex);
  free(gate);
}

void csys_gate_lock(struct csys_gate *gate) { pthread_mutex_lock(&gate->mutex); }

void csys_gate_unlock(struct csys_gate *gate) { pthread_mutex_unlock(&gate->mutex); }

void csys_gate_wait(struct csys_gate *gate) { pthread_cond_wait(&gate->condition, &gate->mutex); }

int csys_gate_wait_until(struct csys_gate *gate, uint64_t nanoseconds) {
  struct timespec deadline = {
      .tv_sec = (time_t)(nanoseconds / 1000000000u), .tv_nsec = (long)(nanoseconds % 1000000000u)};
  return pthread_cond_timedwait(&gate->condition, &gate->mutex, &deadline) == ETIMEDOUT;
}

void csys_gate_wake_one(struct csys_gate *gate) { pthread_cond_signal(&gate->condition); }

void csys_gate_wake_all(struct csys_gate *gate) { pthread_cond_broadcast(&gate->condition); }
