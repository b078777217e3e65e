// Vector operations that Swift's SIMD types would turn into calls or scalar loops, and the plain
// structures that the runtime's compiler hands to the kernels. Header only.
#pragma once
#include <stdint.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

typedef float rn_float16 __attribute__((ext_vector_type(16)));
typedef float rn_float8 __attribute__((ext_vector_type(8)));
typedef double rn_double8 __attribute__((ext_vector_type(8)));
typedef int32_t rn_int16 __attribute__((ext_vector_type(16)));
typedef int32_t rn_int8 __attribute__((ext_vector_type(8)));
typedef int32_t rn_int4 __attribute__((ext_vector_type(4)));

// Callable from Swift code that promises neither to allocate nor to lock.
#define RN_PURE                                                                \
  static inline __attribute__((always_inline, swift_attr("@_noLocks"),         \
                               swift_attr("@_noAllocation")))

// Loads and stores, of aligned vectors; those of Swift's standard library are generic functions, of
// which copies under weak names stay behind.
RN_PURE rn_float16 rn_load(const void *p) { return *(const rn_float16 *)p; }
RN_PURE rn_int16 rn_load_integers(const void *p) { return *(const rn_int16 *)p; }
RN_PURE void rn_store(rn_float16 x, void *p) { *(rn_float16 *)p = x; }

/// Element `index` of the 32-bit elements at p, in all places.
RN_PURE rn_float16 rn_broadcast(const void *p, int64_t index) {
  return (rn_float16)(((const float *)p)[index]);
}
RN_PURE rn_int16 rn_broadcast_integer(const void *p, int64_t index) {
  return (rn_int16)(((const int32_t *)p)[index]);
}

/// p, of which the compiler does not know how far from other pointers it is.
RN_PURE const void *rn_apart(const void *p) {
  __asm__("" : "+r"(p));
  return p;
}

/// Copies the eight floats at p to q, neither of which need be aligned.
RN_PURE void rn_copy8(const float *p, float *q) {
  typedef float floats __attribute__((ext_vector_type(8), aligned(4)));
  *(floats *)q = *(const floats *)p;
}

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

/// x limited to -bound...bound, in one instruction where there is one; for NaN anything.
RN_PURE rn_float16 rn_limit(rn_float16 x, float bound) {
#if defined(__AVX512DQ__)
  // The one of the smaller magnitude, with the sign of x.
  return (rn_float16)_mm512_range_ps((__m512)x, _mm512_set1_ps(bound), 2);
#else
  rn_float16 high = bound, low = -bound;
  x = high < x ? high : x;
  return low > x ? low : x;
#endif
}

/// The exponent n, as a float, for which x is 2^n times a number from √½ to √2; for x that is normal.
RN_PURE rn_float16 rn_exponent(rn_float16 x) {
  return __builtin_convertvector(((rn_int16)x - 0x3f3504f3) >> 23, rn_float16);
}

/// x / 2^n with that exponent.
RN_PURE rn_float16 rn_mantissa(rn_float16 x) {
  rn_int16 n = ((rn_int16)x - 0x3f3504f3) >> 23;
  return (rn_float16)((rn_int16)x - (n << 23));
}

/// y, the logarithm of x, or what that is where x is no positive finite number.
RN_PURE rn_float16 rn_logarithm_or_limit(rn_float16 y, rn_float16 x) {
  rn_float16 zero = 0, infinity = __builtin_inff(), nan = __builtin_nanf("");
  rn_float16 limit = x == zero ? -infinity : nan;
  y = x > zero ? y : limit;
  return x < infinity ? y : x;
}

/// y, or x where that is NaN.
RN_PURE rn_float16 rn_keep_nan(rn_float16 x, rn_float16 y) { return x == x ? y : x; }

/// x limited to low...high; NaN stays NaN.
RN_PURE rn_float16 rn_between(rn_float16 x, rn_float16 low, rn_float16 high) {
  x = high < x ? high : x;
  return low > x ? low : x;
}

/// The square roots; NaN where x is negative.
RN_PURE rn_float16 rn_square_root(rn_float16 x) { return __builtin_elementwise_sqrt(x); }

/// The larger of two magnitudes, of which NaN is the largest.
RN_PURE rn_float16 rn_max_magnitude(rn_float16 a, rn_float16 b) {
  return (rn_int16)a > (rn_int16)b ? a : b;
}

/// The largest of magnitudes, of which NaN is the largest.
RN_PURE float rn_largest_magnitude(rn_float16 x) {
  union { int32_t bits; float value; } largest = {__builtin_reduce_max((rn_int16)x)};
  return largest.value;
}

/// The larger of x and 0; NaN stays NaN.
RN_PURE rn_float16 rn_relu(rn_float16 x) {
  rn_float16 zero = 0;
  return zero > x ? zero : x;
}

/// 1 where x is positive, otherwise 0.
RN_PURE rn_float16 rn_is_positive(rn_float16 x) {
  rn_float16 zero = 0, one = 1;
  return x > zero ? one : zero;
}

RN_PURE rn_float16 rn_max(rn_float16 a, rn_float16 b) { return a > b ? a : b; }

/// The larger of a and b; NaN where either is.
RN_PURE rn_float16 rn_larger(rn_float16 a, rn_float16 b) {
  rn_float16 larger = a > b ? a : b;
  return a == a ? larger : a;
}

/// The floats at p with these numbers, and 0 where a number is negative.
RN_PURE rn_float16 rn_gather(const float *p, rn_int16 numbers) {
#if defined(__AVX512F__)
  __mmask16 is = _mm512_cmpge_epi32_mask((__m512i)numbers, _mm512_setzero_si512());
  return (rn_float16)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), is, (__m512i)numbers, p, 4);
#elif defined(__AVX2__)
  // A number's sign bit is the mask's, the other way round.
  __m256 none = _mm256_setzero_ps();
  rn_int16 is = ~numbers;
  rn_float16 x;
  x.lo = _mm256_mask_i32gather_ps(none, p, (__m256i)numbers.lo, (__m256)is.lo, 4);
  x.hi = _mm256_mask_i32gather_ps(none, p, (__m256i)numbers.hi, (__m256)is.hi, 4);
  return x;
#else
  rn_float16 x;
#pragma clang loop unroll(full)
  for (int32_t k = 0; k < 16; k++) x[k] = numbers[k] < 0 ? 0 : p[numbers[k]];
  return x;
#endif
}

/// The multiples 0 to count - 1 (of 16 at most) of a stride, as `rn_gather` takes them; -1 behind them.
RN_PURE rn_int16 rn_multiples(int32_t stride, int32_t count) {
  rn_int16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return lane < count ? lane * stride : -1;
}

/// x, with every element whose magnitude is below the threshold replaced by 0.
RN_PURE rn_float16 rn_flush(rn_float16 x, float threshold) {
  rn_float16 zero = 0, least = threshold;
  return __builtin_elementwise_abs(x) < least ? zero : x;
}

/// Not 0 where any of the first `count` (0 to 16) elements is infinite or NaN.
RN_PURE uint32_t rn_nonfinite(rn_float16 x, int32_t count) {
#if defined(__AVX512DQ__)
  return _mm512_mask_fpclass_ps_mask((__mmask16)((1u << count) - 1), (__m512)x, 0x99);
#else
  rn_int16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  rn_int16 exponent = 0x7f800000;
  rn_int16 bad = (((rn_int16)x & exponent) == exponent) & (lane < count);
  return __builtin_reduce_or(bad) != 0;
#endif
}

/// A bit for each element that is not 0, the first one's the lowest.
RN_PURE uint32_t rn_nonzero(rn_float16 x) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask((__m512)x, _mm512_setzero_ps(), _CMP_NEQ_UQ);
#else
  rn_int16 bit = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
  return __builtin_reduce_or(x != 0 ? bit : 0);
#endif
}

/// x less the nearest integer, -1/2 to 1/2.
RN_PURE rn_float16 rn_remainder(rn_float16 x) {
#if defined(__AVX512DQ__)
  return (rn_float16)_mm512_reduce_ps((__m512)x, _MM_FROUND_TO_NEAREST_INT);
#else
  return x - __builtin_elementwise_roundeven(x);
#endif
}

/// 2^n, for integers of -126...127.
RN_PURE rn_float16 rn_power_of_two(rn_float16 n) {
#if defined(__AVX512F__)
  rn_float16 one = 1;
  return (rn_float16)_mm512_scalef_ps((__m512)one, (__m512)n);
#else
  return (rn_float16)((__builtin_convertvector(n, rn_int16) + 127) << 23);
#endif
}

/// The magnitude of x, limited to the bound; for NaN anything.
RN_PURE rn_float16 rn_limited_magnitude(rn_float16 x, float bound) {
#if defined(__AVX512DQ__)
  return (rn_float16)_mm512_range_ps((__m512)x, _mm512_set1_ps(bound), 10);
#else
  rn_float16 high = bound;
  x = __builtin_elementwise_abs(x);
  return high < x ? high : x;
#endif
}

/// x, which is not negative, with the sign of y.
RN_PURE rn_float16 rn_with_sign(rn_float16 x, rn_float16 y) {
  return (rn_float16)((rn_int16)x | ((rn_int16)y & (int32_t)0x80000000));
}

/// The lower half of x, and zeros behind it.
RN_PURE rn_float16 rn_low_half(rn_float16 x) {
  rn_float16 half = 0;
  half.lo = x.lo;
  return half;
}

/// The upper half of x, and zeros behind it.
RN_PURE rn_float16 rn_high_half(rn_float16 x) {
  rn_float16 half = 0;
  half.lo = x.hi;
  return half;
}

RN_PURE rn_float16 rn_magnitude(rn_float16 x) {
  return __builtin_elementwise_abs(x);
}

/// x rounded to integers, to even where it is halfway, for magnitudes below 2^22.
RN_PURE rn_int16 rn_round(rn_float16 x) {
  rn_float16 shift = 0x1.8p23f;
  return (rn_int16)(x + shift) - (rn_int16)shift;
}

/// The sixteen half-precision floats at p.
RN_PURE rn_float16 rn_load_float16(const void *p) {
#if defined(__AVX512F__)
  return (rn_float16)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
#elif defined(__F16C__)
  rn_float16 x;
  x.lo = (rn_float8)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
  x.hi = (rn_float8)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p + 1));
  return x;
#else
  typedef uint16_t halves __attribute__((ext_vector_type(16), aligned(2)));
  rn_int16 bits = __builtin_convertvector(*(const halves *)p, rn_int16);
  rn_int16 magnitude = (bits & 0x7fff) << 13;
  // Subnormals are the difference of two normal floats.
  rn_int16 normal = magnitude + (112 << 23), subnormal = magnitude + (113 << 23);
  rn_float16 difference = (rn_float16)subnormal - 0x1p-14f;
  rn_int16 isNormal = magnitude >= (1 << 23);
  return (rn_float16)((isNormal ? normal : (rn_int16)difference) | (bits & 0x8000) << 16);
#endif
}

/// Stores x as bfloat16, rounded to nearest, ties to even.
RN_PURE void rn_store_bfloat16(rn_float16 x, void *p) {
#if defined(__AVX512BF16__)
  _mm256_storeu_si256((__m256i *)p, (__m256i)_mm512_cvtneps_pbh((__m512)x));
#else
  typedef uint16_t halves __attribute__((ext_vector_type(16), aligned(2)));
  rn_int16 bits = (rn_int16)x;
  bits += 0x7fff + ((bits >> 16) & 1);
  *(halves *)p = __builtin_convertvector(bits >> 16, halves);
#endif
}

/// sum + odd products, then + even products, each rounded once; w and x hold pairs of bfloat16.
RN_PURE rn_float16 rn_dot_bfloat16(rn_float16 sum, rn_int16 w, rn_int16 x) {
#if defined(__AVX512BF16__)
  return (rn_float16)_mm512_dpbf16_ps((__m512)sum, (__m512bh)w, (__m512bh)x);
#else
  // The products are exact, so that it makes no difference whether there is FMA.
  rn_int16 high = 0xffff0000;
  rn_float16 oddW = (rn_float16)(w & high), oddX = (rn_float16)(x & high);
  rn_float16 evenW = (rn_float16)(w << 16), evenX = (rn_float16)(x << 16);
#if defined(__FMA__) || defined(__aarch64__)
  sum = __builtin_elementwise_fma(oddW, oddX, sum);
  return __builtin_elementwise_fma(evenW, evenX, sum);
#else
  sum = oddW * oddX + sum;
  return evenW * evenX + sum;
#endif
#endif
}

/// sum + the four products of each element's unsigned bytes of x and signed bytes of w.
RN_PURE rn_int16 rn_dot_int8(rn_int16 sum, rn_int16 w, rn_int16 x) {
#if defined(__AVX512VNNI__)
  return (rn_int16)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)w);
#elif defined(__SSE2__)
  // Even and odd bytes, widened to 16 bits, whose pairs of products have instructions.
  typedef int16_t shorts __attribute__((ext_vector_type(32)));
  typedef uint16_t ushorts __attribute__((ext_vector_type(32)));
  shorts evenW = ((shorts)w << 8) >> 8, oddW = (shorts)w >> 8;
  shorts evenX = (shorts)x & 0xff, oddX = (shorts)((ushorts)x >> 8);
#if defined(__AVX2__)
#define RN_MADD(a, b)                                                          \
  sum.lo += (rn_int8)_mm256_madd_epi16((__m256i)a.lo, (__m256i)b.lo);          \
  sum.hi += (rn_int8)_mm256_madd_epi16((__m256i)a.hi, (__m256i)b.hi);
#else
#define RN_MADD(a, b)                                                          \
  sum.lo.lo += (rn_int4)_mm_madd_epi16((__m128i)a.lo.lo, (__m128i)b.lo.lo);    \
  sum.lo.hi += (rn_int4)_mm_madd_epi16((__m128i)a.lo.hi, (__m128i)b.lo.hi);    \
  sum.hi.lo += (rn_int4)_mm_madd_epi16((__m128i)a.hi.lo, (__m128i)b.hi.lo);    \
  sum.hi.hi += (rn_int4)_mm_madd_epi16((__m128i)a.hi.hi, (__m128i)b.hi.hi);
#endif
  RN_MADD(evenW, evenX)
  RN_MADD(oddW, oddX)
#undef RN_MADD
  return sum;
#else
  for (int32_t byte = 0; byte < 4; byte++)
    sum += ((w << (24 - 8 * byte)) >> 24) * ((x >> (8 * byte)) & 0xff);
  return sum;
#endif
}

RN_PURE rn_float16 rn_float(rn_int16 x) {
  return __builtin_convertvector(x, rn_float16);
}

/// Stores integers of -128...127 as unsigned bytes, 128 added.
RN_PURE void rn_store_bytes(rn_int16 x, void *p) {
  typedef uint8_t bytes __attribute__((ext_vector_type(16), aligned(1)));
  *(bytes *)p = __builtin_convertvector(x + 128, bytes);
}

/// Stores 16-bit integers as unsigned bytes: four low halves, then the four high halves with 128
/// added, and so on.
RN_PURE void rn_store_split_bytes(rn_int16 x, void *p) {
  typedef uint8_t bytes __attribute__((ext_vector_type(16)));
  typedef uint32_t words __attribute__((ext_vector_type(8), aligned(1)));
  rn_int4 low = (rn_int4)__builtin_convertvector(x & 0xff, bytes);
  rn_int4 high = (rn_int4)__builtin_convertvector((x >> 8) + 128, bytes);
  *(words *)p = (words)__builtin_shufflevector(low, high, 0, 4, 1, 5, 2, 6, 3, 7);
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

/// Whether any element is above the value, or is the value and one of the first `before`.
RN_PURE _Bool rn_any_above(rn_float16 x, float value, int32_t before) {
  rn_int16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return __builtin_reduce_or((x > value) | ((x == value) & (lane < before))) != 0;
}

/// The sum of the elements, halves added to halves: the same order everywhere.
RN_PURE float rn_sum(rn_float16 x) {
  float __attribute__((ext_vector_type(8))) a = x.lo + x.hi;
  float __attribute__((ext_vector_type(4))) b = a.lo + a.hi;
  float __attribute__((ext_vector_type(2))) c = b.lo + b.hi;
  return c.x + c.y;
}

/// x, with another element in one place.
RN_PURE rn_float16 rn_replace(rn_float16 x, int32_t place, float element) {
  rn_int16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  rn_float16 other = element;
  return lane == place ? other : x;
}

/// sum + the products of the lower eight elements, then + those of the upper ones. A product of two floats
/// has at most 48 bits, so that it makes no difference whether there is FMA.
RN_PURE rn_double8 rn_add_products(rn_float16 x, rn_float16 y, rn_double8 sum) {
  sum += __builtin_convertvector(x.lo, rn_double8) * __builtin_convertvector(y.lo, rn_double8);
  return sum + __builtin_convertvector(x.hi, rn_double8) * __builtin_convertvector(y.hi, rn_double8);
}

/// The sum of the elements, halves added to halves.
RN_PURE double rn_sum_doubles(rn_double8 x) {
  double __attribute__((ext_vector_type(4))) a = x.lo + x.hi;
  double __attribute__((ext_vector_type(2))) b = a.lo + a.hi;
  return b.x + b.y;
}

/// The largest element.
RN_PURE float rn_largest(rn_float16 x) { return __builtin_reduce_max(x); }

/// Whether the last block of a cell with gates is a half one: of at most 8 units, behind others. The
/// packer and the kernels agree on it here.
RN_PURE _Bool rn_has_half_block(int64_t units) {
  return units > 16 && units % 16 >= 1 && units % 16 <= 8;
}

/// What an instruction computes; the runtime's `ModelOperation` has the equations. (Constants and not a
/// Swift enumeration, which would bring weak code symbols into the kernels' objects.)
enum {
  RN_RNN_TANH,
  RN_RNN_RELU,
  RN_LSTM,
  RN_GRU_RESET_AFTER,
  RN_GRU_RESET_BEFORE,
  RN_DENSE,
  RN_CONVOLUTION,
  RN_EMBEDDING,
  RN_AFFINE,
  RN_PRELU,
  RN_CLIP,
  RN_ELU,
  RN_LAYER_NORM,
  RN_GATHER,
  RN_DEPTHWISE,
  RN_MAXIMUM,
  RN_TANH,
  RN_SIGMOID,
  RN_RELU,
  RN_SOFTMAX,
  RN_SOFTPLUS,
  RN_GELU,
  RN_SQUARE_ROOT,
  RN_EXPONENTIAL,
  RN_LOGARITHM,
  RN_ERROR_FUNCTION,
  RN_ADD,
  RN_MULTIPLY,
  RN_DIVIDE,
  RN_STORE, // the next state, where it is no cell's
  RN_WINDOW,
  RN_EVERY, // the step ends here unless the state says that it goes on
  RN_REVERSE, // runs over all frames of a sequence
  RN_COPY, // `inputSize` floats from `input` to `output`, neither of which need be aligned
  RN_FILL, // `inputSize` zeros from `output` on, which need not be aligned
};

/// How a step ended: the upper half of its result. The lower half is an index into the frame.
enum {
  RN_DONE,
  RN_NONFINITE_INPUT,
  RN_INDEX_OUT_OF_RANGE,
  RN_NONFINITE_RESULT,
  RN_NO_PREDICTION, // done, up to where the step ended
};

/// How an operation's matrices are packed, and what their products are made of.
enum {
  RN_NO_MATRIX,
  RN_FLOAT32,
  RN_FLOAT16,
  RN_BFLOAT16,
  RN_INT8,         // activations of 16 bits
  RN_INT8_NARROW, // activations of 8 bits
};

/// What one operation of a compiled program does. Offsets are in bytes from the start of the
/// session's block (`input` to `words`) or of the model's packed weights (`weights`).
typedef struct rn_instruction {
  uint64_t weights;
  uint16_t code;
  uint8_t format;
  uint8_t fast;       // not 0 where activations are of the fast class
  uint32_t backward;  // not 0 where panels are passed from the last to the first
  uint32_t inputSize;
  uint32_t size;
  uint32_t input;
  uint32_t input2;
  uint32_t output;
  uint32_t hidden;
  uint32_t nextHidden; // the `output` of cells
  uint32_t stateSize;
  uint32_t cell;
  uint32_t nextCell;
  uint32_t scratch;
  uint32_t words;     // room for the operands of products in a narrow type
  uint32_t inputSums; // in blocks of sequences, room for the sums of the input's parts
  uint32_t statePlaces; // 0, 1 with a hidden state, 2 with a cell state besides
  float hiddenBound;  // the largest magnitude of the hidden state, 0 where nobody knows
  uint32_t rows;      // of a window: its results, or its rows
  uint32_t columns;   // of a window: its elements, or those of a row
  uint32_t stride;    // elements from a window to the next, or steps
} rn_instruction;

/// One part of a frame: where it stands in the frame and in the block, in elements and bytes.
typedef struct rn_input {
  uint32_t first;
  uint32_t width;
  uint32_t slot;
  uint32_t indexLimit; // 0 for a vector, else the number of values that the index can take
} rn_input;

/// One part of a prediction, or a place that is checked.
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
  const rn_output *checks; // what must be finite after a step: next states, then the prediction's rest
  uint32_t instructionCount;
  uint32_t inputCount;
  uint32_t outputCount;
  uint32_t checkCount;
  uint32_t stateCheckCount;
  uint32_t frameSize;
  uint32_t predictionSize;
  uint32_t framewise; // not 0 where a state is read before the instruction that writes it
  uint32_t needsWholeSequence; // not 0 where there are no steps
} rn_program;

/// One of several streams that are stepped together, or one of several frames of a stream.
typedef struct rn_lane {
  const rn_program *program; // for the turn of this stream's state buffers
  void *block;
  const float *frame;
  float *prediction;
  // The operands of the current instruction, in the words of its format, and their scales.
  const void *inputWords;
  const void *hiddenWords;
  float inputScale;
  float hiddenScale;
  int64_t result; // how the step ended
  int64_t stream; // the caller's, untouched
} rn_lane;

enum {
  RN_BATCH = 24, // lanes that share a pass over a panel, in whole tiles
  RN_WORK_BYTES = RN_BATCH * 512, // working memory: twice four vectors a lane
  RN_WINDOW_BYTES = RN_WORK_BYTES + RN_BATCH * sizeof(rn_lane), // that of a batch of windows
};

/// Rows of frames that one thread offers to another.
typedef struct rn_job {
  int64_t first;
  int64_t count;
  int64_t refused; // how many of them were
  int32_t state; // RN_JOB_…, atomic
} rn_job;

enum {
  RN_JOB_NONE,
  RN_JOB_OFFERED,
  RN_JOB_CLAIMED,
  RN_JOB_DONE,
  RN_JOB_STOP,
};

#define RN_STEP                                                                \
  static inline __attribute__((swift_attr("@_noLocks"),                        \
                               swift_attr("@_noAllocation")))

static inline void rn_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __builtin_arm_yield();
#endif
}

/// Offers rows.
RN_STEP void rn_job_offer(rn_job *job, int64_t first, int64_t count) {
  job->first = first;
  job->count = count;
  __atomic_store_n(&job->state, RN_JOB_OFFERED, __ATOMIC_RELEASE);
}

/// Takes rows that are offered, or says with 0 that the other thread has.
RN_STEP int32_t rn_job_claim(rn_job *job) {
  int32_t offered = RN_JOB_OFFERED;
  return __atomic_compare_exchange_n(&job->state, &offered, RN_JOB_CLAIMED, 0,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/// Looks until the other thread is done.
RN_STEP void rn_job_await(rn_job *job) {
  while (__atomic_load_n(&job->state, __ATOMIC_ACQUIRE) != RN_JOB_DONE)
    rn_pause();
}

RN_STEP void rn_job_done(rn_job *job) {
  __atomic_store_n(&job->state, RN_JOB_DONE, __ATOMIC_RELEASE);
}

/// Ends the helping thread, whose work is done.
static inline void rn_job_stop(rn_job *job) {
  __atomic_store_n(&job->state, RN_JOB_STOP, __ATOMIC_RELEASE);
}

/// Looks until there are rows, and takes them; 0 at the end.
static inline int32_t rn_job_wait(rn_job *job) {
  for (;;) {
    int32_t state = __atomic_load_n(&job->state, __ATOMIC_RELAXED);
    if (state == RN_JOB_STOP) return 0;
    if (state == RN_JOB_OFFERED && rn_job_claim(job)) return 1;
    rn_pause();
  }
}

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
