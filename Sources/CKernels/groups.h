// Loops that add rows to groups, written once and included by loops.h for each instruction set.
//
// The number of a row's group lies in row order, eight rows at a time: those of 64 rows are brought together
// first. Each row is added to one of four arrays of groups in turn, so that rows of one group that follow
// each other do not wait for each other's way through memory.

#define GROUP_ARRAYS 4

// A row of the word, the next one, goes to one of the arrays; `body` sees it as `value` and `group`.
#define NEXT_ROW(array, ...)                                                 \
  do {                                                                       \
    int place = __builtin_ctzll(word);                                       \
    word &= word - 1;                                                        \
    int64_t value = at[place];                                               \
    if (__builtin_expect(value == INT64_MIN, 0)) {                           \
      isWide |= 1ull << place;                                               \
    } else {                                                                 \
      size_t group = (array) * groups + near[place];                         \
      __VA_ARGS__                                                            \
    }                                                                        \
  } while (0)

// Asks for those of 64 values that a word has a bit of.
INLINE void NAME(ask)(const int64_t *values, const uint8_t *bits) {
  uint64_t word;
  memcpy(&word, bits, 8);
  if (__builtin_popcountll(word) >= 8) {
    for (size_t line = 0; line < 8; line++) __builtin_prefetch(values + line * 8);
  } else {
    for (; word; word &= word - 1) __builtin_prefetch(values + __builtin_ctzll(word));
  }
}

#define EACH_ROW(type, ...)                                                               \
  size_t wideCount = 0;                                                                   \
  for (size_t start = 0; start < rows; start += 64) {                                     \
    uint64_t word, isWide = 0;                                                            \
    if (next) NAME(ask)(next + start, bits + (rows + start) / 8);                         \
    memcpy(&word, bits + start / 8, 8);                                                   \
    wide[start / 64] = 0;                                                                 \
    if (word == 0) continue;                                                              \
    const int64_t *at = values + start;                                                   \
    _Alignas(64) type near[64];                                                           \
    const type *from = numbers + start / 8 * step;                                        \
    for (size_t eight = 0; eight < 8; eight++, from += step) {                            \
      /* Hides the pattern from the compiler: a gather costs more than eight loads. */    \
      __asm__("" : "+r"(from));                                                           \
      memcpy(near + eight * 8, from, 8 * sizeof(type));                                   \
    }                                                                                     \
    int left = __builtin_popcountll(word);                                                \
    for (; left >= GROUP_ARRAYS; left -= GROUP_ARRAYS) {                                  \
      NEXT_ROW(0, __VA_ARGS__);                                                           \
      NEXT_ROW(1, __VA_ARGS__);                                                           \
      NEXT_ROW(2, __VA_ARGS__);                                                           \
      NEXT_ROW(3, __VA_ARGS__);                                                           \
    }                                                                                     \
    for (; left > 0; left--) NEXT_ROW(left, __VA_ARGS__);                                 \
    wide[start / 64] = isWide;                                                            \
    wideCount += (size_t)__builtin_popcountll(isWide);                                    \
  }                                                                                       \
  return wideCount;

// Two lanes of 64 bits: the value's low half with a one above it that counts the row, and its high half,
// which is made positive.
#define GROUP_LOOPS(width, type)                                                                      \
  static size_t NAME(group_sums_##width)(const int64_t *values, size_t rows, const type *numbers,     \
                                         size_t step, const uint8_t *bits, const int64_t *next,       \
                                         uint64_t *wide, struct ckernels_group_sum *sums,             \
                                         size_t groups) {                                             \
    const u64x2 kept = {0xffffffff, 0xffffffff}, flipped = {1ull << 48, 1ull << 31}, shift = {0, 32}; \
    EACH_ROW(type, {                                                                                  \
      u64x2 both = (uint64_t)value;                                                                   \
      u64x2 sum = LOAD(u64x2, &sums[group]) + (((both >> shift) & kept) ^ flipped);                   \
      memcpy(&sums[group], &sum, sizeof sum);                                                         \
    })                                                                                                \
  }                                                                                                   \
  static size_t NAME(group_bounds_##width)(const int64_t *values, size_t rows, const type *numbers,   \
                                           size_t step, const uint8_t *bits, const int64_t *next,     \
                                           uint64_t *wide, struct ckernels_group_bounds *bounds,      \
                                           size_t groups) {                                           \
    EACH_ROW(type, {                                                                                  \
      struct ckernels_group_bounds *found = &bounds[group];                                           \
      /* Rare after the first rows of a group: a branch that is guessed right, and nothing stored. */ \
      if (__builtin_expect(value < found->least, 0)) found->least = value;                            \
      if (__builtin_expect(value > found->greatest, 0)) found->greatest = value;                      \
    })                                                                                                \
  }
GROUP_LOOPS(u8, uint8_t)
GROUP_LOOPS(u16, uint16_t)

#undef GROUP_ARRAYS
#undef NEXT_ROW
#undef EACH_ROW
#undef GROUP_LOOPS
