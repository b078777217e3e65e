internal import CKernelShims

/// A panel, whose products are added for many lanes.
@safe private struct LaneProduct<S: Sums> {
  private let format: S.Format
  private let panel: UnsafeRawPointer
  private let sizes: PartSizes
  private let phase: Phase

  @inline(always)
  init(_ format: S.Format, _ panel: UnsafeRawPointer, _ sizes: PartSizes, _ phase: Phase) {
    self.format = format
    unsafe self.panel = panel
    self.sizes = sizes
    self.phase = phase
  }

  /// Adds all groups for as many whole tiles as there are, and gives the first lane behind them.
  @inline(always)
  func add<L: Lanes>(_ tile: L, _ batch: LaneContext, _ start: Int, _ count: Int) -> Int
  where L.S == S {
    var lane = start
    while lane &+ tile.count() <= count {
      add(tile, batch.lane(lane), isOdd: false)
      lane &+= tile.count()
    }
    let end = lane
    lane = format.isExact ? end : start
    while lane < end {
      add(tile, batch.lane(lane), isOdd: true)
      lane &+= tile.count()
    }
    return end
  }

  /// Adds every other group, or all where the order does not matter, for as many lanes as `L` has.
  ///
  /// - Parameter isOdd: Whether it is the odd groups, which come last.
  @inline(always)
  private func add<L: Lanes>(_ none: L, _ lanes: LaneContext, isOdd: Bool) where L.S == S {
    var sums = none
    var hidden = phase == .recurrent
    var header = unsafe hidden ? recurrent : input
    let first = unsafe hidden ? lanes : lanes.beginning(with: panel)
    if !isOdd {
      unsafe sums.begin(format, header, first)
    } else if hidden {
      unsafe sums.beginOdd(format, header, lanes)
    }
    while true {
      sums.find(lanes, hidden: hidden)
      unsafe add(&sums, header, groups: hidden ? sizes.h : sizes.x, isOdd: isOdd)
      if hidden || (phase == .step && sizes.h == 0) { break }
      if format.isExact {
        unsafe sums.end(format, header, first, hidden: false)
        if phase == .input { return }
        unsafe sums.begin(format, recurrent, lanes)
      } else {
        unsafe sums.setAside(format, header, first, isOdd: isOdd)
        if phase == .input {
          if isOdd {
            unsafe sums.keepOdd(format, header, lanes)
          } else {
            unsafe sums.end(format, header, lanes, hidden: false)
          }
          return
        }
      }
      hidden = true
      unsafe header = recurrent
    }
    if isOdd { unsafe sums.mergeWork(format, header, lanes) }
    unsafe sums.end(format, header, hidden ? lanes : first, hidden: hidden)
  }

  @inline(always)
  private func add<L: Lanes>(
    _ sums: inout L, _ header: UnsafeRawPointer, groups: Int, isOdd: Bool
  ) where L.S == S {
    let shape = S(zero: format)
    let stride = shape.rows() &* format.groupBytes
    var w = unsafe header + shape.rows() &* format.headerBytes
    if isOdd { unsafe w += evenGroups(groups) &* stride }
    var k = isOdd ? 1 : 0
    while true {
      while k < groups {
        unsafe sums.add(format, shape.weights(format, w), k)
        unsafe w += stride
        k &+= 2
      }
      if !format.isExact || k & 1 != 0 { return }
      k = 1
    }
  }

  /// Adds all groups for one lane.
  @inline(always)
  func add(_ lane: LaneContext) {
    let isRecurrent = phase == .recurrent
    let header = unsafe isRecurrent ? recurrent : input
    var totals = unsafe S.Totals(isRecurrent ? UnsafeRawPointer(lane.work) : panel)
    var odd = S(zero: format)
    if isRecurrent && !format.isExact {
      unsafe odd = S(format, S.Totals(lane.oddWork), header)
    }
    unsafe addProduct(&odd, format, &totals, header, lane.parts(sizes, phase), phase)
    unsafe totals.store(lane.work)
    if phase == .input && !format.isExact {
      unsafe odd.end(format, &totals, header, 1)
      unsafe totals.store(lane.oddWork)
    }
  }

  @inline(always)
  private var input: UnsafeRawPointer { unsafe panel + 4 &* vectorBytes }

  @inline(always)
  private var recurrent: UnsafeRawPointer {
    unsafe input
      + S(zero: format).rows() &* (format.headerBytes &+ sizes.x &* format.groupBytes)
  }
}

/// Adds the products of a panel for a batch of lanes, and puts the totals down in the working memory: the
/// biases and the sums, or what stands there and the hidden state's sums.
///
/// Most often its even groups before its odd ones: they stay in L1 until the last lane has had them.
/// Not inlined: cells and layers with as many rows in a panel share it.
@inline(never)
func addProducts<S: Sums>(
  _: S, _ f: S.Format, _ panel: UnsafeRawPointer, _ sizes: PartSizes, _ batch: LaneContext,
  _ count: Int, _ phase: Phase
) {
  let product = unsafe LaneProduct<S>(f, panel, sizes, phase)
  var lane = 0
  #if WIDE_REGISTERS
    if f.isOneVector {
      let tile = S.Tile(zero: f)
      let left = count % tile.count()
      // Eight lanes are two tiles of four, and not one of six and two single lanes.
      let isOneLess = count > tile.count() && (left &+ tile.count()) & 3 < left & 3
      lane = product.add(tile, batch, 0, isOneLess ? count &- tile.count() : count)
      lane = product.add(FourLanes<S>(zero: f), batch, lane, count)
    } else {
      lane = product.add(S.HalfTile(zero: f), batch, lane, count)
    }
  #endif
  while lane < count {
    product.add(batch.lane(lane))
    lane &+= 1
  }
}
