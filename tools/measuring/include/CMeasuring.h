// What measuring needs and Swift has no words for: instructions that empty caches, and loops whose
// instructions must be known exactly.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Arithmetic of a fixed kind that touches no memory: `rounds` multiplications that wait for each
// other. The result has to be used, or the compiler leaves the loop out.
uint64_t measuring_spin(uint64_t rounds);

// Writes every line of the process's memory back and drops it from all caches of all cores.
// Returns the number of lines; 0 where this CPU or system gives no means to do so.
size_t measuring_flush_process(void);

// Instructions that multiply and add.
typedef enum {
  MEASURING_FLOAT32,   // 32-bit floats
  MEASURING_BFLOAT16,  // pairs of bfloat16
  MEASURING_INT16,     // pairs of 16-bit integers
  MEASURING_INT8,      // fours of 8-bit integers
} measuring_kind;

// Does `rounds` rounds of independent multiply-adds with the widest instructions of a level (2, 3
// or 4) for a kind; a level that has none of its own for the kind takes those that it has.
// Returns the number of multiply-adds in one round.
size_t measuring_multiply_add(int level, measuring_kind kind, uint64_t rounds);

// Loads a buffer `passes` times, from its start to its end, with the widest loads of a level.
// `bytes` is a multiple of 512 and `buffer` is aligned to 64.
void measuring_read(int level, const void *buffer, size_t bytes, size_t passes);
