#define _GNU_SOURCE
#include "CSys.h"

#include <fcntl.h>

int csys_o_direct(void) { return O_DIRECT; }
