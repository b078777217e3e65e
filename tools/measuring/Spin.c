#include "CMeasuring.h"

// The multiplier is Knuth's, of MMIX: any odd one would do, since only the time counts.
uint64_t measuring_spin(uint64_t rounds) {
  uint64_t x = rounds;
  for (uint64_t k = 0; k < rounds; k++) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    // Opaque, or several rounds would be folded into one.
    __asm__ volatile("" : "+r"(x));
  }
  return x;
}
