// Loops over columns and bitmaps, compiled for the baseline, AVX2 and AVX-512 and chosen at run time.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/// Chooses the instruction set for all calls from now on: 1 the baseline, 2 AVX2, 3 AVX-512; what the machine
/// lacks, and 0, mean the best it has. Returns what was chosen. For tests and measurements.
int ckernels_use(int level);

/// How the bits that a loop makes meet those that are there.
enum ckernels_change {
  /// They replace them.
  ckernels_put,
  /// They are added to them.
  ckernels_add,
  /// Of those that are there, those stay that are made too.
  ckernels_keep,
  /// Of those that are there, those stay that are not made.
  ckernels_drop,
};

// The tests below look at `rows` values and make one bit of each, row 0 in the lowest bit of the first byte.
// Bits past the last row of the last byte become 0. Those named `count` only count the rows that pass.

/// Values from `low` to `high`.
void ckernels_range_u8(const uint8_t *values, size_t rows, uint8_t low, uint8_t high, uint8_t *bits,
                       enum ckernels_change change);
void ckernels_range_u16(const uint16_t *values, size_t rows, uint16_t low, uint16_t high, uint8_t *bits,
                        enum ckernels_change change);
void ckernels_range_u32(const uint32_t *values, size_t rows, uint32_t low, uint32_t high, uint8_t *bits,
                        enum ckernels_change change);
void ckernels_range_i64(const int64_t *values, size_t rows, int64_t low, int64_t high, uint8_t *bits,
                        enum ckernels_change change);
size_t ckernels_count_range_u8(const uint8_t *values, size_t rows, uint8_t low, uint8_t high);
size_t ckernels_count_range_u16(const uint16_t *values, size_t rows, uint16_t low, uint16_t high);
size_t ckernels_count_range_u32(const uint32_t *values, size_t rows, uint32_t low, uint32_t high);
size_t ckernels_count_range_i64(const int64_t *values, size_t rows, int64_t low, int64_t high);

/// Values that are one of `count` codes, one to four.
void ckernels_few_u16(const uint16_t *values, size_t rows, const uint16_t *codes, size_t count,
                      uint8_t *bits, enum ckernels_change change);
void ckernels_few_u32(const uint32_t *values, size_t rows, const uint32_t *codes, size_t count,
                      uint8_t *bits, enum ckernels_change change);
size_t ckernels_count_few_u16(const uint16_t *values, size_t rows, const uint16_t *codes, size_t count);
size_t ckernels_count_few_u32(const uint32_t *values, size_t rows, const uint32_t *codes, size_t count);

/// Values v for which bit (v / 16 % 8) of table[v / 128 * 16 + v % 16] is set; the table has 32 bytes. When
/// they are one to four, they stand in `codes` too; else `count` is 0.
void ckernels_members_u8(const uint8_t *values, size_t rows, const uint8_t *codes, size_t count,
                         const uint8_t *table, uint8_t *bits, enum ckernels_change change);
size_t ckernels_count_members_u8(const uint8_t *values, size_t rows, const uint8_t *codes, size_t count,
                                 const uint8_t *table);

/// Values from `low` to `high` whose bit is set in `set`, which has words for them all.
void ckernels_set_u16(const uint16_t *values, size_t rows, const uint64_t *set, uint16_t low, uint16_t high,
                      uint8_t *bits, enum ckernels_change change);
void ckernels_set_u32(const uint32_t *values, size_t rows, const uint64_t *set, uint32_t low, uint32_t high,
                      uint8_t *bits, enum ckernels_change change);
size_t ckernels_count_set_u16(const uint16_t *values, size_t rows, const uint64_t *set, uint16_t low,
                              uint16_t high);
size_t ckernels_count_set_u32(const uint32_t *values, size_t rows, const uint64_t *set, uint32_t low,
                              uint32_t high);

/// Rows found by their sketches.
struct ckernels_edges {
  /// Rows whose sketch alone says that they pass.
  size_t sure;
  /// Rows whose exact value must be looked at.
  size_t edges;
};

/// Sketches from `low` to `high`: those from `sureLow` to `sureHigh` go to `bits` (null when only their
/// number matters), the rest to `edges`. Both are replaced.
struct ckernels_edges ckernels_sketches(const uint16_t *values, size_t rows, uint16_t low, uint16_t high,
                                        uint16_t sureLow, uint16_t sureHigh, uint8_t *bits, uint8_t *edges);

/// A sum of 128 bits, two's complement.
struct ckernels_sum {
  uint64_t low;
  int64_t high;
  /// Rows that were added.
  size_t count;
  /// Selected rows that hold INT64_MIN, the mark of a wider value; they were not added.
  size_t wide;
};

/// The exact sum of the values whose bit is set; of all when `bits` is null. At most 2^32 rows.
struct ckernels_sum ckernels_sum_i64(const int64_t *values, size_t rows, const uint8_t *bits);

struct ckernels_bounds {
  /// INT64_MAX when there is none.
  int64_t least;
  /// INT64_MIN when there is none.
  int64_t greatest;
  /// Rows that were looked at.
  size_t count;
  /// Selected rows that hold INT64_MIN, the mark of a wider value; they were left out.
  size_t wide;
};

/// The least and the greatest of the values whose bit is set; of all when `bits` is null.
struct ckernels_bounds ckernels_bounds_i64(const int64_t *values, size_t rows, const uint8_t *bits);

/// What a group's rows add up to.
struct ckernels_group_sum {
  /// The sum of the low 32 bits of the values, plus 2^48 for each row.
  uint64_t low;
  /// The sum of the values divided by 2^32, rounded down, plus 2^31 for each row.
  uint64_t high;
};

/// The least and the greatest value of a group's rows.
struct ckernels_group_bounds {
  int64_t least;
  int64_t greatest;
};

// The loops below add each row whose bit is set to its group. `rows` is a multiple of 64; the group of row i
// is numbers[i / 8 * step + i % 8], less than `groups`. There are four arrays of `groups`, one after the
// other, and a row goes to any of them: what a group has is what it has in all four. No group may be given
// more than 65,535 rows before its sums are taken and set to zero. Selected rows that hold INT64_MIN, the
// mark of a wider value, are left out: `wide` is given their bits, and their number is returned.
//
// Where `next` is not null, the call after this one is given as many values from there, and the bits that
// follow these ones: they are asked for while this one works.

size_t ckernels_group_sums_u8(const int64_t *values, size_t rows, const uint8_t *numbers, size_t step,
                              const uint8_t *bits, const int64_t *next, uint64_t *wide,
                              struct ckernels_group_sum *sums, size_t groups);
size_t ckernels_group_sums_u16(const int64_t *values, size_t rows, const uint16_t *numbers, size_t step,
                               const uint8_t *bits, const int64_t *next, uint64_t *wide,
                               struct ckernels_group_sum *sums, size_t groups);
size_t ckernels_group_bounds_u8(const int64_t *values, size_t rows, const uint8_t *numbers, size_t step,
                                const uint8_t *bits, const int64_t *next, uint64_t *wide,
                                struct ckernels_group_bounds *bounds, size_t groups);
size_t ckernels_group_bounds_u16(const int64_t *values, size_t rows, const uint16_t *numbers, size_t step,
                                 const uint8_t *bits, const int64_t *next, uint64_t *wide,
                                 struct ckernels_group_bounds *bounds, size_t groups);

/// The sum of all values, modulo 2^64: as little work for each byte as there can be, to measure how fast
/// memory is read.
uint64_t ckernels_total(const uint64_t *values, size_t count);

/// Number of set bits in `words` 64-bit words.
size_t ckernels_popcount(const uint64_t *bits, size_t words);

/// Combines two bitmaps in the first. Returns whether any bit is set after it.
int ckernels_merge(uint64_t *bits, const uint64_t *other, size_t words, enum ckernels_change change);

/// Turns a square of 64 by 64 bytes: byte 64 i + j goes to 64 j + i. The two do not overlap.
void ckernels_transpose(const uint8_t *from, uint8_t *to);

/// The first place of `needle` in `text`, SIZE_MAX if there is none. Reads nothing outside the two.
size_t ckernels_find(const uint8_t *text, size_t bytes, const uint8_t *needle, size_t length);

/// Asks for the cache line at an address, which need not be readable.
static inline void ckernels_prefetch(const void *address) { __builtin_prefetch(address); }

/// Asks for all cache lines of a run of bytes.
static inline void ckernels_prefetch_run(const void *address, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch((const char *)address + i);
}

#endif
