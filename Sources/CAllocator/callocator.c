#include "CAllocator.h"

// Read by jemalloc at start: its background thread gives memory back one second after a churn.
const char *malloc_conf = "background_thread:true,dirty_decay_ms:1000";

void callocator_anchor(void) {}
