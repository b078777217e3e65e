/// Tokens from the most probable one on, found one by one: a heap.
///
/// Of tokens that are as probable as each other, that with the lower index comes first. Those whose
/// probability is not positive are left out.
@safe struct TokenOrder: ~Copyable {
  // A key is the bits of a probability, which are in the order of the probabilities, with the
  // complement of the token's index below them.

  private let keys: FixedMemory<UInt64>
  /// The tokens that are in order.
  private var total = 0
  /// Those that have not been found yet; their keys are the heap, and the keys of the others stand
  /// behind it, the last one found first.
  private var rest = 0

  init(capacity: Int) {
    keys = FixedMemory(repeating: 0, count: capacity)
  }

  deinit { unsafe keys.deallocate() }

  /// Begins with new probabilities, at most as many as there is room for.
  ///
  /// - Parameter limit: How many tokens are to be found at most; at least 1.
  /// - Complexity: O(probabilities), and O(log limit) for each that is among the `limit` largest so far.
  @_noAllocation @_noLocks
  mutating func start(_ probabilities: Span<Float>, limit: Int) {
    rest = 0
    var token = 0
    while token < probabilities.count {
      let probability = probabilities[token]
      if probability > 0 {
        let low = ~UInt32(truncatingIfNeeded: token)
        let key = UInt64(probability.bitPattern) &<< 32 | UInt64(low)
        // The complements of the largest keys so far, so that the smallest key is on top.
        if rest < limit {
          keys[rest] = ~key
          rest &+= 1
          if rest == limit { makeHeap() }
        } else if ~key < keys[0] {
          keys[0] = ~key
          sink(0)
        }
      }
      token &+= 1
    }
    total = rest
    token = 0
    while token < total {
      keys[token] = ~keys[token]
      token &+= 1
    }
    makeHeap()
  }

  /// Finds the next token.
  ///
  /// - Returns: Whether there is one; it is then the last of `found` tokens.
  /// - Complexity: O(log probabilities).
  @_noAllocation @_noLocks
  mutating func findNext() -> Bool {
    guard rest > 0 else { return false }
    rest &-= 1
    let first = keys[0]
    keys[0] = keys[rest]
    keys[rest] = first
    sink(0)
    return true
  }

  /// How many tokens have been found.
  var found: Int { total &- rest }

  /// The token that was found last, and its probability.
  var last: (token: Int, probability: Float) { self[found &- 1] }

  /// The token that was found after `rank` others, and its probability.
  subscript(rank: Int) -> (token: Int, probability: Float) {
    guard rank >= 0, rank < total &- rest else { fatalError("it has not been found") }
    let key = keys[total &- 1 &- rank]
    return (
      Int(~UInt32(truncatingIfNeeded: key)),
      Float(bitPattern: UInt32(truncatingIfNeeded: key &>> 32))
    )
  }

  /// Brings the keys into the order of a heap, the largest on top.
  private func makeHeap() {
    var root = rest / 2
    while root > 0 {
      root &-= 1
      sink(root)
    }
  }

  /// Moves a key down to where neither key below it is larger.
  @inline(always)
  private func sink(_ place: Int) {
    var place = place
    let key = keys[place]
    while true {
      var child = 2 &* place &+ 1
      guard child < rest else { break }
      if child &+ 1 < rest && keys[child &+ 1] > keys[child] { child &+= 1 }
      let below = keys[child]
      guard below > key else { break }
      keys[place] = below
      place = child
    }
    keys[place] = key
  }
}
