// Loops over columns, compiled for AVX2 and for the baseline, chosen at run time.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/// Number of set bits in `words` 64-bit words.
size_t ckernels_popcount(const uint64_t *bits, size_t words);

#endif
