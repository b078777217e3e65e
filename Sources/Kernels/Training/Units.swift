internal import CKernelShims

// The part of a recurrent layer that is no product, for training: 16 units of a stream at a time.

/// The elements of rows that lie one behind the other, up to 16 at a time.
struct SomeUnits {
  private let rows, size: Int
  private var row = -1
  private var first: Int
  private var count: Int32 = 0

  /// Stands before the first ones.
  @inline(always)
  init(rows: Int = 1, size: Int) {
    self.rows = rows
    self.size = size
    first = size
  }

  /// Goes on to the next ones; `false` behind the last.
  @inline(always)
  mutating func advance() -> Bool {
    first &+= 16
    if first >= size {
      first = 0
      row &+= 1
    }
    count = Int32(truncatingIfNeeded: min(16, size &- first))
    return row < rows
  }

  /// How many elements of the row come before these.
  @inline(always)
  var start: Int { first }

  /// Where the units of one of a row's gates stand.
  @inline(always)
  private func place(_ gate: Int, _ gates: Int) -> Int { (row &* gates &+ gate) &* size &+ first }

  @inline(always)
  func load(_ p: UnsafePointer<Float>, _ gate: Int = 0, of gates: Int = 1) -> Vector {
    unsafe rn_load_first(p + place(gate, gates), count)
  }

  /// With `fill` behind the row's end.
  @inline(always)
  func load(_ p: UnsafePointer<Float>, orElse fill: Float) -> Vector {
    unsafe rn_keep_first(load(p), count, fill)
  }

  /// With zeros behind the row's end.
  @inline(always)
  func keep(_ x: Vector) -> Vector { rn_keep_first(x, count, 0) }

  @inline(always)
  func store(
    _ value: Vector, _ p: UnsafeMutablePointer<Float>, _ gate: Int = 0, of gates: Int = 1
  ) {
    unsafe rn_store_first(value, p + place(gate, gates), count)
  }
}

/// The derivative of a sigmoid, from its value.
@inline(always)
func sigmoidSlope(_ y: Vector) -> Vector { rn_fma(-y, y, y) }

/// The derivative of tanh, from its value.
@inline(always)
func tanhSlope(_ y: Vector) -> Vector { rn_fma(-y, y, Vector(repeating: 1)) }

/// Two sigmoids, with one division.
@inline(always)
func sigmoids(_ x: Vector, _ y: Vector) -> (Vector, Vector) {
  let (a, b) = (Exact().sigmoid(x), Exact().sigmoid(y))
  let inverse = 1 / (a.denominator * b.denominator)
  return (inverse * b.denominator, inverse * a.denominator)
}

/// tanh and a sigmoid, with one division.
@inline(always)
func tanhAndSigmoid(_ x: Vector, _ y: Vector) -> (Vector, Vector) {
  let (a, b) = (Exact().tanh(x), Exact().sigmoid(y))
  let inverse = 1 / (a.denominator * b.denominator)
  return (inverse * b.denominator * a.numerator, inverse * a.denominator)
}

/// tanh, which NaN stays NaN in.
@inline(always)
func exactTanh(_ x: Vector) -> Vector { rn_keep_nan(x, Exact().tanh(x).value) }
