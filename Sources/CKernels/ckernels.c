// Compiles the loops for three instruction sets and chooses one at run time.
//
// The choice is a table of functions behind one word, not a clone chosen by the loader: the loader's choice
// runs before a sanitizer has started and crashes under one, and a test could not ask for the others.

#include "CKernels.h"

#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef uint8_t u8x64 __attribute__((ext_vector_type(64)));
typedef uint16_t u16x32 __attribute__((ext_vector_type(32)));
typedef uint32_t u32x16 __attribute__((ext_vector_type(16)));
typedef uint64_t u64x2 __attribute__((ext_vector_type(2)));
typedef int64_t i64x8 __attribute__((ext_vector_type(8)));
typedef uint64_t u64x8 __attribute__((ext_vector_type(8)));
typedef _Bool boolx64 __attribute__((ext_vector_type(64)));
typedef _Bool boolx32 __attribute__((ext_vector_type(32)));
typedef _Bool boolx16 __attribute__((ext_vector_type(16)));
typedef _Bool boolx8 __attribute__((ext_vector_type(8)));

#define LOAD(type, address)              \
  ({                                     \
    type loaded;                         \
    memcpy(&loaded, address, sizeof loaded); \
    loaded;                              \
  })

// after = ((new ^ flip) & (before | open)) | (before & held)
struct change {
  uint64_t flip, open, held;
};

static const struct change changes[] = {
    [ckernels_put] = {0, ~0ull, 0},
    [ckernels_add] = {0, ~0ull, ~0ull},
    [ckernels_keep] = {0, 0, 0},
    [ckernels_drop] = {~0ull, 0, 0},
};

struct kernels {
#define PAIR(name, type, ...)                                                              \
  void (*select_##name)(const type *, size_t, __VA_ARGS__, uint8_t *, struct change); \
  size_t (*count_##name)(const type *, size_t, __VA_ARGS__);
  PAIR(range_u8, uint8_t, uint8_t, uint8_t)
  PAIR(range_u16, uint16_t, uint16_t, uint16_t)
  PAIR(range_u32, uint32_t, uint32_t, uint32_t)
  PAIR(range_i64, int64_t, int64_t, int64_t)
  PAIR(equal_u8, uint8_t, uint8_t)
  PAIR(equal_u16, uint16_t, uint16_t)
  PAIR(equal_u32, uint32_t, uint32_t)
  PAIR(few_u8, uint8_t, uint8_t, uint8_t, uint8_t, uint8_t)
  PAIR(few_u16, uint16_t, uint16_t, uint16_t, uint16_t, uint16_t)
  PAIR(few_u32, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t)
  PAIR(table_u8, uint8_t, const uint8_t *)
  PAIR(set_u16, uint16_t, const uint64_t *, uint16_t, uint16_t)
  PAIR(set_u32, uint32_t, const uint64_t *, uint32_t, uint32_t)
#undef PAIR
  struct ckernels_edges (*select_sketches)(const uint16_t *, size_t, uint16_t, uint16_t, uint16_t, uint16_t,
                                           uint8_t *, uint8_t *);
  struct ckernels_sum (*sum_i64)(const int64_t *, size_t, const uint8_t *);
  struct ckernels_bounds (*bounds_i64)(const int64_t *, size_t, const uint8_t *);
  uint64_t (*total)(const uint64_t *, size_t);
  size_t (*popcount)(const uint64_t *, size_t);
  uint64_t (*merge)(uint64_t *, const uint64_t *, size_t, struct change);
  void (*transpose)(const uint8_t *, uint8_t *);
  size_t (*find)(const uint8_t *, size_t, const uint8_t *, size_t);
#define GROUPS(name, result)                                                                              \
  size_t (*group_##name##_u8)(const int64_t *, size_t, const uint8_t *, size_t, const uint8_t *,          \
                              const int64_t *, uint64_t *, struct result *, size_t);                      \
  size_t (*group_##name##_u16)(const int64_t *, size_t, const uint16_t *, size_t, const uint8_t *,        \
                               const int64_t *, uint64_t *, struct result *, size_t);
  GROUPS(sums, ckernels_group_sum)
  GROUPS(bounds, ckernels_group_bounds)
#undef GROUPS
};

#define LEVEL 1
#define NAME(name) name##_baseline
#include "loops.h"
#undef NAME
#undef LEVEL

#define LEVEL 2
#define NAME(name) name##_avx2
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#include "loops.h"
#pragma clang attribute pop
#undef NAME
#undef LEVEL

#define LEVEL 3
#define NAME(name) name##_avx512
#pragma clang attribute push(                                                                              \
    __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512cd"),       \
                   min_vector_width(512))),                                                                \
    apply_to = function)
#include "loops.h"
#pragma clang attribute pop
#undef NAME
#undef LEVEL

static int best_level(void) {
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
    return 3;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") ? 2 : 1;
}

// Null until the first call: whoever comes first looks, and all that look find the same.
static const struct kernels *chosen_kernels;

int ckernels_use(int level) {
  const struct kernels *const all[] = {&kernels_baseline, &kernels_avx2, &kernels_avx512};
  int best = best_level();
  if (level < 1 || level > best) level = best;
  __atomic_store_n(&chosen_kernels, all[level - 1], __ATOMIC_RELAXED);
  return level;
}

static const struct kernels *choose(void) {
  ckernels_use(0);
  return __atomic_load_n(&chosen_kernels, __ATOMIC_RELAXED);
}

INLINE const struct kernels *chosen(void) {
  const struct kernels *kernels = __atomic_load_n(&chosen_kernels, __ATOMIC_RELAXED);
  return __builtin_expect(kernels != 0, 1) ? kernels : choose();
}

// MARK: What others call

#define RANGE(width, type, kind) \
  void ckernels_range_u##width(const type *values, size_t rows, type low, type high, uint8_t *bits,        \
                               enum ckernels_change change) {                                              \
    if (low == high) return chosen()->select_equal_u##width(values, rows, low, bits, changes[change]);     \
    chosen()->select_range_u##width(values, rows, low, (type)(high - low), bits, changes[change]);         \
  }                                                                                                        \
  size_t ckernels_count_range_u##width(const type *values, size_t rows, type low, type high) {             \
    if (low == high) return chosen()->count_equal_u##width(values, rows, low);                             \
    return chosen()->count_range_u##width(values, rows, low, (type)(high - low));                          \
  }                                                                                                        \
  kind void ckernels_few_u##width(const type *values, size_t rows, const type *codes, size_t count, \
                             uint8_t *bits, enum ckernels_change change) {                                 \
    if (count == 1) return chosen()->select_equal_u##width(values, rows, *codes, bits, changes[change]);   \
    chosen()->select_few_u##width(values, rows, codes[0], codes[1], codes[count > 2 ? 2 : 1],              \
                                  codes[count - 1], bits, changes[change]);                                \
  }                                                                                                        \
  kind size_t ckernels_count_few_u##width(const type *values, size_t rows, const type *codes, \
                                       size_t count) { \
    if (count == 1) return chosen()->count_equal_u##width(values, rows, *codes);                           \
    return chosen()->count_few_u##width(values, rows, codes[0], codes[1], codes[count > 2 ? 2 : 1],        \
                                        codes[count - 1]);                                                 \
  }
RANGE(8, uint8_t, static)
RANGE(16, uint16_t, )
RANGE(32, uint32_t, )

void ckernels_range_i64(const int64_t *values, size_t rows, int64_t low, int64_t high, uint8_t *bits,
                        enum ckernels_change change) {
  chosen()->select_range_i64(values, rows, low, high, bits, changes[change]);
}

size_t ckernels_count_range_i64(const int64_t *values, size_t rows, int64_t low, int64_t high) {
  return chosen()->count_range_i64(values, rows, low, high);
}

// A table is as fast for any set, but four comparisons beat it where vectors are short or cannot look up.
static int isCompared(const struct kernels *kernels, size_t count) {
  return count > 0 && count <= 4 && kernels != &kernels_avx512;
}

void ckernels_members_u8(const uint8_t *values, size_t rows, const uint8_t *codes, size_t count,
                         const uint8_t *table, uint8_t *bits, enum ckernels_change change) {
  if (count == 1 || isCompared(chosen(), count)) {
    ckernels_few_u8(values, rows, codes, count, bits, change);
  } else {
    chosen()->select_table_u8(values, rows, table, bits, changes[change]);
  }
}

size_t ckernels_count_members_u8(const uint8_t *values, size_t rows, const uint8_t *codes, size_t count,
                                 const uint8_t *table) {
  if (count == 1 || isCompared(chosen(), count)) return ckernels_count_few_u8(values, rows, codes, count);
  return chosen()->count_table_u8(values, rows, table);
}

#define SET(width, type)                                                                                \
  void ckernels_set_u##width(const type *values, size_t rows, const uint64_t *set, type low, type high, \
                             uint8_t *bits, enum ckernels_change change) {                              \
    chosen()->select_set_u##width(values, rows, set, low, (type)(high - low), bits, changes[change]);   \
  }                                                                                                     \
  size_t ckernels_count_set_u##width(const type *values, size_t rows, const uint64_t *set, type low,    \
                                     type high) {                                                       \
    return chosen()->count_set_u##width(values, rows, set, low, (type)(high - low));                    \
  }
SET(16, uint16_t)
SET(32, uint32_t)

struct ckernels_edges ckernels_sketches(const uint16_t *values, size_t rows, uint16_t low, uint16_t high,
                                        uint16_t sureLow, uint16_t sureHigh, uint8_t *bits,
                                        uint8_t *edges) {
  return chosen()->select_sketches(values, rows, low, (uint16_t)(high - low), sureLow,
                                   (uint16_t)(sureHigh - sureLow), bits, edges);
}

struct ckernels_sum ckernels_sum_i64(const int64_t *values, size_t rows, const uint8_t *bits) {
  return chosen()->sum_i64(values, rows, bits);
}

struct ckernels_bounds ckernels_bounds_i64(const int64_t *values, size_t rows, const uint8_t *bits) {
  return chosen()->bounds_i64(values, rows, bits);
}

uint64_t ckernels_total(const uint64_t *values, size_t count) { return chosen()->total(values, count); }

size_t ckernels_popcount(const uint64_t *bits, size_t words) { return chosen()->popcount(bits, words); }

int ckernels_merge(uint64_t *bits, const uint64_t *other, size_t words, enum ckernels_change change) {
  return chosen()->merge(bits, other, words, changes[change]) != 0;
}

void ckernels_transpose(const uint8_t *from, uint8_t *to) { chosen()->transpose(from, to); }

size_t ckernels_find(const uint8_t *text, size_t bytes, const uint8_t *needle, size_t length) {
  return chosen()->find(text, bytes, needle, length);
}

#define GROUP_LOOPS(width, type)                                                                           \
  size_t ckernels_group_sums_##width(const int64_t *values, size_t rows, const type *numbers, size_t step, \
                                     const uint8_t *bits, const int64_t *next, uint64_t *wide,             \
                                     struct ckernels_group_sum *sums, size_t groups) {                     \
    return chosen()->group_sums_##width(values, rows, numbers, step, bits, next, wide, sums, groups);      \
  }                                                                                                        \
  size_t ckernels_group_bounds_##width(const int64_t *values, size_t rows, const type *numbers,            \
                                       size_t step, const uint8_t *bits, const int64_t *next,              \
                                       uint64_t *wide, struct ckernels_group_bounds *bounds,               \
                                       size_t groups) {                                                    \
    return chosen()->group_bounds_##width(values, rows, numbers, step, bits, next, wide, bounds, groups);  \
  }
GROUP_LOOPS(u8, uint8_t)
GROUP_LOOPS(u16, uint16_t)
