// simdjson's stage 1 behind a C header: no C++ type and no exception leaves this file.
#include "CSimdjson.h"

#include <cstring>
#include <memory>
#include <new>
#include <simdjson.h>
#include <string>

#define CSIMDJSON_TEXT_OF(x) #x
#define CSIMDJSON_TEXT(x) CSIMDJSON_TEXT_OF(x)

// The least room an indexer makes: small lines never make it grow twice.
static constexpr size_t smallest_room = 4096;

struct csimdjson_indexer {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

extern "C" const char *csimdjson_implementation(void) {
  static const std::string name = simdjson::get_active_implementation()->name();
  return name.c_str();
}

extern "C" const char *csimdjson_version(void) { return CSIMDJSON_TEXT(SIMDJSON_VERSION); }

extern "C" csimdjson_indexer *csimdjson_indexer_make(void) { return new (std::nothrow) csimdjson_indexer; }

extern "C" void csimdjson_indexer_free(csimdjson_indexer *indexer) { delete indexer; }

static int make_room(csimdjson_indexer *indexer, size_t byte_count) {
  size_t room = smallest_room;
  while (room < byte_count) { room *= 2; }
  if (!indexer->parser) {
    // The depth concerns stage 2 only, which is not used.
    return simdjson::get_active_implementation()->create_dom_parser_implementation(room, 1, indexer->parser);
  }
  return indexer->parser->allocate(room, 1);
}

extern "C" int csimdjson_index(csimdjson_indexer *indexer, const uint8_t *bytes, size_t byte_count,
                               const uint32_t **offsets, size_t *count) {
  if (!indexer->parser || indexer->parser->capacity() < byte_count) {
    if (byte_count > simdjson::SIMDJSON_MAXSIZE_BYTES / 2) { return simdjson::CAPACITY; }
    int error = make_room(indexer, byte_count);
    if (error) { return error; }
  }
  int error = indexer->parser->stage1(bytes, byte_count, simdjson::stage1_mode::regular);
  if (error) { return error; }
  *offsets = indexer->parser->structural_indexes.get();
  *count = indexer->parser->n_structural_indexes;
  return 0;
}

extern "C" void csimdjson_indexer_shrink(csimdjson_indexer *indexer, size_t byte_count) {
  if (indexer->parser && indexer->parser->capacity() > byte_count) { indexer->parser.reset(); }
}

extern "C" size_t csimdjson_find(const uint8_t *bytes, size_t byte_count, uint8_t byte) {
  const void *found = byte_count ? memchr(bytes, byte, byte_count) : nullptr;
  return found ? static_cast<size_t>(static_cast<const uint8_t *>(found) - bytes) : byte_count;
}

extern "C" size_t csimdjson_find_last(const uint8_t *bytes, size_t byte_count, uint8_t byte) {
  const void *found = byte_count ? memrchr(bytes, byte, byte_count) : nullptr;
  return found ? static_cast<size_t>(static_cast<const uint8_t *>(found) - bytes) : byte_count;
}
