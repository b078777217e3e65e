// Vector operations that Swift's SIMD types would turn into calls or scalar loops, and the plain
// structures that the runtime's compiler hands to the kernels. Header only.
#pragma once
#include <stdint.h>
#if defined(__AVX__)
#include <immintrin.h>
#endif

typedef float rn_float16 __attribute__((ext_vector_type(16)));
typedef int32_t rn_int16 __attribute__((ext_vector_type(16)));

// Callable from Swift code that promises neither to allocate nor to lock.
#define RN_PURE                                                                \
  static inline __attribute__((always_inline, swift_attr("@_noLocks"),         \
                               swift_attr("@_noAllocation")))

/// a * b + c, rounded once where the level has FMA.
RN_PURE rn_float16 rn_fma(rn_float16 a, rn_float16 b, rn_float16 c) {
#if defined(__FMA__) || defined(__aarch64__)
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

/// x limited to -bound...bound; NaN stays NaN (the comparisons are false for it).
RN_PURE rn_float16 rn_clamp(rn_float16 x, float bound) {
  rn_float16 high = bound, low = -bound;
  x = high < x ? high : x;
  return low > x ? low : x;
}

/// The larger of x and 0; NaN stays NaN.
RN_PURE rn_float16 rn_relu(rn_float16 x) {
  rn_float16 zero = 0;
  return zero > x ? zero : x;
}

RN_PURE rn_float16 rn_max(rn_float16 a, rn_float16 b) { return a > b ? a : b; }

/// x, with every element whose magnitude is below the threshold replaced by 0.
RN_PURE rn_float16 rn_flush(rn_float16 x, float threshold) {
  rn_float16 zero = 0, least = threshold;
  return __builtin_elementwise_abs(x) < least ? zero : x;
}

/// All bits of an element set where x is infinite or NaN, else zero.
RN_PURE rn_int16 rn_nonfinite(rn_float16 x) {
  rn_int16 exponent = 0x7f800000;
  return ((rn_int16)x & exponent) == exponent;
}

/// Whether any element has its sign bit set.
RN_PURE int32_t rn_any(rn_int16 mask) { return __builtin_reduce_or(mask) < 0; }

/// 2^n for the integer n that a float shifted by 1.5 * 2^23 carries in its low bits.
RN_PURE rn_float16 rn_power_of_two(rn_float16 shifted) {
  return (rn_float16)(((rn_int16)shifted << 23) + 0x3f800000);
}

/// The first `count` (0 to 16) floats at p, which need not be aligned, with zeros behind them.
RN_PURE rn_float16 rn_load_first(const float *p, int32_t count) {
#if defined(__AVX512F__)
  return (rn_float16)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
#elif defined(__AVX2__)
  rn_int16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  rn_int16 mask = lane < count;
  rn_float16 x;
  x.lo = _mm256_maskload_ps(p, (__m256i)mask.lo);
  x.hi = _mm256_maskload_ps(p + 8, (__m256i)mask.hi);
  return x;
#else
  rn_float16 x = 0;
  if (count == 16) {
    __builtin_memcpy(&x, p, sizeof x);
    return x;
  }
  for (int32_t k = 0; k < count; k++) x[k] = p[k];
  return x;
#endif
}

/// Stores the first `count` (0 to 16) elements at p, which need not be aligned.
RN_PURE void rn_store_first(rn_float16 x, float *p, int32_t count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)x);
#elif defined(__AVX2__)
  rn_int16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  rn_int16 mask = lane < count;
  _mm256_maskstore_ps(p, (__m256i)mask.lo, (__m256)x.lo);
  _mm256_maskstore_ps(p + 8, (__m256i)mask.hi, (__m256)x.hi);
#else
  if (count == 16) {
    __builtin_memcpy(p, &x, sizeof x);
    return;
  }
  for (int32_t k = 0; k < count; k++) p[k] = x[k];
#endif
}

/// x, with `fill` in the place of all elements from `count` on.
RN_PURE rn_float16 rn_keep_first(rn_float16 x, int32_t count, float fill) {
  rn_int16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  rn_float16 rest = fill;
  return lane < count ? x : rest;
}

/// The sum of the elements, halves added to halves: the same order everywhere.
RN_PURE float rn_sum(rn_float16 x) {
  float __attribute__((ext_vector_type(8))) a = x.lo + x.hi;
  float __attribute__((ext_vector_type(4))) b = a.lo + a.hi;
  float __attribute__((ext_vector_type(2))) c = b.lo + b.hi;
  return c.x + c.y;
}

/// The largest element.
RN_PURE float rn_largest(rn_float16 x) { return __builtin_reduce_max(x); }

/// What an instruction computes; the runtime's `ModelOperation` has the equations. (Constants and not a
/// Swift enumeration, which would bring weak code symbols into the kernels' objects.)
enum {
  RN_RNN_TANH,
  RN_RNN_RELU,
  RN_LSTM,
  RN_GRU_RESET_AFTER,
  RN_GRU_RESET_BEFORE,
  RN_DENSE,
  RN_EMBEDDING,
  RN_AFFINE,
  RN_TANH,
  RN_SIGMOID,
  RN_RELU,
  RN_SOFTMAX,
  RN_ADD,
  RN_MULTIPLY,
  RN_COPY, // `inputSize` floats from `input` to `output`, neither of which need be aligned
};

/// How a step ended: the upper half of its result. The lower half is an index into the frame.
enum {
  RN_DONE,
  RN_NONFINITE_INPUT,
  RN_INDEX_OUT_OF_RANGE,
  RN_NONFINITE_RESULT,
};

/// What one operation of a compiled program does. Offsets are in bytes from the start of the
/// session's block (`input` to `scratch`; a cell's next
/// hidden state is its `output`) or of the model's packed weights (`weights`).
typedef struct rn_instruction {
  uint64_t weights;
  uint32_t code;
  uint32_t inputSize;
  uint32_t size;
  uint32_t input;
  uint32_t input2;
  uint32_t output;
  uint32_t hidden;
  uint32_t cell;
  uint32_t nextCell;
  uint32_t scratch;
} rn_instruction;

/// One part of a frame: where it stands in the frame and in the block, in elements and bytes.
typedef struct rn_input {
  uint32_t first;
  uint32_t width;
  uint32_t slot;
  uint32_t indexLimit; // 0 for a vector, else the number of values that the index can take
} rn_input;

/// One part of a prediction, or one state.
typedef struct rn_output {
  uint32_t first;
  uint32_t width;
  uint32_t slot;
} rn_output;

/// A compiled program, for one of the two roles that the state buffers take in turn.
typedef struct rn_program {
  const rn_instruction *instructions;
  const rn_input *inputs;
  const rn_output *outputs;
  const rn_output *nextStates;
  uint32_t instructionCount;
  uint32_t inputCount;
  uint32_t outputCount;
  uint32_t stateCount;
  uint32_t frameSize;
  uint32_t predictionSize;
} rn_program;

/// The best of the levels 2, 3 and 4 (x86-64-v2, -v3, -v4 with VNNI and BF16) that this CPU and its
/// operating system support.
static inline int32_t rn_level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vnni") &&
      __builtin_cpu_supports("avx512bf16"))
    return 4;
  if (__builtin_cpu_supports("x86-64-v3")) return 3;
#endif
  return 2;
}
