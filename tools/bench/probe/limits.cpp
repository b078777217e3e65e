// limits: the time that this machine needs, at least, for one step of an LSTM or a GRU.
//
//   g++ -O3 -march=native -std=c++17 limits.cpp -o limits
//   limits                          peaks of the core, and all sizes
//   limits lstm|gru INPUT HIDDEN    one size
//   limits peaks                    peaks of the core only
//   … --json                        one JSON object instead of CSV
//
// One stream, one thread, weights and state in whatever cache holds them. A figure of a size is nanoseconds a step:
//
//   gemv_f32, gemv_f16, gemv_bf16, gemv_int8
//                      the products of a step, [4H or 3H, I + H] by [x, h], and nothing else; the first H results are
//                      the next h, so that a step waits for the one before it
//   gemv_f32_zigzag    the same in f32, every second step from the last weight to the first: what the cache kept of
//                      one step is used first in the next one
//   cell_exact         a whole f32 LSTM step, activations by way of exp
//   cell_fast          the same with a cheap rational tanh, right to a few 1e-4
//   limit_T            the yardstick for weights of type T, from the figures of the same run:
//
//                        limit(t) = best gemv of t + (cell_fast - gemv_f32)
//
//                      where the best gemv of f32 is the better direction, and the second term, the cost of the
//                      activations, is the LSTM's for a GRU of the same size too, which is then measured with it
//
// The products are tried in many shapes of tiles, and the fastest is measured. The figures of a size take turns in
// eleven rounds of 20 ms each, so that a busy neighbour disturbs all of them alike; a figure is its median round.
//
// Peaks: fma_peak (GFLOP/s of f32 multiply-adds), dpbf16_peak (GFLOP/s of bf16 dot products), dpbusd_peak (GOP/s of
// 8-bit dot products), each from registers; read_NKB (GB/s of loads from a buffer of N KB).
//
// Needs AVX-512 with VNNI and BF16, and says so where they are missing (exit code 69).
#include <cstdio>

#if !defined(__AVX512F__) || !defined(__AVX512BW__) || !defined(__AVX512VL__) || \
    !defined(__AVX512VNNI__) || !defined(__AVX512BF16__)

int main() {
  std::fputs(
      "limits: built for a CPU without AVX-512 VNNI and BF16, which every figure needs; build it with -march=native "
      "on a CPU that has them\n",
      stderr);
  return 69;
}

#else

#include <immintrin.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

constexpr int lanes = 16;  // f32 in a vector

int divided_up(int a, int b) { return (a + b - 1) / b; }
int rounded_up(int a, int b) { return divided_up(a, b) * b; }

// ---- Memory --------------------------------------------------------------------------------------------------------

// Zeroed bytes at a multiple of 64; large ones at a multiple of 2 MB, for large pages.
class Block {
 public:
  explicit Block(size_t bytes) {
    constexpr size_t large = size_t(1) << 20, page = size_t(2) << 20, slack = 4096;
    void* start = nullptr;
    if (posix_memalign(&start, bytes + slack > large ? page : 64, bytes + slack) != 0) {
      std::fprintf(stderr, "limits: no memory for a buffer of %zu bytes\n", bytes);
      std::exit(71);
    }
    std::memset(start, 0, bytes + slack);
    start_.reset(start);
  }
  template <class Element> Element* as() const { return static_cast<Element*>(start_.get()); }

 private:
  struct Free {
    void operator()(void* start) const { std::free(start); }
  };
  std::unique_ptr<void, Free> start_;
};

// ---- Weight types --------------------------------------------------------------------------------------------------
//
// A weight type says what a vector of weights covers, how an accumulator starts, takes a vector of weights and ends.
// `columns` of the matrix are side by side in each 32-bit lane, and as many inputs in each word that is broadcast.

// What stands beside the weights of a matrix, one a row.
struct Rows {
  const float* bias;
  const float* scale;     // int8 only
  const int32_t* offset;  // int8 only: undoes the 128 that makes its inputs unsigned
};

struct F32 {
  static constexpr int columns = 1, bytes = 64;
  using Sum = __m512;
  static Sum zero() { return _mm512_setzero_ps(); }
  static Sum start(const Rows& rows, int row) { return _mm512_loadu_ps(rows.bias + row); }
  static __m512 input(const uint32_t* word) { return _mm512_castsi512_ps(_mm512_set1_epi32(int(*word))); }
  static Sum add(Sum sum, const char* weights, __m512 input) {
    return _mm512_fmadd_ps(_mm512_load_ps(weights), input, sum);
  }
  static Sum plus(Sum a, Sum b) { return _mm512_add_ps(a, b); }
  static __m512 result(Sum sum, const Rows&, int) { return sum; }
};

struct F16 : F32 {
  static constexpr int bytes = 32;
  static Sum add(Sum sum, const char* weights, __m512 input) {
    const __m256i halves = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
    return _mm512_fmadd_ps(_mm512_cvtph_ps(halves), input, sum);
  }
};

struct BF16 : F32 {
  static constexpr int columns = 2, bytes = 64;
  static __m512i input(const uint32_t* word) { return _mm512_set1_epi32(int(*word)); }
  static Sum add(Sum sum, const char* weights, __m512i input) {
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_load_si512(weights), (__m512bh)input);
  }
};

struct Int8 {
  static constexpr int columns = 4, bytes = 64;
  using Sum = __m512i;
  static Sum zero() { return _mm512_setzero_si512(); }
  static Sum start(const Rows& rows, int row) { return _mm512_loadu_si512(rows.offset + row); }
  static __m512i input(const uint32_t* word) { return _mm512_set1_epi32(int(*word)); }
  static Sum add(Sum sum, const char* weights, __m512i input) {
    return _mm512_dpbusd_epi32(sum, input, _mm512_load_si512(weights));
  }
  static Sum plus(Sum a, Sum b) { return _mm512_add_epi32(a, b); }
  static __m512 result(Sum sum, const Rows& rows, int row) {
    return _mm512_fmadd_ps(
        _mm512_cvtepi32_ps(sum), _mm512_loadu_ps(rows.scale + row), _mm512_loadu_ps(rows.bias + row));
  }
};

// ---- The product ---------------------------------------------------------------------------------------------------

// Calls body(0), body(1), … with constants, so that arrays indexed by them become registers.
template <class Body, int... Index>
[[gnu::always_inline]] inline void each(std::integer_sequence<int, Index...>, Body&& body) {
  (body(std::integral_constant<int, Index>()), ...);
}
template <int count, class Body> [[gnu::always_inline]] inline void each(Body&& body) {
  each(std::make_integer_sequence<int, count>(), body);
}
#define INLINE __attribute__((always_inline))

struct Matrix {
  const char* weights;  // [panels][words][height] vectors
  int words;            // 32-bit words of inputs: columns / Type::columns
  int panels;           // of height × 16 rows
  Rows rows;
};

// y = W x + b for panels of `height` vectors of rows, with `ahead` independent accumulators for each of them.
template <class Type, int height, int ahead, bool backward>
void product(const Matrix& given, const uint32_t* x, float* y) {
  const Matrix matrix = given;  // A copy, which the stores to y cannot have changed.
  constexpr int stride = height * Type::bytes;
  const int words = matrix.words, whole = words / ahead * ahead;
  const int first = backward ? matrix.panels - 1 : 0, end = backward ? -1 : matrix.panels;
  for (int panel = first; panel != end; panel += backward ? -1 : 1) {
    const char* weights = matrix.weights + size_t(panel) * words * stride;
    const int row = panel * height * lanes;
    typename Type::Sum sums[ahead][height];
    each<height>([&](auto v) INLINE { sums[0][v] = Type::start(matrix.rows, row + v * lanes); });
    each<ahead - 1>([&](auto a) INLINE { each<height>([&](auto v) INLINE { sums[a + 1][v] = Type::zero(); }); });
    const auto several = [&](int word) INLINE {
      each<ahead>([&](auto a) INLINE {
        const auto input = Type::input(x + word + a);
        const char* vectors = weights + size_t(word + a) * stride;
        each<height>([&](auto v) INLINE { sums[a][v] = Type::add(sums[a][v], vectors + v * Type::bytes, input); });
      });
    };
    const auto one = [&](int word) INLINE {
      const auto input = Type::input(x + word);
      const char* vectors = weights + size_t(word) * stride;
      each<height>([&](auto v) INLINE { sums[0][v] = Type::add(sums[0][v], vectors + v * Type::bytes, input); });
    };
    if (backward) {
      for (int word = words - 1; word >= whole; word--) one(word);
      for (int word = whole - ahead; word >= 0; word -= ahead) several(word);
    } else {
      for (int word = 0; word < whole; word += ahead) several(word);
      for (int word = whole; word < words; word++) one(word);
    }
    each<height>([&](auto v) INLINE {
      auto sum = sums[0][v];
      each<ahead - 1>([&](auto a) INLINE { sum = Type::plus(sum, sums[a + 1][v]); });
      _mm512_storeu_ps(y + row + v * lanes, Type::result(sum, matrix.rows, row + v * lanes));
    });
  }
}

using Product = void (*)(const Matrix&, const uint32_t*, float*);

// The same product in another shape: how many vectors of rows a panel has, and accumulators for each.
struct Tile {
  int height;
  Product forward, backward;
};

template <class Type, int... shapes> std::vector<Tile> tiles(std::integer_sequence<int, shapes...>) {
  return {Tile{
      shapes / 100, product<Type, shapes / 100, shapes % 100, false>,
      product<Type, shapes / 100, shapes % 100, true>}...};
}
// Heights and accumulators that fit into 32 registers, as 100 × height + accumulators.
using Shapes = std::integer_sequence<
    int, 101, 104, 108, 201, 202, 204, 208, 301, 302, 304, 401, 402, 404, 501, 502, 601, 602, 604, 801, 802, 1001,
    1002, 1201, 1202, 1601, 2001, 2401>;

// ---- Activations ---------------------------------------------------------------------------------------------------

__m512 all(float value) { return _mm512_set1_ps(value); }

// e^x = 2^n e^f with |f| ≤ ln 2 / 2, and e^f by its series up to f^6 / 720. ln 2 is taken off in two parts, the first
// of which has so few bits that n times it is exact.
__m512 exponential(__m512 x) {
  constexpr float ln2_high = 0.693145751953125f, ln2_low = 1.428606765330187e-6f, log2_e = 1.4426950408889634f;
  const __m512 bounded = _mm512_max_ps(_mm512_min_ps(x, all(87)), all(-87));
  const __m512 n =
      _mm512_roundscale_ps(_mm512_mul_ps(bounded, all(log2_e)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 f = _mm512_fnmadd_ps(n, all(ln2_low), _mm512_fnmadd_ps(n, all(ln2_high), bounded));
  __m512 series = all(1.0f / 720);
  for (const float coefficient : {1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f})
    series = _mm512_fmadd_ps(series, f, all(coefficient));
  return _mm512_scalef_ps(series, n);
}

struct Exact {
  static __m512 sigmoid(__m512 x) {
    return _mm512_div_ps(all(1), _mm512_add_ps(all(1), exponential(_mm512_sub_ps(all(0), x))));
  }
  static __m512 tanh(__m512 x) {
    const __m512 e = exponential(_mm512_mul_ps(x, all(-2)));
    return _mm512_div_ps(_mm512_sub_ps(all(1), e), _mm512_add_ps(all(1), e));
  }
};

// The rational that audio models use, with |x| for what an even polynomial would need more terms for:
// tanh(x) ≈ x (a + a|x| + (b + c|x|) x²) / (d + (d + x²) |x + e x|x||).
struct Fast {
  static __m512 tanh(__m512 x) {
    constexpr float a = 2.45550750702956f, b = 0.893229853513558f, c = 0.821226666969744f, d = 2.44506634652299f,
                    e = 0.814642734961073f;
    const __m512 size = _mm512_abs_ps(x), square = _mm512_mul_ps(x, x);
    const __m512 low = _mm512_fmadd_ps(all(a), size, all(a)), high = _mm512_fmadd_ps(all(c), size, all(b));
    const __m512 bent = _mm512_abs_ps(_mm512_fmadd_ps(_mm512_mul_ps(all(e), x), size, x));
    return _mm512_div_ps(
        _mm512_mul_ps(x, _mm512_fmadd_ps(high, square, low)),
        _mm512_fmadd_ps(_mm512_add_ps(all(d), square), bent, all(d)));
  }
  static __m512 sigmoid(__m512 x) {
    return _mm512_fmadd_ps(all(0.5f), tanh(_mm512_mul_ps(all(0.5f), x)), all(0.5f));
  }
};

// ---- Timing --------------------------------------------------------------------------------------------------------

volatile float kept;  // what the compiler must believe to be needed

double nanoseconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return double(time.tv_sec) * 1e9 + double(time.tv_nsec);
}

// Does `count` steps.
using Steps = std::function<void(long count)>;

double duration(const Steps& steps, long count) {
  const double start = nanoseconds();
  steps(count);
  return nanoseconds() - start;
}

// How many steps take so long, about; which also warms up.
long steps_in(double goal, const Steps& steps) {
  long count = 16;
  double time = duration(steps, count);
  while (time < goal / 4) {
    count *= 2;
    time = duration(steps, count);
  }
  return std::max(16L, long(double(count) * goal / time));
}

// Nanoseconds a step, the best of five short runs: for choosing, and for what has a ceiling.
double best_time(const Steps& steps) {
  const long count = steps_in(1.5e6, steps);
  double best = duration(steps, count);
  for (int run = 1; run < 5; run++) best = std::min(best, duration(steps, count));
  return best / double(count);
}

// A figure that is to be measured: its steps, and the memory that they use.
struct Subject {
  std::string cell, name;
  Steps steps;
};

// The median nanoseconds a step of each subject, over rounds in which all take turns.
std::vector<double> medians(const std::vector<Subject>& subjects) {
  constexpr int rounds = 11;
  constexpr double round_time = 2e7;
  std::vector<long> counts;
  for (const Subject& subject : subjects) counts.push_back(steps_in(round_time, subject.steps));
  std::vector<std::vector<double>> times(subjects.size());
  for (int round = 0; round < rounds; round++)
    for (size_t i = 0; i < subjects.size(); i++)
      times[i].push_back(duration(subjects[i].steps, counts[i]) / double(counts[i]));
  std::vector<double> result;
  for (auto& list : times) {
    std::sort(list.begin(), list.end());
    result.push_back(list[rounds / 2]);
  }
  return result;
}

// ---- Subjects ------------------------------------------------------------------------------------------------------

struct Size {
  int input, hidden;
  int columns() const { return input + hidden; }
};

// Frames in -1…1 that steps go through again and again.
class Frames {
 public:
  explicit Frames(int size) : size_(size), values_(size_t(count) * size) {
    std::mt19937 generator(7);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (float& value : values_) value = uniform(generator);
  }
  const float* at(long step) const { return values_.data() + size_t(step % count) * size_; }

 private:
  static constexpr long count = 256;
  int size_;
  std::vector<float> values_;
};

// The operands of a product, [rows, columns] by [x, h], with all that a step writes.
struct Operands {
  Operands(int rows, int words, int bytes_of_word)
      : weights(size_t(rows) * words * bytes_of_word),
        bias(size_t(rows) * 4),
        scale(size_t(rows) * 4),
        offset(size_t(rows) * 4),
        x(size_t(words) * 4 + 256),
        y(size_t(rows) * 4),
        rows(rows),
        words(words) {}
  Block weights, bias, scale, offset, x, y;
  int rows, words;

  Matrix matrix(const Tile& tile) const {
    return {
        weights.as<char>(), words, rows / lanes / tile.height,
        Rows{bias.as<float>(), scale.as<float>(), offset.as<int32_t>()}};
  }
};

// The weights of a product alone: uniform, and so small that a state that is a product stays small.
template <class Type> void fill(const Operands& operands, float bound) {
  std::mt19937 generator(11);
  std::uniform_real_distribution<float> uniform(-bound, bound);
  const size_t count = size_t(operands.rows) * operands.words * Type::columns;
  for (size_t i = 0; i < count; i++) {
    const float value = uniform(generator);
    if constexpr (std::is_same_v<Type, F32>) {
      operands.weights.as<float>()[i] = value;
    } else if constexpr (std::is_same_v<Type, F16>) {
      operands.weights.as<uint16_t>()[i] = _cvtss_sh(value, 0);
    } else if constexpr (std::is_same_v<Type, BF16>) {
      uint32_t bits;
      std::memcpy(&bits, &value, 4);
      operands.weights.as<uint16_t>()[i] = uint16_t(bits >> 16);
    } else {
      operands.weights.as<int8_t>()[i] = int8_t(value / bound * 127);
    }
  }
  for (int row = 0; row < operands.rows; row++) {
    operands.bias.as<float>()[row] = 0.01f * float(row % 7);
    operands.scale.as<float>()[row] = bound / (127 * 127);
  }
}

// Makes the first results the next state, in the type that the product takes its inputs in.
template <class Type> void feed_back(uint32_t* x, const float* y, Size size) {
  if constexpr (Type::columns == 1) {
    std::memcpy(x + size.input, y, size_t(size.hidden) * 4);
  } else if constexpr (Type::columns == 2) {
    uint16_t* state = reinterpret_cast<uint16_t*>(x) + size.input;
    for (int unit = 0; unit < size.hidden; unit += lanes)
      _mm256_storeu_si256(
          reinterpret_cast<__m256i*>(state + unit), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(y + unit)));
  } else {
    uint8_t* state = reinterpret_cast<uint8_t*>(x) + size.input;
    for (int unit = 0; unit < size.hidden; unit += lanes) {
      const __m512i rounded = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(y + unit), all(127)));
      _mm_storeu_si128(
          reinterpret_cast<__m128i*>(state + unit),
          _mm_xor_si128(_mm512_cvtsepi32_epi8(rounded), _mm_set1_epi8(char(0x80))));
    }
  }
}

// The fastest of the tiles whose height divides the matrix.
template <class Type, class OneStep> Tile fastest_tile(int rows, OneStep&& one_step) {
  double best_so_far = 0;
  Tile best{0, nullptr, nullptr};
  for (const Tile& tile : tiles<Type>(Shapes())) {
    if (rows / lanes % tile.height != 0) continue;
    const double time = best_time([&](long count) {
      for (long i = 0; i < count; i++) one_step(tile, i);
    });
    if (best.height == 0 || time < best_so_far) {
      best_so_far = time;
      best = tile;
    }
  }
  return best;
}

template <class Type, bool zigzag>
Subject product_alone(const char* cell, const char* name, int gates, const Size& size) {
  const int rows = rounded_up(gates * size.hidden, lanes), words = divided_up(size.columns(), Type::columns);
  const std::shared_ptr<Operands> operands = std::make_shared<Operands>(rows, words, Type::bytes / lanes);
  fill<Type>(*operands, 0.5f / std::sqrt(float(size.columns())));
  const auto one_step = [size](const Tile& tile, const Matrix& matrix, uint32_t* x, float* y, long i) INLINE {
    const Product product = zigzag && i % 2 == 1 ? tile.backward : tile.forward;
    product(matrix, x, y);
    feed_back<Type>(x, y, size);
  };
  const Tile tile = fastest_tile<Type>(rows, [&](const Tile& tile, long i) {
    one_step(tile, operands->matrix(tile), operands->x.as<uint32_t>(), operands->y.as<float>(), i);
  });
  const auto frames = std::make_shared<Frames>(size.input);
  return {cell, name, [=](long count) {
            const Tile chosen = tile;
            const Matrix matrix = operands->matrix(chosen);
            uint32_t* x = operands->x.as<uint32_t>();
            float* y = operands->y.as<float>();
            for (long i = 0; i < count; i++) {
              if (Type::columns == 1) std::memcpy(x, frames->at(i), size_t(size.input) * 4);
              one_step(chosen, matrix, x, y, i);
            }
            kept = y[0];
          }};
}

template <class Activation> Subject whole_cell(const char* name, const Size& size) {
  constexpr int gates = 4;
  const int padded = rounded_up(size.hidden, lanes), rows = gates * padded;
  const std::shared_ptr<Operands> operands = std::make_shared<Operands>(rows, size.columns(), 4);
  const auto cells = std::make_shared<Block>(size_t(padded) * 4);
  std::mt19937 generator(13);
  const float bound = 1 / std::sqrt(float(size.hidden));
  std::uniform_real_distribution<float> uniform(-bound, bound);
  // Lays the weights out for a tile; the rows that pad a gate stay zero.
  const auto lay_out = [&](const Tile& tile) {
    const int height = tile.height * lanes;
    for (int row = 0; row < rows; row++)
      for (int column = 0; column < size.columns(); column++)
        operands->weights.as<float>()
            [(size_t(row / height) * size.columns() + size_t(column)) * height + size_t(row % height)] =
            row % padded < size.hidden ? uniform(generator) : 0;
  };
  // While tiles are compared the weights are all zero: the time does not depend on them.
  const Tile tile = fastest_tile<F32>(rows, [&](const Tile& tile, long) {
    tile.forward(operands->matrix(tile), operands->x.as<uint32_t>(), operands->y.as<float>());
    operands->x.as<float>()[size.input] = operands->y.as<float>()[0] * 0.1f;
  });
  lay_out(tile);
  const auto frames = std::make_shared<Frames>(size.input);
  return {"lstm", name, [=](long count) {
            const Matrix matrix = operands->matrix(tile);
            float *x = operands->x.as<float>(), *c = cells->as<float>();
            const float* y = operands->y.as<float>();
            for (long i = 0; i < count; i++) {
              std::memcpy(x, frames->at(i), size_t(size.input) * 4);
              tile.forward(matrix, operands->x.as<uint32_t>(), operands->y.as<float>());
              for (int unit = 0; unit < padded; unit += lanes) {
                const auto gate = [&](int number) INLINE { return _mm512_load_ps(y + number * padded + unit); };
                const __m512 taken = _mm512_mul_ps(Activation::sigmoid(gate(0)), Activation::tanh(gate(2)));
                const __m512 cell = _mm512_fmadd_ps(Activation::sigmoid(gate(1)), _mm512_load_ps(c + unit), taken);
                const __m512 state = _mm512_mul_ps(Activation::sigmoid(gate(3)), Activation::tanh(cell));
                _mm512_store_ps(c + unit, cell);
                const int left = std::min(size.hidden - unit, lanes);
                _mm512_mask_storeu_ps(x + size.input + unit, __mmask16((1u << left) - 1), state);
              }
            }
            kept = x[size.input];
          }};
}

// ---- Figures -------------------------------------------------------------------------------------------------------

struct Figure {
  std::string cell;  // "-" for what belongs to no size
  Size size;
  std::string name;
  double value;
};

class Report {
 public:
  explicit Report(bool json) : json_(json) {
    if (!json_) std::puts("cell,input,hidden,figure,value");
  }
  void add(const Figure& figure) {
    if (json_) {
      figures_.push_back(figure);
    } else {
      std::printf(
          "%s,%d,%d,%s,%.6g\n", figure.cell.c_str(), figure.size.input, figure.size.hidden, figure.name.c_str(),
          figure.value);
      std::fflush(stdout);
    }
  }
  // Whether all of it could be written.
  bool finish() const {
    if (json_) {
      std::printf("{\"figures\":[");
      for (size_t i = 0; i < figures_.size(); i++)
        std::printf(
            "%s{\"cell\":\"%s\",\"input\":%d,\"hidden\":%d,\"figure\":\"%s\",\"value\":%.6g}", i == 0 ? "" : ",",
            figures_[i].cell.c_str(), figures_[i].size.input, figures_[i].size.hidden, figures_[i].name.c_str(),
            figures_[i].value);
      std::printf("]}\n");
    }
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  }

 private:
  bool json_;
  std::vector<Figure> figures_;
};

// All figures of one size, of the cells that are asked for, and the limits that follow.
void measure_size(const Size& size, bool with_lstm, bool with_gru, Report& report) {
  std::vector<Subject> subjects;
  const auto add_products = [&](const char* cell, int gates) {
    subjects.push_back(product_alone<F32, false>(cell, "gemv_f32", gates, size));
    subjects.push_back(product_alone<F32, true>(cell, "gemv_f32_zigzag", gates, size));
    subjects.push_back(product_alone<F16, false>(cell, "gemv_f16", gates, size));
    subjects.push_back(product_alone<BF16, false>(cell, "gemv_bf16", gates, size));
    subjects.push_back(product_alone<Int8, false>(cell, "gemv_int8", gates, size));
  };
  if (with_lstm) {
    add_products("lstm", 4);
    subjects.push_back(whole_cell<Exact>("cell_exact", size));
  } else {
    subjects.push_back(product_alone<F32, false>("lstm", "gemv_f32", 4, size));
  }
  subjects.push_back(whole_cell<Fast>("cell_fast", size));
  if (with_gru) add_products("gru", 3);

  const std::vector<double> values = medians(subjects);
  const auto value = [&](const std::string& cell, const std::string& name) {
    for (size_t i = 0; i < subjects.size(); i++)
      if (subjects[i].cell == cell && subjects[i].name == name) return values[i];
    std::abort();
  };
  for (size_t i = 0; i < subjects.size(); i++) report.add({subjects[i].cell, size, subjects[i].name, values[i]});
  const double activations = value("lstm", "cell_fast") - value("lstm", "gemv_f32");
  for (const std::string cell : {"lstm", "gru"}) {
    if (cell == "lstm" ? !with_lstm : !with_gru) continue;
    const double f32 = std::min(value(cell, "gemv_f32"), value(cell, "gemv_f32_zigzag"));
    report.add({cell, size, "limit_f32", f32 + activations});
    for (const std::string type : {"f16", "bf16", "int8"})
      report.add({cell, size, "limit_" + type, value(cell, "gemv_" + type) + activations});
  }
}

// 10^9 operations a second of an instruction that adds to its accumulator, sixteen of which are under way.
template <class Sum, class Instruction> double peak(int operations, Sum start, Instruction&& instruction) {
  constexpr int accumulators = 16;
  Sum sums[accumulators];
  std::fill(std::begin(sums), std::end(sums), start);
  const double time = best_time([&](long count) {
    Sum registers[accumulators];
    each<accumulators>([&](auto a) INLINE { registers[a] = sums[a]; });
    for (long i = 0; i < count * 100; i++)
      each<accumulators>([&](auto a) INLINE { registers[a] = instruction(registers[a]); });
    each<accumulators>([&](auto a) INLINE { sums[a] = registers[a]; });
  });
  float sum = 0;
  for (const Sum& vector : sums) {
    float values[lanes];
    std::memcpy(values, &vector, sizeof values);
    for (const float value : values) sum += value;
  }
  kept = sum;
  return operations * accumulators * 100 / time;
}

double read_speed(int kilobytes) {
  const Block block(size_t(kilobytes) * 1024);
  const double time = best_time([&](long count) {
    for (long i = 0; i < count; i++) {
      constexpr int loads = 16;
      __m512 sums[loads];
      each<loads>([&](auto l) INLINE { sums[l] = _mm512_setzero_ps(); });
      const float* end = block.as<float>() + size_t(kilobytes) * 256;
      for (const float* at = block.as<float>(); at != end; at += loads * lanes)
        each<loads>([&](auto l) INLINE { sums[l] = _mm512_add_ps(sums[l], _mm512_load_ps(at + l * lanes)); });
      __m512 sum = sums[0];
      each<loads - 1>([&](auto l) INLINE { sum = _mm512_add_ps(sum, sums[l + 1]); });
      kept = _mm512_cvtss_f32(sum);
    }
  });
  return kilobytes * 1024.0 / time;
}

void measure_peaks(Report& report) {
  const Size none{0, 0};
  const __m512 near_one = all(0.999f), little = all(0.001f);
  report.add({"-", none, "fma_peak", peak(2 * lanes, all(1), [&](__m512 sum) INLINE {
                return _mm512_fmadd_ps(sum, near_one, little);
              })});
  const __m512i pairs = _mm512_set1_epi32(0x3A003A00), fours = _mm512_set1_epi32(0x01010101);
  report.add({"-", none, "dpbf16_peak", peak(4 * lanes, all(0), [&](__m512 sum) INLINE {
                return _mm512_dpbf16_ps(sum, (__m512bh)pairs, (__m512bh)pairs);
              })});
  report.add({"-", none, "dpbusd_peak", peak(8 * lanes, _mm512_setzero_si512(), [&](__m512i sum) INLINE {
                return _mm512_dpbusd_epi32(sum, fours, fours);
              })});
  for (const int kilobytes : {24, 40, 128, 384, 768, 1200, 4096, 16384, 65536})
    report.add({"-", none, "read_" + std::to_string(kilobytes) + "KB", read_speed(kilobytes)});
}

// ---- Command line --------------------------------------------------------------------------------------------------

// A size from the command line, or 0 where the text is none.
int size_from(const std::string& text) {
  char* end = nullptr;
  errno = 0;
  const long value = std::strtol(text.c_str(), &end, 10);
  return errno == 0 && end != text.c_str() && *end == 0 && value >= 1 && value <= 8192 ? int(value) : 0;
}

int run(std::vector<std::string> arguments) {
  const auto option = std::find(arguments.begin(), arguments.end(), "--json");
  const bool json = option != arguments.end();
  if (json) arguments.erase(option);
  if (arguments.empty()) {
    Report report(json);
    measure_peaks(report);
    for (const Size size : {Size{1, 8}, {1, 16}, {1, 32}, {1, 40}, {1, 64}, {8, 24}, {32, 64}, {64, 128}, {40, 256},
                            {128, 512}, {256, 1024}})
      measure_size(size, true, true, report);
    return report.finish() ? 0 : 74;
  }
  if (arguments.size() == 1 && arguments[0] == "peaks") {
    Report report(json);
    measure_peaks(report);
    return report.finish() ? 0 : 74;
  }
  if (arguments.size() == 3 && (arguments[0] == "lstm" || arguments[0] == "gru")) {
    const Size size{size_from(arguments[1]), size_from(arguments[2])};
    if (size.input != 0 && size.hidden != 0) {
      Report report(json);
      measure_size(size, arguments[0] == "lstm", arguments[0] == "gru", report);
      return report.finish() ? 0 : 74;
    }
  }
  std::fputs(
      "usage: limits [lstm|gru INPUT HIDDEN | peaks] [--json]\n"
      "INPUT and HIDDEN are whole numbers from 1 to 8192; the top of limits.cpp says what is measured\n",
      stderr);
  return 64;
}

}  // namespace

int main(int count, char** arguments) {
  if (!__builtin_cpu_supports("avx512vnni") || !__builtin_cpu_supports("avx512bf16")) {
    std::fputs(
        "limits: this CPU has no AVX-512 VNNI and BF16, which every figure needs; run it on one that has\n", stderr);
    return 69;
  }
  return run(std::vector<std::string>(arguments + 1, arguments + count));
}

#endif
