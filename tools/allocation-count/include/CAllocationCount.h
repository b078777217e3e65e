// Counts the allocations that a thread makes, wherever they come from: the executable that links
// this defines malloc and its family, which the Swift runtime and every library then call.
#pragma once
#include <stdint.h>

// The allocations of the calling thread so far. Freeing is not counted. Where a sanitizer has
// taken malloc for itself, nothing is counted.
uint64_t allocation_count(void);
