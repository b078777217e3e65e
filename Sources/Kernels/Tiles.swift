internal import CKernelShims

// Tiles: a few lanes whose sums registers hold while a panel's weights pass by.

/// The sums of one block for some lanes.
protocol Lanes {
  associatedtype S: Sums
  init(zero f: S.Format)
  func count() -> Int
  /// Finds the lanes' operands.
  mutating func find(_ lanes: LaneContext, hidden: Bool)
  /// Begins with the totals.
  mutating func begin(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext)
  /// Begins with the sums of odd groups that were kept.
  mutating func beginOdd(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext)
  mutating func add(_ f: S.Format, _ w: S.Weights, _ group: Int)
  /// Sets aside, between the parts, the sums that do not go on.
  mutating func setAside(
    _ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext, isOdd: Bool)
  /// Keeps the sums of odd groups.
  func keepOdd(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext)
  /// Adds sums that were put down.
  mutating func mergeWork(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext)
  /// Puts the sums down in the working memory.
  func end(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext, hidden: Bool)
}

@safe struct OneLane<S: Sums>: Lanes {
  private var sums: S
  private var words: UnsafeRawPointer

  @inline(always)
  init(zero f: S.Format) {
    sums = S(zero: f)
    unsafe words = UnsafeRawPointer(bitPattern: 64).unsafelyUnwrapped
  }

  @inline(always)
  func count() -> Int { 1 }

  @inline(always)
  mutating func find(_ lanes: LaneContext, hidden: Bool) {
    let lane = unsafe lanes.lanes.pointee
    unsafe words = UnsafeRawPointer(
      (hidden ? lane.hiddenWords : lane.inputWords).unsafelyUnwrapped)
  }

  @inline(always)
  mutating func begin(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext) {
    unsafe sums = S(f, S.Totals(lanes.totals), header)
  }

  @inline(always)
  mutating func beginOdd(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext) {
    unsafe sums = S(f, S.Totals(lanes.oddWork), header)
  }

  @inline(always)
  mutating func add(_ f: S.Format, _ w: S.Weights, _ group: Int) {
    unsafe sums.add(f, w, f.word(words, group))
  }

  @inline(always)
  mutating func setAside(
    _ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext, isOdd: Bool
  ) {
    var totals = unsafe S.Totals(isOdd ? UnsafeRawPointer(lanes.work) : lanes.totals)
    unsafe sums.setAside(f, &totals, header, isOdd: isOdd)
    unsafe totals.storeAside(lanes.work)
  }

  @inline(always)
  func keepOdd(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext) {
    var totals = unsafe S.Totals(lanes.work)
    unsafe sums.end(f, &totals, header, 1)
    unsafe totals.store(lanes.oddWork)
  }

  @inline(always)
  mutating func mergeWork(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext) {
    unsafe sums.merge(f, S(f, S.Totals(lanes.work), header))
  }

  @inline(always)
  func end(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext, hidden: Bool) {
    let lane = unsafe lanes.lanes.pointee
    // Sums of floats have gone on from their totals, beside which something may have been set aside.
    var totals = unsafe S.Totals(f.isExact ? lanes.totals : UnsafeRawPointer(lanes.work))
    unsafe sums.end(f, &totals, header, hidden ? lane.hiddenScale : lane.inputScale)
    if f.isExact && !hidden { totals.endInput() }
    unsafe totals.store(lanes.work)
  }
}

/// The lanes of two.
struct Both<A: Lanes, B: Lanes>: Lanes where A.S == B.S {
  typealias S = A.S
  private var a: A
  private var b: B

  @inline(always)
  init(zero f: S.Format) {
    a = A(zero: f)
    b = B(zero: f)
  }

  @inline(always)
  func count() -> Int { a.count() &+ b.count() }

  @inline(always)
  mutating func find(_ lanes: LaneContext, hidden: Bool) {
    a.find(lanes, hidden: hidden)
    b.find(lanes.lane(a.count()), hidden: hidden)
  }

  @inline(always)
  mutating func begin(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext) {
    unsafe a.begin(f, header, lanes)
    unsafe b.begin(f, header, lanes.lane(a.count()))
  }

  @inline(always)
  mutating func beginOdd(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext) {
    unsafe a.beginOdd(f, header, lanes)
    unsafe b.beginOdd(f, header, lanes.lane(a.count()))
  }

  @inline(always)
  mutating func add(_ f: S.Format, _ w: S.Weights, _ group: Int) {
    a.add(f, w, group)
    b.add(f, w, group)
  }

  @inline(always)
  mutating func setAside(
    _ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext, isOdd: Bool
  ) {
    unsafe a.setAside(f, header, lanes, isOdd: isOdd)
    unsafe b.setAside(f, header, lanes.lane(a.count()), isOdd: isOdd)
  }

  @inline(always)
  func keepOdd(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext) {
    unsafe a.keepOdd(f, header, lanes)
    unsafe b.keepOdd(f, header, lanes.lane(a.count()))
  }

  @inline(always)
  mutating func mergeWork(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext) {
    unsafe a.mergeWork(f, header, lanes)
    unsafe b.mergeWork(f, header, lanes.lane(a.count()))
  }

  @inline(always)
  func end(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext, hidden: Bool) {
    unsafe a.end(f, header, lanes, hidden: hidden)
    unsafe b.end(f, header, lanes.lane(a.count()), hidden: hidden)
  }
}

typealias TwoLanes<S: Sums> = Both<OneLane<S>, OneLane<S>>
typealias ThreeLanes<S: Sums> = Both<TwoLanes<S>, OneLane<S>>
typealias FourLanes<S: Sums> = Both<TwoLanes<S>, TwoLanes<S>>
typealias SixLanes<S: Sums> = Both<ThreeLanes<S>, ThreeLanes<S>>
typealias EightLanes<S: Sums> = Both<FourLanes<S>, FourLanes<S>>
