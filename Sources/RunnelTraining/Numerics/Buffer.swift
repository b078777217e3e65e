/// Memory for numbers, which grows when more is asked for and is freed with its owner.
@safe final class Buffer<Scalar: TrainingScalar> {
  private(set) var elements: UnsafeMutablePointer<Scalar>
  private(set) var capacity: Int

  init() {
    unsafe elements = UnsafeMutablePointer<Scalar>.allocate(capacity: 1)
    capacity = 1
  }

  /// Makes room for `count` numbers; what was there may be lost.
  func reserve(_ count: Int) {
    guard count > capacity else { return }
    unsafe elements.deallocate()
    unsafe elements = UnsafeMutablePointer<Scalar>.allocate(capacity: count)
    capacity = count
  }

  /// Makes room for `count` numbers, all 0.
  func reserveZeros(_ count: Int) {
    reserve(count)
    unsafe elements.update(repeating: 0, count: count)
  }

  deinit { unsafe elements.deallocate() }
}
