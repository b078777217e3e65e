internal import CKernelShims

/// Where a recurrent cell's vectors stand.
@safe struct Cell {
  let x, h: UnsafePointer<Float>
  let c: UnsafeRawPointer
  let nextH, nextC: UnsafeMutableRawPointer
  private let words, sums: UnsafeMutableRawPointer
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
    unsafe sums = block + Int(truncatingIfNeeded: i.inputSums)
    inputSize = Int(truncatingIfNeeded: i.inputSize)
    hiddenSize = Int(truncatingIfNeeded: i.size)
    hiddenBound = i.hiddenBound
  }

  /// Whether the last block is a half one, behind others.
  @inline(always)
  var hasHalfBlock: Bool { rn_has_half_block(Int64(hiddenSize)) }

  /// Where the sums of a block stand between the phases of a sequence: those of even groups, and
  /// behind them those of odd ones.
  @inline(always)
  func inputSums(_ index: Int) -> UnsafeMutableRawPointer {
    unsafe sums + 8 &* vectorBytes &* index
  }

  /// x and h in the words of a format, which it makes.
  @inline(always)
  func operands<F: WeightFormat>(_ f: F) -> (x: Operand, h: Operand) {
    unsafe (input(f), hidden(f, h))
  }

  /// x and h in the words of a format, made before.
  @inline(always)
  func operands<F: WeightFormat>(_ f: F, _ scales: (x: Float, h: Float)) -> (
    x: Operand, h: Operand
  ) {
    unsafe (
      f.operand(x, inputSize, words, scales.x), f.operand(h, hiddenSize, hiddenWords, scales.h)
    )
  }

  /// x in the words of a format, which it makes.
  @inline(always)
  func input<F: WeightFormat>(_ f: F) -> Operand {
    unsafe f.operand(x, inputSize, words, f.prepare(x, inputSize, bound: 0, words))
  }

  /// A vector that stands in for h, in the words of a format, which it makes.
  @inline(always)
  func hidden<F: WeightFormat>(_ f: F, _ h: UnsafeRawPointer) -> Operand {
    let h = unsafe h.assumingMemoryBound(to: Float.self)
    let scale = unsafe f.prepare(h, hiddenSize, bound: hiddenBound, hiddenWords)
    return unsafe f.operand(h, hiddenSize, hiddenWords, scale)
  }

  /// Where the words of h stand: two bytes an element are enough for any format.
  @inline(always)
  private var hiddenWords: UnsafeMutableRawPointer {
    unsafe words + vectorCount(inputSize) &* 32
  }
}
