// simdjson's stage 1 behind a C header.
#ifndef CSIMDJSON_H
#define CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Name of the implementation chosen at run time ("icelake", "haswell", ...).
const char *csimdjson_implementation(void);

#ifdef __cplusplus
}
#endif

#endif
