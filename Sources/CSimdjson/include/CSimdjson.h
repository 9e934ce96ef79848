// simdjson's stage 1 (finding structure, checking UTF-8) behind a C header, with two searches for a byte.
#ifndef CSIMDJSON_H
#define CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Name of the implementation chosen at run time ("icelake", "haswell", ...).
const char *csimdjson_implementation(void);

/// Version of the header this was compiled with, such as "3.0.1".
const char *csimdjson_version(void);

/// One stage-1 indexer with its array of offsets. Belongs to one thread at a time.
typedef struct csimdjson_indexer csimdjson_indexer;

/// A new indexer without room; NULL when memory is short.
csimdjson_indexer *csimdjson_indexer_make(void);
void csimdjson_indexer_free(csimdjson_indexer *indexer);

/// Finds the structural characters of `bytes`: brackets, colons, commas, and the first byte of each string,
/// number and literal, each outside strings. `bytes` needs 64 readable bytes after its end.
///
/// 0 when UTF-8, quotes and control characters in strings are in order, else simdjson's error code. On
/// success `*offsets` is valid until the next call; `(*offsets)[*count]` is `byte_count`.
int csimdjson_index(csimdjson_indexer *indexer, const uint8_t *bytes, size_t byte_count,
                    const uint32_t **offsets, size_t *count);

/// Gives memory back when there is room for more than `byte_count` bytes.
void csimdjson_indexer_shrink(csimdjson_indexer *indexer, size_t byte_count);

/// Offset of the first `byte`, or `byte_count` when there is none.
size_t csimdjson_find(const uint8_t *bytes, size_t byte_count, uint8_t byte);

/// Offset of the last `byte`, or `byte_count` when there is none.
size_t csimdjson_find_last(const uint8_t *bytes, size_t byte_count, uint8_t byte);

#ifdef __cplusplus
}
#endif

#endif
