#include "CKernels.h"

size_t ckernels_find_u32(const uint32_t *values, size_t rows, uint32_t value) {
  size_t row = 0;
  // Sixteen at a time without a branch between them, which the compiler makes vectors of.
  for (; row + 16 <= rows; row += 16) {
    uint32_t found = 0;
    for (size_t i = 0; i < 16; i++) found |= values[row + i] == value;
    if (found) break;
  }
  while (row < rows && values[row] != value) row++;
  return row;
}
