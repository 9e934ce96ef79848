// Loops over columns, compiled for AVX2 and for the baseline, chosen at run time.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/// Number of set bits in `words` 64-bit words.
size_t ckernels_popcount(const uint64_t *bits, size_t words);

// The tests below look at `rows` values and make one bit of each, row 0 in the lowest bit of the first byte.
// Byte k goes to bits[k * stride], where the bits that `keep` has stay and the new ones are added: keep 0
// replaces, 255 adds. Bits past the last row of the last byte are 0.

/// Values from `low` to `high`.
void ckernels_range_i64(const int64_t *values, size_t rows, int64_t low, int64_t high, uint8_t *bits,
                        size_t stride, uint8_t keep);

/// Values from `low` to `high`.
void ckernels_range_u32(const uint32_t *values, size_t rows, uint32_t low, uint32_t high, uint8_t *bits,
                        size_t stride, uint8_t keep);

/// Values whose bit is set in `set`, which has `words` words; values beyond it are not in the set.
void ckernels_codes_u32(const uint32_t *values, size_t rows, const uint64_t *set, size_t words, uint8_t *bits,
                        size_t stride, uint8_t keep);

/// Values whose bit is set in the 256 bits of `set`.
void ckernels_codes_u8(const uint8_t *values, size_t rows, const uint64_t *set, uint8_t *bits, size_t stride,
                       uint8_t keep);

/// Asks for the cache line at an address, which need not be readable.
static inline void ckernels_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
