internal import Dispatch
internal import Runnel
internal import Synchronization
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Threads that share calls among them, for a run that has new ones to share every fraction of a millisecond.
///
/// To wake a thread takes the system as long as a shard of a small network takes to be computed. So a
/// thread without a call looks out for the next one for a while before it sleeps, and nobody waits for a
/// thread that has not woken: each takes the next call that nobody has taken.
///
/// Denormal numbers count as zero in all calls.
package final class ThreadTeam {
  /// How many threads there are, with the one that runs the calls.
  let size: Int
  private let board: Board

  /// A team of so many threads, at least 1.
  package init(size: Int) {
    self.size = size
    board = Board(sleepers: size - 1)
    for index in 0..<(size - 1) { Helper(board, index).start() }
  }

  deinit { board.end() }

  /// Calls `body` with each number of `0 ..< count`, on any of the threads; calls must not touch what
  /// others write, nor run others on the same team.
  package func run(_ count: Int, _ body: (Int) -> Void) {
    flushingDenormals {
      guard size > 1, count > 1 else {
        for index in 0..<count { body(index) }
        return
      }
      withoutActuallyEscaping(body) { board.run(count, $0) }
    }
  }
}

/// A thread of a team beside the one that runs the calls.
///
/// It keeps the board alone, so that the team can end it.
private final class Helper: Sendable {
  private let board: Board
  private let index: Int

  init(_ board: Board, _ index: Int) {
    self.board = board
    self.index = index
  }

  /// Without a thread, should the system give none, the others make all calls.
  func start() {
    var thread = pthread_t()
    let helper = unsafe Unmanaged.passRetained(self)
    let error = unsafe pthread_create(
      &thread, nil,
      { argument in
        let helper = unsafe Unmanaged<Helper>.fromOpaque(argument!).takeRetainedValue()
        flushingDenormals { helper.board.help(as: helper.index) }
        return nil
      }, helper.toOpaque())
    if error == 0 { pthread_detach(thread) } else { unsafe helper.release() }
  }
}

/// Where calls are offered and taken.
private final class Board: @unchecked Sendable {
  // SAFETY (`Sendable`): `body` is written before an offer, and read by those who took a call of it, which
  // the next offer waits for.
  private nonisolated(unsafe) var body: ((Int) -> Void)?
  /// How often there was an offer, by 2^32, and how many of its calls nobody has taken.
  private let offer = Atomic<UInt64>(0)
  private let unfinished = Atomic<Int>(0)
  private let hasEnded = Atomic<Bool>(false)
  private let sleepers: [Sleeper]
  private let runner = Sleeper()

  /// How often a thread looks before it sleeps: some 100 µs.
  private static let looks = 1_000

  init(sleepers count: Int) { sleepers = (0..<count).map { _ in Sleeper() } }

  func run(_ count: Int, _ body: @escaping (Int) -> Void) {
    precondition(unsafe self.body == nil, "a team runs one batch of calls at a time")
    unsafe self.body = body
    unfinished.store(count, ordering: .relaxed)
    let number = (offer.load(ordering: .relaxed) >> 32) &+ 1
    offer.store(number << 32 | UInt64(count), ordering: .sequentiallyConsistent)
    for sleeper in sleepers.prefix(count - 1) { sleeper.wake() }
    while takeCall() {}
    runner.wait(looks: Self.looks) { unfinished.load(ordering: .sequentiallyConsistent) == 0 }
    unsafe self.body = nil
  }

  /// Takes a call and makes it; `false` where none is left.
  private func takeCall() -> Bool {
    var found = offer.load(ordering: .acquiring)
    while UInt32(truncatingIfNeeded: found) > 0 {
      let (isTaken, now) = offer.compareExchange(
        expected: found, desired: found - 1, ordering: .acquiringAndReleasing)
      guard isTaken else {
        found = now
        continue
      }
      unsafe body!(Int(UInt32(truncatingIfNeeded: found)) - 1)
      if unfinished.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { runner.wake() }
      return true
    }
    return false
  }

  func help(as index: Int) {
    while !hasEnded.load(ordering: .relaxed) {
      while takeCall() {}
      sleepers[index].wait(looks: Self.looks) {
        UInt32(truncatingIfNeeded: offer.load(ordering: .sequentiallyConsistent)) > 0
          || hasEnded.load(ordering: .sequentiallyConsistent)
      }
    }
  }

  func end() {
    hasEnded.store(true, ordering: .sequentiallyConsistent)
    for sleeper in sleepers { sleeper.wake() }
  }
}

/// A thread that waits for something that another one does.
private final class Sleeper: Sendable {
  private let isAsleep = Atomic<Bool>(false)
  private let semaphore = DispatchSemaphore(value: 0)

  /// Returns when `isOver`, which becomes true before ``wake()`` is called.
  func wait(looks: Int, _ isOver: () -> Bool) {
    for _ in 0..<looks {
      if isOver() { return }
      pauseSpinning()
    }
    while !isOver() {
      isAsleep.store(true, ordering: .sequentiallyConsistent)
      // Whoever takes the mark back wakes this thread, or has no need to.
      if isOver(), isAsleep.exchange(false, ordering: .sequentiallyConsistent) { return }
      semaphore.wait()
    }
  }

  func wake() {
    if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { semaphore.signal() }
  }
}

/// How many processors this process may use; at least 1.
func processorCount() -> Int { max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) }
