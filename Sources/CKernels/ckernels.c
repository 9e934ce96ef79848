#include "CKernels.h"

#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))

CLONES size_t ckernels_popcount(const uint64_t *bits, size_t words) {
  size_t count = 0;
  for (size_t i = 0; i < words; i++) count += (size_t)__builtin_popcountll(bits[i]);
  return count;
}
