internal import CKernelShims

/// Where a recurrent cell's vectors stand.
@safe struct Cell {
  let x, h: UnsafePointer<Float>
  let c: UnsafeRawPointer
  let nextH, nextC: UnsafeMutableRawPointer
  private let words: UnsafeMutableRawPointer
  let weights: UnsafeRawPointer
  let inputSize, hiddenSize: Int
  private let hiddenBound: Float

  @inline(always)
  init(_ i: rn_instruction, _ block: UnsafeMutableRawPointer, _ weights: UnsafeRawPointer) {
    unsafe self.weights = weights + Int(truncatingIfNeeded: i.weights)
    let floats = UnsafeRawPointer(block)
    unsafe x = (floats + Int(truncatingIfNeeded: i.input)).assumingMemoryBound(to: Float.self)
    unsafe h = (floats + Int(truncatingIfNeeded: i.hidden)).assumingMemoryBound(to: Float.self)
    unsafe c = floats + Int(truncatingIfNeeded: i.cell)
    unsafe nextH = block + Int(truncatingIfNeeded: i.output)
    unsafe nextC = block + Int(truncatingIfNeeded: i.nextCell)
    unsafe words = block + Int(truncatingIfNeeded: i.words)
    inputSize = Int(truncatingIfNeeded: i.inputSize)
    hiddenSize = Int(truncatingIfNeeded: i.size)
    hiddenBound = i.hiddenBound
  }

  /// x and h in the words of a format.
  @inline(always)
  func operands<F: WeightFormat>(_ f: F) -> (x: Operand, h: Operand) {
    // Two bytes an element are enough for any format.
    let second = unsafe words + vectorCount(inputSize) &* 32
    return unsafe (
      f.operand(x, inputSize, bound: 0, words), f.operand(h, hiddenSize, bound: hiddenBound, second)
    )
  }

  /// x in the words of a format.
  @inline(always)
  func input<F: WeightFormat>(_ f: F) -> Operand {
    unsafe f.operand(x, inputSize, bound: 0, words)
  }

  /// A vector that stands in for h, in the words of a format.
  @inline(always)
  func hidden<F: WeightFormat>(_ f: F, _ h: UnsafeRawPointer) -> Operand {
    unsafe f.operand(
      h.assumingMemoryBound(to: Float.self), hiddenSize, bound: hiddenBound,
      words + vectorCount(inputSize) &* 32)
  }
}
