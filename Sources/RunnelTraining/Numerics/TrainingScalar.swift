/// The numbers that layers compute with: `Float` for work, `Double` to check gradients.
///
/// Everything that takes most of the time is a requirement, so that `Float` has its fast version in
/// one place and `Double` its plain one.
package protocol TrainingScalar: BinaryFloatingPoint, RecurrentScalar, Sendable {
  /// `exp(x)`.
  static func exponential(_ x: Self) -> Self
  /// The natural logarithm of `1 + x`.
  static func logarithm(onePlus x: Self) -> Self

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

  /// The same; where `A` is mostly zeros, as one-hot rows are, in less time.
  static func addProductOfInput(
    _ c: UnsafeMutablePointer<Self>, stride: Int, _ a: UnsafePointer<Self>, aStride: Int,
    packed: UnsafeMutablePointer<Self>, rows: Int, columns: Int, depth: Int)

  /// How many numbers a product that packs for itself works with.
  static func scratchCount(rows: Int, columns: Int, depth: Int) -> Int
  /// The same product of any two matrices.
  ///
  /// `scratch` has room for ``scratchCount(rows:columns:depth:)`` numbers.
  static func addProduct(
    _ c: UnsafeMutablePointer<Self>, stride: Int, _ a: MatrixView<Self>, _ b: MatrixView<Self>,
    rows: Int, columns: Int, depth: Int, scratch: UnsafeMutablePointer<Self>)

  /// Softmax cross-entropy of rows of outputs, `[rows, size]`: the sum of weight × loss, and the
  /// gradient of `scale` times that, as ``Loss/evaluate(_:size:targets:labelSmoothing:scale:gradient:)``.
  static func softmaxCrossEntropy(
    _ outputs: UnsafePointer<Self>, size: Int, classes: UnsafePointer<Int>,
    weights: UnsafePointer<Self>, rows: Int, smoothing: Self, scale: Self,
    gradient: UnsafeMutablePointer<Self>?
  ) -> Double

  /// Adds the rows of a matrix, which are `stride` apart, to `sum`, `[size]`, one after the other.
  static func addRows(
    _ x: UnsafePointer<Self>, stride: Int, rows: Int, size: Int, to sum: UnsafeMutablePointer<Self>)
  /// `sum += addend`, each `[count]`.
  static func add(_ addend: UnsafePointer<Self>, to sum: UnsafeMutablePointer<Self>, count: Int)
  /// The sum of the squares.
  static func sumOfSquares(_ values: UnsafePointer<Self>, count: Int) -> Double
  /// Moves parameters as Adam does, with `m` and `v` in `mean` and `square`:
  ///
  ///     m' = beta1 m + (1 - beta1) g               v' = beta2 v + (1 - beta2) g²
  ///     p' = decay p - rate m' / (√v' / correction + epsilon)
  static func adam(
    _ parameters: UnsafeMutablePointer<Self>, mean: UnsafeMutablePointer<Self>,
    square: UnsafeMutablePointer<Self>, gradients: UnsafePointer<Self>, count: Int, rate: Self,
    correction: Self, decay: Self, beta1: Self, beta2: Self, epsilon: Self)
}
