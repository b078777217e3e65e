#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The numbers that layers compute with: `Float` for work, `Double` to check gradients.
///
/// Everything that takes most of the time is a requirement, so that `Float` has its fast version in
/// one place and `Double` its plain one.
package protocol TrainingScalar: BinaryFloatingPoint, Sendable {
  /// `exp(x)`.
  static func exponential(_ x: Self) -> Self
  /// The natural logarithm of `1 + x`.
  static func logarithm(onePlus x: Self) -> Self
  /// The natural logarithm of `x`.
  static func logarithm(_ x: Self) -> Self
  /// Replaces each of `count` values by its hyperbolic tangent.
  static func applyTanh(_ values: UnsafeMutablePointer<Self>, count: Int)
  /// Replaces each of `count` values by `1 / (1 + exp(-x))`.
  static func applySigmoid(_ values: UnsafeMutablePointer<Self>, count: Int)

  /// How many numbers a packed matrix of this shape takes.
  static func packedCount(depth: Int, columns: Int) -> Int
  /// Rearranges `b`, shape `[depth, columns]`, for
  /// ``addProduct(_:stride:_:aStride:packed:rows:columns:depth:)``.
  static func pack(
    _ b: MatrixView<Self>, depth: Int, columns: Int, into packed: UnsafeMutablePointer<Self>)
  /// `C += A B`, with `A` of shape `[rows, depth]`, `B` packed, and `C` of shape `[rows, columns]`;
  /// rows of `A` and `C` are `aStride` and `stride` apart.
  ///
  /// Each element of `C` gets the products over the depth, in order, whatever the other sizes are.
  static func addProduct(
    _ c: UnsafeMutablePointer<Self>, stride: Int, _ a: UnsafePointer<Self>, aStride: Int,
    packed: UnsafeMutablePointer<Self>, rows: Int, columns: Int, depth: Int)

  /// How many numbers a product that packs for itself works with.
  static func scratchCount(depth: Int, columns: Int) -> Int
  /// The same product of any two matrices.
  ///
  /// `scratch` has room for ``scratchCount(depth:columns:)`` numbers.
  static func addProduct(
    _ c: UnsafeMutablePointer<Self>, stride: Int, _ a: MatrixView<Self>, _ b: MatrixView<Self>,
    rows: Int, columns: Int, depth: Int, scratch: UnsafeMutablePointer<Self>)
}

extension Double: TrainingScalar {
  package static func exponential(_ x: Double) -> Double { exp(x) }
  package static func logarithm(onePlus x: Double) -> Double { log1p(x) }
  package static func logarithm(_ x: Double) -> Double { log(x) }

  package static func applyTanh(_ values: UnsafeMutablePointer<Double>, count: Int) {
    for i in 0..<count { unsafe values[i] = tanh(values[i]) }
  }

  package static func applySigmoid(_ values: UnsafeMutablePointer<Double>, count: Int) {
    for i in 0..<count { unsafe values[i] = 1 / (1 + exp(-values[i])) }
  }

  package static func packedCount(depth: Int, columns: Int) -> Int { depth * columns }

  package static func pack(
    _ b: MatrixView<Double>, depth: Int, columns: Int, into packed: UnsafeMutablePointer<Double>
  ) {
    for p in 0..<depth {
      for j in 0..<columns { unsafe packed[p &* columns &+ j] = b[p, j] }
    }
  }

  package static func addProduct(
    _ c: UnsafeMutablePointer<Double>, stride: Int, _ a: UnsafePointer<Double>, aStride: Int,
    packed: UnsafeMutablePointer<Double>, rows: Int, columns: Int, depth: Int
  ) {
    unsafe add(
      c, stride, MatrixView(a, stride: aStride), MatrixView(packed, stride: columns),
      rows: rows, columns: columns, depth: depth)
  }

  package static func scratchCount(depth: Int, columns: Int) -> Int { 0 }

  package static func addProduct(
    _ c: UnsafeMutablePointer<Double>, stride: Int, _ a: MatrixView<Double>,
    _ b: MatrixView<Double>, rows: Int, columns: Int, depth: Int,
    scratch: UnsafeMutablePointer<Double>
  ) {
    unsafe add(c, stride, a, b, rows: rows, columns: columns, depth: depth)
  }

  private static func add(
    _ c: UnsafeMutablePointer<Double>, _ stride: Int, _ a: MatrixView<Double>,
    _ b: MatrixView<Double>, rows: Int, columns: Int, depth: Int
  ) {
    for i in 0..<rows {
      for j in 0..<columns {
        var sum = unsafe c[i &* stride &+ j]
        for p in 0..<depth { unsafe sum += a[i, p] * b[p, j] }
        unsafe c[i &* stride &+ j] = sum
      }
    }
  }
}

extension Float: TrainingScalar {
  package static func exponential(_ x: Float) -> Float { expf(x) }
  package static func logarithm(onePlus x: Float) -> Float { log1pf(x) }
  package static func logarithm(_ x: Float) -> Float { logf(x) }
}
