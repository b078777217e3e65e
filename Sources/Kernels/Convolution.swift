internal import CKernelShims

/// A product for each window of a vector.
///
/// Windows are lanes of their own, of one stream or of several, which share passes over the weights; the
/// scratch has working memory and lanes for a batch of them, a window's copy, and their words.
enum Convolution {
  @inline(never)
  static func step<F: WeightFormat>(
    _ f: F, _ instruction: UnsafePointer<rn_instruction>, _ block: UnsafeMutableRawPointer,
    _ weights: UnsafeRawPointer
  ) {
    let i = unsafe instruction.pointee
    let cell = unsafe Cell(i, block, weights)
    unsafe run(f, i, cell.weights, block + Int(truncatingIfNeeded: i.scratch), 1) { _ in cell }
  }

  /// The windows of several lanes.
  @inline(never)
  static func run<F: WeightFormat>(_ f: F, _ lanes: LaneContext, _ count: Int) {
    unsafe run(f, lanes.first.pointee, lanes.cell.weights, lanes.scratch, count) {
      lanes.advanced(by: $0).cell
    }
  }

  /// - Parameter cell: Where the vectors of a lane stand.
  @inline(always)
  private static func run<F: WeightFormat>(
    _ f: F, _ i: rn_instruction, _ weights: UnsafeRawPointer, _ scratch: UnsafeMutableRawPointer,
    _ count: Int, _ cell: (Int) -> Cell
  ) {
    let rows = Int(truncatingIfNeeded: i.rows)
    let columns = Int(truncatingIfNeeded: i.columns)
    let stride = Int(truncatingIfNeeded: i.stride)
    let windows = Int(truncatingIfNeeded: i.size) / rows
    let lanes = unsafe (scratch + RN_WORK_BYTES).assumingMemoryBound(to: rn_lane.self)
    let copy = unsafe (scratch + wholeLines(RN_WINDOW_BYTES)).assumingMemoryBound(to: Float.self)
    let words = unsafe UnsafeMutableRawPointer(copy) + vectorCount(columns) &* vectorBytes
    var lane = 0
    var window = 0
    while lane < count {
      var size = 0
      var groups = 0
      while size < RN_BATCH && lane < count {
        let cell = cell(lane)
        var x = unsafe cell.x + window &* stride
        if f.hasWords {
          unsafe Elementwise.copy(x, columns, copy)
          unsafe x = UnsafePointer(copy)
        }
        let own = unsafe words + size &* vectorCount(columns) &* 32
        let scale = unsafe f.prepare(x, columns, bound: 0, own)
        let operand = unsafe f.operand(x, columns, own, scale)
        groups = operand.groups
        unsafe lanes[size].inputWords = operand.words
        unsafe lanes[size].inputScale = operand.scale
        unsafe lanes[size].block = cell.nextH + 4 &* window &* rows
        size &+= 1
        window &+= 1
        if window == windows {
          window = 0
          lane &+= 1
        }
      }
      unsafe Rows.product(
        f, weights, blocks: vectorCount(rows), PartSizes(x: groups, h: 0),
        LaneContext(lanes, 0, weights, scratch), size, .block(rows))
    }
  }
}
