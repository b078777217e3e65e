internal import Dispatch
package import RunnelTraining
internal import Synchronization

extension Experiment {
  /// The outcomes of all cases, in their order, computed on so many threads.
  ///
  /// - Parameters:
  ///   - threads: At least 1; no influence on outcomes, times apart.
  ///   - report: Is told the work that is done, as ``cost(of:)`` counts, and how many cases; says
  ///     whether to go on. Called by one thread at a time.
  /// - Throws: The first error of a case, once the others have ended.
  package func outcomes(
    threads: Int, report: @escaping @Sendable (Double, Int) -> TrainingDirection
  ) throws(TrainingError) -> [Outcome] {
    let cases = cases
    let costs = cases.map(cost)
    // The largest first, so that at the end no thread is left with a large one.
    let order = cases.indices.sorted { (costs[$0], $1) > (costs[$1], $0) }
    let board = Mutex(Board<Outcome>(count: cases.count))
    let direction = { @Sendable (index: Int, fraction: Double) -> TrainingDirection in
      board.withLock { board in
        board.done[index] = fraction * costs[index]
        if board.error != nil { return .stop }
        let finished = board.outcomes.count { $0 != nil }
        return report(board.done.reduce(0, +), finished)
      }
    }
    DispatchQueue.concurrentPerform(iterations: min(threads, cases.count)) { _ in
      while let place = board.withLock({ $0.take() }) {
        let index = order[place]
        do throws(TrainingError) {
          let outcome = try outcome(of: cases[index]) { direction(index, $0) }
          board.withLock { $0.outcomes[index] = outcome }
          // Not every case has something to report on the way.
          if direction(index, 1) == .stop { throw .stopped(epoch: 0, minibatch: 0) }
        } catch {
          board.withLock { $0.error = $0.error ?? error }
        }
      }
    }
    return try board.withLock { board throws(TrainingError) in
      if let error = board.error { throw error }
      return board.outcomes.map { $0! }
    }
  }
}

/// What threads tell each other.
private struct Board<Outcome: Sendable>: Sendable {
  private var next = 0
  /// The work that is done, of each case.
  var done: [Double]
  var outcomes: [Outcome?]
  var error: TrainingError?

  init(count: Int) {
    done = Array(repeating: 0, count: count)
    outcomes = Array(repeating: nil, count: count)
  }

  /// The place of the next case; `nil` when there is none, or an error ends it all.
  mutating func take() -> Int? {
    guard next < outcomes.count, error == nil else { return nil }
    defer { next += 1 }
    return next
  }
}
