internal import CKernelShims

/// Operations on windows of a vector, and on those of a stream, that are no products of matrices.
enum Windows {
  /// Shapes of an instruction's windows: rows of some elements each.
  private struct Shape {
    let count, rows, columns, stride: Int

    @inline(always)
    init(_ i: rn_instruction) {
      rows = Int(truncatingIfNeeded: i.rows)
      columns = Int(truncatingIfNeeded: i.columns)
      stride = Int(truncatingIfNeeded: i.stride)
      count = Int(truncatingIfNeeded: i.size) / columns
    }
  }

  /// For each window, the sum of its rows, each times a row of weights, and of the bias, which stands in
  /// front of them.
  @inline(always)
  static func depthwise(
    _ i: rn_instruction, _ weights: UnsafeRawPointer, _ x: UnsafePointer<Float>,
    _ y: UnsafeMutablePointer<Float>
  ) {
    let shape = Shape(i)
    let vectors = vectorCount(shape.columns)
    unsafe each(shape, x, y) { first, block, count in
      var sum = unsafe load(weights, block)
      var row = 0
      while row < shape.rows {
        let values = unsafe rn_load_first(first + row &* shape.columns, count)
        sum = unsafe rn_fma(load(weights, (row &+ 1) &* vectors &+ block), values, sum)
        row &+= 1
      }
      return flush(sum)
    }
  }

  /// For each window, the largest elements of its rows.
  @inline(always)
  static func maximum(
    _ i: rn_instruction, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
  ) {
    let shape = Shape(i)
    unsafe each(shape, x, y) { first, block, count in
      var largest = unsafe rn_load_first(first, count)
      var row = 1
      while row < shape.rows {
        largest = unsafe rn_larger(largest, rn_load_first(first + row &* shape.columns, count))
        row &+= 1
      }
      return largest
    }
  }

  /// Writes what a function gives for 16 columns of a window, from where the first row's stand.
  @inline(always)
  private static func each(
    _ shape: Shape, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    _ result: (UnsafePointer<Float>, Int, Int32) -> Vector
  ) {
    var window = 0
    while window < shape.count {
      let from = unsafe x + window &* shape.stride
      let to = unsafe y + window &* shape.columns
      var k = 0
      while k < shape.columns {
        let count = Int32(truncatingIfNeeded: min(16, shape.columns &- k))
        unsafe rn_store_first(result(from + k, k &>> 4, count), to + k, count)
        k &+= 16
      }
      window &+= 1
    }
  }

  /// The elements with the numbers that stand in the weights.
  @inline(always)
  static func gather(
    _ numbers: UnsafeRawPointer, _ x: UnsafePointer<Float>, _ size: Int,
    _ y: UnsafeMutableRawPointer
  ) {
    var k = 0
    while k < vectorCount(size) {
      unsafe store(rn_gather(x, rn_load_integers(numbers + k &* vectorBytes)), y, k)
      k &+= 1
    }
  }

  /// The frames of `rows` steps, and the state that the next step finds.
  @inline(always)
  static func window(
    _ i: rn_instruction, _ block: UnsafeMutableRawPointer, _ x: UnsafePointer<Float>,
    _ y: UnsafeMutablePointer<Float>
  ) {
    let frame = Int(truncatingIfNeeded: i.inputSize)
    let before = Int(truncatingIfNeeded: i.stateSize)
    let state = unsafe UnsafePointer(floats(block, i.hidden))
    var first = 0
    var to = unsafe y
    while first < before {
      unsafe Elementwise.copy(state + first, frame, to)
      unsafe to += frame
      first &+= frame &* Int(truncatingIfNeeded: i.stride)
    }
    unsafe Elementwise.copy(x, frame, to)
    let next = unsafe floats(block, i.nextHidden)
    unsafe Elementwise.copy(state + frame, before &- frame, next)
    unsafe Elementwise.copy(x, frame, next + (before &- frame))
  }

  /// Whether the step goes on, and counts the steps.
  @inline(always)
  static func every(_ i: rn_instruction, _ block: UnsafeMutableRawPointer) -> Bool {
    let left = unsafe floats(block, i.hidden)[0]
    let goesOn = left < 0.5
    unsafe floats(block, i.nextHidden)[0] = goesOn ? Float(i.stride) - 1 : left - 1
    return goesOn
  }

  @inline(always)
  private static func floats(
    _ block: UnsafeMutableRawPointer, _ place: UInt32
  ) -> UnsafeMutablePointer<Float> {
    unsafe (block + Int(truncatingIfNeeded: place)).assumingMemoryBound(to: Float.self)
  }
}
