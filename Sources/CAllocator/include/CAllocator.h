// jemalloc's settings, compiled in so that nobody has to set an environment variable.
#ifndef CALLOCATOR_H
#define CALLOCATOR_H

/// Refer to this once from Swift so that the linker keeps `malloc_conf`.
void callocator_anchor(void);

#endif
