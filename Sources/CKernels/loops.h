// The loops, written once and included by ckernels.c for each instruction set: NAME(x) is its name of x.
//
// A loop takes 64 values at a time and makes one word of their bits, value 0 in the lowest; what is left at
// the end is copied into 64 values of its own. Vectors are wider than any register: the compiler splits them.

INLINE uint64_t NAME(bits64)(boolx64 mask) {
  uint64_t word;
  memcpy(&word, &mask, 8);
  return word;
}

INLINE uint64_t NAME(bits32)(boolx32 mask) {
  uint32_t word;
  memcpy(&word, &mask, 4);
  return word;
}

INLINE uint64_t NAME(bits16)(boolx16 mask) {
  uint16_t word;
  memcpy(&word, &mask, 2);
  return word;
}

INLINE uint64_t NAME(bits8)(boolx8 mask) {
  uint8_t word;
  memcpy(&word, &mask, 1);
  return word;
}

// MARK: One word of bits

// One comparison instead of two: what lies below `low` wraps round to a large difference.
INLINE uint64_t NAME(range_u8)(const uint8_t *at, uint8_t low, uint8_t width) {
  return NAME(bits64)(__builtin_convertvector((LOAD(u8x64, at) - low) <= width, boolx64));
}

INLINE uint64_t NAME(range_u16)(const uint16_t *at, uint16_t low, uint16_t width) {
  uint64_t word = 0;
  for (int part = 0; part < 2; part++) {
    u16x32 lanes = LOAD(u16x32, at + part * 32);
    word |= NAME(bits32)(__builtin_convertvector((lanes - low) <= width, boolx32)) << (part * 32);
  }
  return word;
}

INLINE uint64_t NAME(range_u32)(const uint32_t *at, uint32_t low, uint32_t width) {
  uint64_t word = 0;
  for (int part = 0; part < 4; part++) {
    u32x16 lanes = LOAD(u32x16, at + part * 16);
    word |= NAME(bits16)(__builtin_convertvector((lanes - low) <= width, boolx16)) << (part * 16);
  }
  return word;
}

INLINE uint64_t NAME(range_i64)(const int64_t *at, int64_t low, int64_t high) {
  uint64_t word = 0;
  for (int part = 0; part < 8; part++) {
    i64x8 lanes = LOAD(i64x8, at + part * 8);
    word |= NAME(bits8)(__builtin_convertvector((lanes >= low) & (lanes <= high), boolx8)) << (part * 8);
  }
  return word;
}

INLINE uint64_t NAME(equal_u8)(const uint8_t *at, uint8_t code) {
  return NAME(bits64)(__builtin_convertvector(LOAD(u8x64, at) == code, boolx64));
}

INLINE uint64_t NAME(equal_u16)(const uint16_t *at, uint16_t code) {
  uint64_t word = 0;
  for (int part = 0; part < 2; part++)
    word |= NAME(bits32)(__builtin_convertvector(LOAD(u16x32, at + part * 32) == code, boolx32))
            << (part * 32);
  return word;
}

INLINE uint64_t NAME(equal_u32)(const uint32_t *at, uint32_t code) {
  uint64_t word = 0;
  for (int part = 0; part < 4; part++)
    word |= NAME(bits16)(__builtin_convertvector(LOAD(u32x16, at + part * 16) == code, boolx16))
            << (part * 16);
  return word;
}

// The table's byte for the value's low half (second table for values from 128) has a bit for its next three
// bits. A shuffle gives 0 where the top bit of its index is set, which chooses between the tables.
INLINE uint64_t NAME(table_u8)(const uint8_t *at, const uint8_t *table) {
#if LEVEL == 3
  const __m512i low = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)table));
  const __m512i high = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(table + 16)));
  const __m512i powers = _mm512_set1_epi64((long long)0x8040201008040201ull);
  __m512i values = _mm512_loadu_si512(at);
  __m512i index = _mm512_and_si512(values, _mm512_set1_epi8((char)0x8f));
  __m512i row = _mm512_or_si512(
      _mm512_shuffle_epi8(low, index),
      _mm512_shuffle_epi8(high, _mm512_xor_si512(index, _mm512_set1_epi8((char)0x80))));
  __m512i place = _mm512_and_si512(_mm512_srli_epi16(values, 4), _mm512_set1_epi8(0x0f));
  return _mm512_test_epi8_mask(row, _mm512_shuffle_epi8(powers, place));
#elif LEVEL == 2
  const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
  const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table + 16)));
  const __m256i powers = _mm256_set1_epi64x((long long)0x8040201008040201ull);
  uint64_t word = 0;
  for (int part = 0; part < 2; part++) {
    __m256i values = _mm256_loadu_si256((const __m256i *)(at + part * 32));
    __m256i index = _mm256_and_si256(values, _mm256_set1_epi8((char)0x8f));
    __m256i row = _mm256_or_si256(
        _mm256_shuffle_epi8(low, index),
        _mm256_shuffle_epi8(high, _mm256_xor_si256(index, _mm256_set1_epi8((char)0x80))));
    __m256i place = _mm256_and_si256(_mm256_srli_epi16(values, 4), _mm256_set1_epi8(0x0f));
    __m256i bit = _mm256_shuffle_epi8(powers, place);
    __m256i isMember = _mm256_cmpeq_epi8(_mm256_and_si256(row, bit), bit);
    word |= (uint64_t)(uint32_t)_mm256_movemask_epi8(isMember) << (part * 32);
  }
  return word;
#else
  uint64_t word = 0;
  for (int i = 0; i < 64; i++) {
    uint8_t value = at[i];
    word |= (uint64_t)(table[(value >> 7) * 16 + (value & 15)] >> (value >> 4 & 7) & 1) << i;
  }
  return word;
#endif
}

// Values between the smallest and the largest of the set are looked up: one by one where they are few, else
// all 64 without a branch.
#define LOOK_UP(set, first, at, word)                                                       \
  do {                                                                                      \
    if (word == 0) return 0;                                                                \
    uint64_t found = 0;                                                                     \
    if (__builtin_popcountll(word) <= 20) {                                                 \
      for (uint64_t rest = word; rest; rest &= rest - 1) {                                  \
        int i = __builtin_ctzll(rest);                                                      \
        found |= (uint64_t)(set[at[i] >> 6] >> (at[i] & 63) & 1) << i;                      \
      }                                                                                     \
      return found;                                                                         \
    }                                                                                       \
    for (int i = 0; i < 64; i++) {                                                          \
      /* Values outside read the first one's bit: arithmetic, because a branch would be guessed. */ \
      size_t value = first + ((size_t)(at[i] - first) & -(size_t)(word >> i & 1));          \
      found |= (set[value >> 6] >> (value & 63) & 1) << i;                                  \
    }                                                                                       \
    return found & word;                                                                    \
  } while (0)

INLINE uint64_t NAME(set_u16)(const uint16_t *at, const uint64_t *set, uint16_t first, uint16_t width) {
  uint64_t word = NAME(range_u16)(at, first, width);
  LOOK_UP(set, first, at, word);
}

INLINE uint64_t NAME(set_u32)(const uint32_t *at, const uint64_t *set, uint32_t first, uint32_t width) {
  uint64_t word = NAME(range_u32)(at, first, width);
  LOOK_UP(set, first, at, word);
}

// MARK: Selecting and counting

#define UNPACK(...) __VA_ARGS__

// Asks for what is read 2 KiB further on, as far as it belongs to the same run: the machine's own prefetch
// ends at each page (in memory 10 to 40 % more bytes a second; loops that also write bits gain nothing).
#define AHEAD(at, end)                                                                \
  if ((const char *)(end) - (const char *)(at) > 2048)                                \
    for (size_t line = 0; line < 64 * sizeof *(at); line += 64)                       \
      __builtin_prefetch((const char *)(at) + 2048 + line);

// A pair of loops: `word` makes the bits of the 64 values at `at`.
#define TEST(name, type, parameters, word)                                                            \
  static void NAME(select_##name)(const type *values, size_t rows, UNPACK parameters, uint8_t *bits,  \
                                  struct change change) {                                             \
    const uint64_t flip = change.flip, open = change.open, held = change.held;                        \
    const type *at = values;                                                                          \
    for (const type *end = values + (rows & ~(size_t)63); at < end; at += 64, bits += 8) {            \
      uint64_t before, after = (word) ^ flip;                                                         \
      memcpy(&before, bits, 8);                                                                       \
      after = (after & (before | open)) | (before & held);                                            \
      memcpy(bits, &after, 8);                                                                        \
    }                                                                                                 \
    rows &= 63;                                                                                       \
    if (rows == 0) return;                                                                            \
    type last[64] = {0};                                                                              \
    memcpy(last, at, rows * sizeof *at);                                                              \
    at = last;                                                                                        \
    size_t bytes = (rows + 7) / 8;                                                                    \
    uint64_t before = 0, after = (word) ^ flip;                                                       \
    memcpy(&before, bits, bytes);                                                                     \
    after = (after & (before | open)) | (before & held);                                              \
    after &= (1ull << rows) - 1;                                                                      \
    memcpy(bits, &after, bytes);                                                                      \
  }                                                                                                   \
  static size_t NAME(count_##name)(const type *values, size_t rows, UNPACK parameters) {              \
    size_t count = 0;                                                                                 \
    const type *at = values;                                                                          \
    for (const type *end = values + (rows & ~(size_t)63); at < end; at += 64) {                       \
      AHEAD(at, end)                                                                                  \
      count += (size_t)__builtin_popcountll(word);                                                    \
    }                                                                                                 \
    rows &= 63;                                                                                       \
    if (rows == 0) return count;                                                                      \
    type last[64] = {0};                                                                              \
    memcpy(last, at, rows * sizeof *at);                                                              \
    at = last;                                                                                        \
    return count + (size_t)__builtin_popcountll((word) & ((1ull << rows) - 1));                       \
  }

TEST(range_u8, uint8_t, (uint8_t low, uint8_t width), NAME(range_u8)(at, low, width))
TEST(range_u16, uint16_t, (uint16_t low, uint16_t width), NAME(range_u16)(at, low, width))
TEST(range_u32, uint32_t, (uint32_t low, uint32_t width), NAME(range_u32)(at, low, width))
TEST(range_i64, int64_t, (int64_t low, int64_t high), NAME(range_i64)(at, low, high))
TEST(equal_u8, uint8_t, (uint8_t code), NAME(equal_u8)(at, code))
TEST(equal_u16, uint16_t, (uint16_t code), NAME(equal_u16)(at, code))
TEST(equal_u32, uint32_t, (uint32_t code), NAME(equal_u32)(at, code))
// Up to four codes, in registers; unused ones repeat the last.
#define FEW(width, type)                                                                             \
  TEST(few_u##width, type, (type first, type second, type third, type fourth),                       \
       NAME(equal_u##width)(at, first) | NAME(equal_u##width)(at, second) |                          \
           NAME(equal_u##width)(at, third) | NAME(equal_u##width)(at, fourth))
FEW(8, uint8_t)
FEW(16, uint16_t)
FEW(32, uint32_t)
TEST(table_u8, uint8_t, (const uint8_t *table), NAME(table_u8)(at, table))
TEST(set_u16, uint16_t, (const uint64_t *set, uint16_t first, uint16_t width),
     NAME(set_u16)(at, set, first, width))
TEST(set_u32, uint32_t, (const uint64_t *set, uint32_t first, uint32_t width),
     NAME(set_u32)(at, set, first, width))

INLINE struct ckernels_edges NAME(sketches)(const uint16_t *values, size_t rows, uint16_t low,
                                            uint16_t width, uint16_t sureLow, uint16_t sureWidth,
                                            uint8_t *bits, uint8_t *edges) {
  size_t sure = 0, unsure = 0;
  const uint16_t *at = values;
  for (size_t k = 0; k < rows / 64; k++, at += 64) {
    AHEAD(at, values + rows)
    uint64_t inside = NAME(range_u16)(at, sureLow, sureWidth);
    uint64_t edgeWord = NAME(range_u16)(at, low, width) & ~inside;
    if (bits) memcpy(bits + k * 8, &inside, 8);
    memcpy(edges + k * 8, &edgeWord, 8);
    sure += (size_t)__builtin_popcountll(inside);
    unsure += (size_t)__builtin_popcountll(edgeWord);
  }
  size_t left = rows & 63, bytes = (left + 7) / 8, done = rows / 64 * 8;
  if (left == 0) return (struct ckernels_edges){sure, unsure};
  uint16_t last[64] = {0};
  memcpy(last, at, left * sizeof *at);
  const uint64_t exists = (1ull << left) - 1;
  uint64_t inside = NAME(range_u16)(last, sureLow, sureWidth) & exists;
  uint64_t edgeWord = NAME(range_u16)(last, low, width) & exists & ~inside;
  if (bits) memcpy(bits + done, &inside, bytes);
  memcpy(edges + done, &edgeWord, bytes);
  sure += (size_t)__builtin_popcountll(inside);
  unsure += (size_t)__builtin_popcountll(edgeWord);
  return (struct ckernels_edges){sure, unsure};
}

static struct ckernels_edges NAME(select_sketches)(const uint16_t *values, size_t rows, uint16_t low,
                                                   uint16_t width, uint16_t sureLow, uint16_t sureWidth,
                                                   uint8_t *bits, uint8_t *edges) {
  return bits ? NAME(sketches)(values, rows, low, width, sureLow, sureWidth, bits, edges)
              : NAME(sketches)(values, rows, low, width, sureLow, sureWidth, 0, edges);
}

// MARK: Sums and bounds

// The lowest eight bits of a word as all ones or all zeros in eight lanes.
#define LANES_OF(word) ((u64x8)(((u64x8)((word) & 255) & powers) == powers))

// Values are taken with their sign bit flipped, so that they are not negative and the wide mark is 0: low and
// high halves are summed apart, and the 2^63 that each value has too much is taken off at the end.
static struct ckernels_sum NAME(sum_i64)(const int64_t *values, size_t rows, const uint8_t *bits) {
#if LEVEL < 3
  const u64x8 powers = {1, 2, 4, 8, 16, 32, 64, 128};
#endif
  u64x8 low = 0, high = 0, wide = 0;
  size_t selected = 0, wideCount = 0;
  int64_t last[64] = {0};
  for (size_t start = 0; start < rows; start += 64) {
    const int64_t *at = values + start;
    size_t left = rows - start;
    AHEAD(at, values + rows)
    uint64_t word = ~0ull;
    if (left < 64) {
      if (bits) memcpy(&word, bits + start / 8, (left + 7) / 8);
      memcpy(last, at, left * sizeof *at);
      at = last;
      word &= (1ull << left) - 1;
    } else if (bits) {
      memcpy(&word, bits + start / 8, 8);
    }
    if (word == 0) continue;
    selected += (size_t)__builtin_popcountll(word);
    for (int part = 0; part < 8; part++) {
#if LEVEL == 3
      // The instruction set has masks and an arithmetic shift: 90 GB/s in cache against 65.
      __mmask8 mask = (__mmask8)(word >> (part * 8));
      __m512i lanes = _mm512_maskz_loadu_epi64(mask, at + part * 8);
      __mmask8 isWide = _mm512_mask_cmpeq_epi64_mask(mask, lanes, _mm512_set1_epi64(INT64_MIN));
      wide = (u64x8)_mm512_mask_add_epi64((__m512i)wide, isWide, (__m512i)wide, _mm512_set1_epi64(1));
      low += (u64x8)_mm512_and_si512(lanes, _mm512_set1_epi64(0xffffffff));
      high += (u64x8)_mm512_srai_epi64(lanes, 32);
    }
  }
  __int128 sum = 0;
  for (int lane = 0; lane < 8; lane++) {
    sum += low[lane] + ((__int128)(int64_t)high[lane] << 32);
    wideCount += wide[lane];
  }
  // Wide marks were added; what they stand for was not.
  sum += (__int128)wideCount << 63;
#else
      u64x8 mask = LANES_OF(word >> (part * 8));
      u64x8 lanes = LOAD(u64x8, at + part * 8) ^ (1ull << 63);
      wide -= (u64x8)(lanes == 0) & mask;
      lanes &= mask;
      low += lanes & 0xffffffff;
      high += lanes >> 32;
    }
  }
  unsigned __int128 sum = 0;
  for (int lane = 0; lane < 8; lane++) {
    sum += low[lane] + ((unsigned __int128)high[lane] << 32);
    wideCount += wide[lane];
  }
  // A wide mark added nothing, so nothing is taken off for it.
  sum -= (unsigned __int128)(selected - wideCount) << 63;
#endif
  return (struct ckernels_sum){(uint64_t)sum, (int64_t)(sum >> 64), selected - wideCount, wideCount};
}

static struct ckernels_bounds NAME(bounds_i64)(const int64_t *values, size_t rows, const uint8_t *bits) {
#if LEVEL < 3
  const u64x8 powers = {1, 2, 4, 8, 16, 32, 64, 128};
#endif
  i64x8 least = INT64_MAX, greatest = INT64_MIN;
  u64x8 wide = 0;
  size_t selected = 0;
  int64_t last[64] = {0};
  for (size_t start = 0; start < rows; start += 64) {
    const int64_t *at = values + start;
    size_t left = rows - start;
    AHEAD(at, values + rows)
    uint64_t word = ~0ull;
    if (left < 64) {
      if (bits) memcpy(&word, bits + start / 8, (left + 7) / 8);
      memcpy(last, at, left * sizeof *at);
      at = last;
      word &= (1ull << left) - 1;
    } else if (bits) {
      memcpy(&word, bits + start / 8, 8);
    }
    if (word == 0) continue;
    selected += (size_t)__builtin_popcountll(word);
    for (int part = 0; part < 8; part++) {
#if LEVEL == 3
      __mmask8 mask = (__mmask8)(word >> (part * 8));
      __m512i lanes = _mm512_loadu_si512(at + part * 8);
      __mmask8 isWide = _mm512_mask_cmpeq_epi64_mask(mask, lanes, _mm512_set1_epi64(INT64_MIN));
      wide = (u64x8)_mm512_mask_add_epi64((__m512i)wide, isWide, (__m512i)wide, _mm512_set1_epi64(1));
      least = (i64x8)_mm512_mask_min_epi64((__m512i)least, mask & ~isWide, (__m512i)least, lanes);
      greatest = (i64x8)_mm512_mask_max_epi64((__m512i)greatest, mask, (__m512i)greatest, lanes);
#else
      i64x8 mask = (i64x8)LANES_OF(word >> (part * 8));
      i64x8 lanes = LOAD(i64x8, at + part * 8);
      i64x8 isWide = lanes == INT64_MIN;
      wide -= (u64x8)(isWide & mask);
      // The wide mark is no bound: it counts as the largest where the least is sought, and it is the
      // smallest anyway.
      i64x8 forLeast = mask & ~isWide ? lanes : (i64x8)INT64_MAX;
      i64x8 forGreatest = mask ? lanes : (i64x8)INT64_MIN;
      least = forLeast < least ? forLeast : least;
      greatest = forGreatest > greatest ? forGreatest : greatest;
#endif
    }
  }
  struct ckernels_bounds bounds = {INT64_MAX, INT64_MIN, selected, 0};
  for (int lane = 0; lane < 8; lane++) {
    if (least[lane] < bounds.least) bounds.least = least[lane];
    if (greatest[lane] > bounds.greatest) bounds.greatest = greatest[lane];
    bounds.wide += wide[lane];
  }
  bounds.count -= bounds.wide;
  return bounds;
}

static uint64_t NAME(total)(const uint64_t *values, size_t count) {
  u64x8 sums[4] = {0, 0, 0, 0};
  for (; count >= 32; count -= 32, values += 32)
    for (int part = 0; part < 4; part++) sums[part] += LOAD(u64x8, values + part * 8);
  u64x8 sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  uint64_t total = 0;
  for (int lane = 0; lane < 8; lane++) total += sum[lane];
  for (; count > 0; count--) total += *values++;
  return total;
}

// MARK: Bitmaps

static size_t NAME(popcount)(const uint64_t *bits, size_t words) {
  size_t count = 0;
  for (size_t i = 0; i < words; i++) count += (size_t)__builtin_popcountll(bits[i]);
  return count;
}

static uint64_t NAME(merge)(uint64_t *bits, const uint64_t *other, size_t words, struct change change) {
  uint64_t any = 0;
  for (size_t i = 0; i < words; i++) {
    uint64_t before = bits[i], after = other[i] ^ change.flip;
    after = (after & (before | change.open)) | (before & change.held);
    bits[i] = after;
    any |= after;
  }
  return any;
}

// Sixteen rows of TILE columns at a time: four rounds of interleaving bytes turn each square of 16 by 16. A
// register holds the same row of TILE / 16 squares.
static void NAME(transpose)(const uint8_t *from, uint8_t *to) {
#if LEVEL == 1
#define TILE 16
  typedef __m128i tile;
#define UNPACK_LOW(width, a, b) _mm_unpacklo_epi##width(a, b)
#define UNPACK_HIGH(width, a, b) _mm_unpackhi_epi##width(a, b)
#elif LEVEL == 2
#define TILE 32
  typedef __m256i tile;
#define UNPACK_LOW(width, a, b) _mm256_unpacklo_epi##width(a, b)
#define UNPACK_HIGH(width, a, b) _mm256_unpackhi_epi##width(a, b)
#else
#define TILE 64
  typedef __m512i tile;
#define UNPACK_LOW(width, a, b) _mm512_unpacklo_epi##width(a, b)
#define UNPACK_HIGH(width, a, b) _mm512_unpackhi_epi##width(a, b)
#endif
  for (int row = 0; row < 64; row += 16) {
    for (int column = 0; column < 64; column += TILE) {
      tile rows[16], turned[16];
      for (int i = 0; i < 16; i++) memcpy(&rows[i], from + (row + i) * 64 + column, sizeof(tile));
      // Rows i and i + 8 are interleaved; after four rounds of that every bit of the place has moved on by
      // four: what was the row is the column.
#define ROUND(source, target)                                        \
  for (int i = 0; i < 8; i++) {                                      \
    target[2 * i] = UNPACK_LOW(8, source[i], source[i + 8]);         \
    target[2 * i + 1] = UNPACK_HIGH(8, source[i], source[i + 8]);    \
  }
      ROUND(rows, turned)
      ROUND(turned, rows)
      ROUND(rows, turned)
      ROUND(turned, rows)
#undef ROUND
      for (int i = 0; i < 16; i++) {
        uint8_t parts[TILE];
        memcpy(parts, &rows[i], TILE);
        for (int square = 0; square < TILE / 16; square++)
          memcpy(to + (column + square * 16 + i) * 64 + row, parts + square * 16, 16);
      }
    }
  }
#undef TILE
#undef UNPACK_LOW
#undef UNPACK_HIGH
}

// MARK: Texts

#if LEVEL < 3
// Two bytes of the needle, the first and the last, are compared at 64 places at once; only where both stand
// is the rest compared (Mula, "SIMD-friendly algorithms for substring searching", 2016).
static size_t NAME(find)(const uint8_t *text, size_t bytes, const uint8_t *needle, size_t length) {
  if (length == 0) return 0;
  if (length > bytes) return SIZE_MAX;
  size_t places = bytes - length + 1;
  uint8_t first = needle[0], end = needle[length - 1];
  size_t place = 0;
  while (place < places) {
    if (places - place < 64) {
      if (places < 64) break;
      // The last 64 places; some of them are looked at once more.
      place = places - 64;
    }
    boolx64 isHit = __builtin_convertvector(
        (LOAD(u8x64, text + place) == first) & (LOAD(u8x64, text + place + length - 1) == end), boolx64);
    for (uint64_t rest = NAME(bits64)(isHit); rest; rest &= rest - 1) {
      size_t candidate = place + (size_t)__builtin_ctzll(rest);
      if (length <= 2 || memcmp(text + candidate + 1, needle + 1, length - 2) == 0) return candidate;
    }
    place += 64;
  }
  if (places >= 64) return SIZE_MAX;
  for (place = 0; place < places; place++) {
    if (text[place] == first && memcmp(text + place, needle, length) == 0) return place;
  }
  return SIZE_MAX;
}

#define FIND NAME(find)
#else
// Vectors of 64 bytes read across two cache lines each time: 35 GB/s against 56.
#define FIND find_avx2
#endif

#include "groups.h"

static const struct kernels NAME(kernels) = {
    NAME(select_range_u8), NAME(count_range_u8), NAME(select_range_u16), NAME(count_range_u16),
    NAME(select_range_u32), NAME(count_range_u32), NAME(select_range_i64), NAME(count_range_i64),
    NAME(select_equal_u8), NAME(count_equal_u8), NAME(select_equal_u16), NAME(count_equal_u16),
    NAME(select_equal_u32), NAME(count_equal_u32), NAME(select_few_u8), NAME(count_few_u8),
    NAME(select_few_u16), NAME(count_few_u16), NAME(select_few_u32), NAME(count_few_u32),
    NAME(select_table_u8), NAME(count_table_u8), NAME(select_set_u16), NAME(count_set_u16),
    NAME(select_set_u32), NAME(count_set_u32), NAME(select_sketches), NAME(sum_i64), NAME(bounds_i64),
    NAME(total), NAME(popcount), NAME(merge), NAME(transpose), FIND,
    NAME(group_sums_u8), NAME(group_sums_u16), NAME(group_bounds_u8), NAME(group_bounds_u16),
};

#undef FIND
#undef TEST
#undef FEW
#undef UNPACK
#undef AHEAD
#undef LOOK_UP
#undef LANES_OF
