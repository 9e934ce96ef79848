// What glibc offers and Swift's Glibc module does not see: epoll, eventfd, accept4, flags as values.
#ifndef CSYS_H
#define CSYS_H

#include <stdint.h>

/// O_DIRECT, which needs _GNU_SOURCE.
int csys_o_direct(void);

#endif
