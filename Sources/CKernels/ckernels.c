#include "CKernels.h"

#include <string.h>

// A choice between clones runs while the program is loaded, before a sanitizer has started; instrumented as
// it would be, it crashes. So there is one clone under a sanitizer.
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define CLONES
#else
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#endif
#define INLINE static inline __attribute__((always_inline))

CLONES size_t ckernels_popcount(const uint64_t *bits, size_t words) {
  size_t count = 0;
  for (size_t i = 0; i < words; i++) count += (size_t)__builtin_popcountll(bits[i]);
  return count;
}

// Vectors of eight lanes; a comparison of two becomes one byte of bits, which clang turns into a movemask.
typedef int64_t i64x8 __attribute__((ext_vector_type(8)));
typedef uint32_t u32x8 __attribute__((ext_vector_type(8)));
typedef _Bool boolx8 __attribute__((ext_vector_type(8)));

INLINE uint8_t byte_of(boolx8 mask) {
  uint8_t byte;
  memcpy(&byte, &mask, 1);
  return byte;
}

CLONES void ckernels_range_i64(const int64_t *values, size_t rows, int64_t low, int64_t high,
                               uint8_t *bits, size_t stride, uint8_t keep) {
  size_t bytes = rows / 8;
  for (size_t k = 0; k < bytes; k++) {
    i64x8 lanes;
    memcpy(&lanes, values + k * 8, sizeof lanes);
    uint8_t byte = byte_of(__builtin_convertvector((lanes >= low) & (lanes <= high), boolx8));
    bits[k * stride] = (uint8_t)((bits[k * stride] & keep) | byte);
  }
  if (rows % 8 == 0) return;
  uint8_t byte = 0;
  for (size_t i = bytes * 8; i < rows; i++)
    byte |= (uint8_t)((values[i] >= low && values[i] <= high) << (i % 8));
  bits[bytes * stride] = (uint8_t)((bits[bytes * stride] & keep) | byte);
}

CLONES void ckernels_range_u32(const uint32_t *values, size_t rows, uint32_t low, uint32_t high,
                               uint8_t *bits, size_t stride, uint8_t keep) {
  size_t bytes = rows / 8;
  // One comparison instead of two: what lies below `low` wraps round to a large difference.
  uint32_t width = high - low;
  for (size_t k = 0; k < bytes; k++) {
    u32x8 lanes;
    memcpy(&lanes, values + k * 8, sizeof lanes);
    uint8_t byte = byte_of(__builtin_convertvector((lanes - low) <= width, boolx8));
    bits[k * stride] = (uint8_t)((bits[k * stride] & keep) | byte);
  }
  if (rows % 8 == 0) return;
  uint8_t byte = 0;
  for (size_t i = bytes * 8; i < rows; i++) byte |= (uint8_t)((values[i] - low <= width) << (i % 8));
  bits[bytes * stride] = (uint8_t)((bits[bytes * stride] & keep) | byte);
}

INLINE uint8_t bit_of_code(uint32_t code, const uint64_t *set, size_t words) {
  size_t word = code >> 6;
  // Without a branch, because codes come in no order: a code beyond the set reads word 0 and is masked.
  uint64_t inside = word < words;
  return (uint8_t)((set[inside ? word : 0] >> (code & 63)) & inside);
}

CLONES void ckernels_codes_u32(const uint32_t *values, size_t rows, const uint64_t *set, size_t words,
                               uint8_t *bits, size_t stride, uint8_t keep) {
  if (words == 0) {
    static const uint64_t nothing = 0;
    set = &nothing;
  }
  for (size_t start = 0; start < rows; start += 8) {
    size_t end = rows - start < 8 ? rows : start + 8;
    uint8_t byte = 0;
    for (size_t i = start; i < end; i++) byte |= (uint8_t)(bit_of_code(values[i], set, words) << (i - start));
    bits[start / 8 * stride] = (uint8_t)((bits[start / 8 * stride] & keep) | byte);
  }
}

CLONES void ckernels_codes_u8(const uint8_t *values, size_t rows, const uint64_t *set, uint8_t *bits,
                              size_t stride, uint8_t keep) {
  for (size_t start = 0; start < rows; start += 8) {
    size_t end = rows - start < 8 ? rows : start + 8;
    uint8_t byte = 0;
    for (size_t i = start; i < end; i++)
      byte |= (uint8_t)(((set[values[i] >> 6] >> (values[i] & 63)) & 1) << (i - start));
    bits[start / 8 * stride] = (uint8_t)((bits[start / 8 * stride] & keep) | byte);
  }
}
