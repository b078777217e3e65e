// How fast a core multiplies and adds, and loads, at best: loops of independent instructions.
#include "CMeasuring.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Keeps a value from being known to the compiler: what depends on it cannot be left out.
#define OPAQUE(value) __asm__ volatile("" : "+r"(value))

// The accumulators of a loop: enough that none waits for the one before (two instructions start in
// each cycle, and their results take four or five), and few enough for the registers.
enum { WIDE = 16, NARROW = 10 };

// `count` accumulators of `type`, each changed by `CHANGE(sum)` in each round. The factor `b` is
// made opaque each time, or a product that stays the same would be taken out of the loop.
#define LOOP(type, count, zero, keep)                                    \
  type sums[count];                                                      \
  for (int k = 0; k < count; k++) sums[k] = zero;                        \
  for (uint64_t round = 0; round < rounds; round++) {                    \
    _Pragma("clang loop unroll(full)") for (int k = 0; k < count; k++) { \
      __asm__ volatile("" : "+" keep(b));                                \
      sums[k] = CHANGE(sums[k]);                                         \
      __asm__ volatile("" : "+" keep(sums[k]));                          \
    }                                                                    \
  }

// Loads and joins; eight independent vectors a round.
#define READ(vector_bytes)                                                          \
  typedef uint64_t vector __attribute__((vector_size(vector_bytes)));               \
  enum { COUNT = 512 / vector_bytes < 8 ? 512 / vector_bytes : 8 };                 \
  vector sums[COUNT] = {0};                                                         \
  for (size_t pass = 0; pass < passes; pass++) {                                    \
    const vector *place = buffer;                                                   \
    OPAQUE(place);                                                                  \
    for (size_t left = bytes / sizeof(vector); left > 0; left -= COUNT, place += COUNT) { \
      _Pragma("clang loop unroll(full)") for (int k = 0; k < COUNT; k++) sums[k] |= place[k]; \
    }                                                                               \
  }                                                                                 \
  uint64_t result = 0;                                                              \
  for (int k = 0; k < COUNT; k++) result |= sums[k][0];                             \
  OPAQUE(result);

#if defined(__x86_64__)
#define V3 __attribute__((target("avx2,fma")))
#define V4 __attribute__((target("avx512f,avx512bw,avx512vnni,avx512bf16")))

static void read_v2(const void *buffer, size_t bytes, size_t passes) { READ(16) }
V3 static void read_v3(const void *buffer, size_t bytes, size_t passes) { READ(32) }
V4 static void read_v4(const void *buffer, size_t bytes, size_t passes) { READ(64) }

void measuring_read(int level, const void *buffer, size_t bytes, size_t passes) {
  if (level >= 4) read_v4(buffer, bytes, passes);
  else if (level == 3) read_v3(buffer, bytes, passes);
  else read_v2(buffer, bytes, passes);
}

static size_t float32_v2(uint64_t rounds) {
  __m128 b = _mm_set1_ps(0.5f), c = _mm_set1_ps(1);
#define CHANGE(sum) _mm_add_ps(_mm_mul_ps(sum, b), c)
  LOOP(__m128, NARROW, c, "x")
#undef CHANGE
  return NARROW * 4;
}

V3 static size_t float32_v3(uint64_t rounds) {
  __m256 b = _mm256_set1_ps(0.5f), c = _mm256_set1_ps(1);
#define CHANGE(sum) _mm256_fmadd_ps(sum, b, c)
  LOOP(__m256, NARROW, c, "x")
#undef CHANGE
  return NARROW * 8;
}

V4 static size_t float32_v4(uint64_t rounds) {
  __m512 b = _mm512_set1_ps(0.5f), c = _mm512_set1_ps(1);
#define CHANGE(sum) _mm512_fmadd_ps(sum, b, c)
  LOOP(__m512, WIDE, c, "v")
#undef CHANGE
  return WIDE * 16;
}

V4 static size_t bfloat16_v4(uint64_t rounds) {
  __m512bh b = (__m512bh)_mm512_setzero_si512();
#define CHANGE(sum) _mm512_dpbf16_ps(sum, b, b)
  LOOP(__m512, WIDE, _mm512_setzero_ps(), "v")
#undef CHANGE
  return WIDE * 32;
}

// Without an instruction for it, pairs are multiplied and added, and then added to the sum.
static size_t int16_v2(uint64_t rounds) {
  __m128i b = _mm_set1_epi16(3);
#define CHANGE(sum) _mm_add_epi32(sum, _mm_madd_epi16(b, b))
  LOOP(__m128i, NARROW, b, "x")
#undef CHANGE
  return NARROW * 8;
}

V3 static size_t int16_v3(uint64_t rounds) {
  __m256i b = _mm256_set1_epi16(3);
#define CHANGE(sum) _mm256_add_epi32(sum, _mm256_madd_epi16(b, b))
  LOOP(__m256i, NARROW, b, "x")
#undef CHANGE
  return NARROW * 16;
}

V4 static size_t int16_v4(uint64_t rounds) {
  __m512i b = _mm512_set1_epi16(3);
#define CHANGE(sum) _mm512_dpwssd_epi32(sum, b, b)
  LOOP(__m512i, WIDE, b, "v")
#undef CHANGE
  return WIDE * 32;
}

V3 static size_t int8_v3(uint64_t rounds) {
  __m256i b = _mm256_set1_epi8(3), ones = _mm256_set1_epi16(1);
#define CHANGE(sum) \
  _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(b, b), ones))
  LOOP(__m256i, NARROW, b, "x")
#undef CHANGE
  return NARROW * 32;
}

V4 static size_t int8_v4(uint64_t rounds) {
  __m512i b = _mm512_set1_epi8(3);
#define CHANGE(sum) _mm512_dpbusd_epi32(sum, b, b)
  LOOP(__m512i, WIDE, b, "v")
#undef CHANGE
  return WIDE * 64;
}

size_t measuring_multiply_add(int level, measuring_kind kind, uint64_t rounds) {
  switch (kind) {
  case MEASURING_BFLOAT16:
    if (level >= 4) return bfloat16_v4(rounds);
    break;
  case MEASURING_INT16:
    return level >= 4 ? int16_v4(rounds) : level == 3 ? int16_v3(rounds) : int16_v2(rounds);
  case MEASURING_INT8:
    return level >= 4 ? int8_v4(rounds) : level == 3 ? int8_v3(rounds) : int16_v2(rounds);
  case MEASURING_FLOAT32:
    break;
  }
  return level >= 4 ? float32_v4(rounds) : level == 3 ? float32_v3(rounds) : float32_v2(rounds);
}
#else
void measuring_read(int level, const void *buffer, size_t bytes, size_t passes) {
  (void)level;
  READ(16)
}

// The vectors of four floats that every 64-bit CPU has.
size_t measuring_multiply_add(int level, measuring_kind kind, uint64_t rounds) {
  (void)level;
  (void)kind;
  typedef float vector __attribute__((vector_size(16)));
  vector b = {0.5f, 0.5f, 0.5f, 0.5f}, c = {1, 1, 1, 1};
#define CHANGE(sum) sum *b + c
  LOOP(vector, WIDE, c, "w")
#undef CHANGE
  return WIDE * 4;
}
#endif
