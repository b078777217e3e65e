/// Numbers in memory of a fixed size, checked at each access, for code that does not allocate.
///
/// Whoever makes it keeps it to itself, and deallocates it at its own end. (A type that owned its memory
/// could not be written to in code that promises not to free any.)
@safe struct FixedMemory<Element: BitwiseCopyable> {
  private let elements: UnsafeMutablePointer<Element>
  let count: Int

  init(repeating element: Element, count: Int) {
    self.count = count
    unsafe elements = .allocate(capacity: max(1, count))
    unsafe elements.initialize(repeating: element, count: count)
  }

  @unsafe func deallocate() { unsafe elements.deallocate() }

  subscript(index: Int) -> Element {
    get {
      guard index >= 0, index < count else { fatalError("there is no such element") }
      return unsafe elements[index]
    }
    nonmutating set {
      guard index >= 0, index < count else { fatalError("there is no such element") }
      unsafe elements[index] = newValue
    }
  }

  /// Some elements that stand side by side.
  @unsafe func slice(from first: Int = 0, count: Int) -> UnsafeMutableBufferPointer<Element> {
    guard first >= 0, count >= 0, count <= self.count, first <= self.count &- count else {
      fatalError("there are not so many elements")
    }
    return unsafe UnsafeMutableBufferPointer(start: elements + first, count: count)
  }
}
