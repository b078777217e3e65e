import RunnelLab
import RunnelTraining
import Synchronization
import Testing

@Suite struct ExperimentTests {
  @Test func `Outcomes do not depend on the number of threads`() throws {
    let experiment = CellComparison.adding(.quick, seeds: 2)
    let outcomes = try experiment.outcomes(threads: 1) { _, _ in .proceed }
    #expect(outcomes.map(\.run) == experiment.cases)
    #expect(try experiment.outcomes(threads: 3) { _, _ in .proceed } == outcomes)
  }

  @Test func `Other seeds give other outcomes`() throws {
    let outcomes = try CellComparison.copying(.quick, seeds: 2).outcomes(threads: 2) { _, _ in
      .proceed
    }
    for pair in stride(from: 0, to: outcomes.count, by: 2) {
      #expect(outcomes[pair].test != outcomes[pair + 1].test)
    }
  }

  @Test func `The work that is reported grows to all of it`() throws {
    let experiment = GradientFlow(.quick, seeds: 1)
    let reports = Mutex<[(done: Double, cases: Int)]>([])
    _ = try experiment.outcomes(threads: 2) { done, cases in
      reports.withLock { $0.append((done, cases)) }
      return .proceed
    }
    let all = experiment.cases.reduce(0) { $0 + experiment.cost(of: $1) }
    let done = reports.withLock { $0.map(\.done) }
    #expect(zip(done, done.dropFirst()).allSatisfy(<=))
    #expect(abs(try #require(done.last) / all - 1) < 1e-9)
    #expect(reports.withLock { $0.last?.cases } == experiment.cases.count)
  }

  @Test(arguments: [1, 2])
  func `A report that says so stops everything`(threads: Int) throws {
    let reports = Mutex(0)
    #expect {
      try Truncation(.full, seeds: 1).outcomes(threads: threads) { _, _ in
        reports.withLock { $0 += 1 }
        return .stop
      }
    } throws: { error in
      guard case .stopped? = error as? TrainingError else { return false }
      return true
    }
    #expect(reports.withLock { 1...threads ~= $0 })
  }

  @Test func `Truncation tells windows apart, and times them`() throws {
    let outcomes = try Truncation(.quick, seeds: 1).outcomes(threads: 1) { _, _ in .proceed }
    #expect(outcomes.map(\.run.window) == [2, nil])
    #expect(outcomes.allSatisfy { 0...1 ~= $0.accuracy && $0.secondsPerEpoch > 0 })
  }

  @Test func `A window shorter than the lag learns nothing, a longer one everything`() throws {
    let experiment = Truncation(
      lags: [8], windows: [5, 20], length: 100, sequences: 300, epochs: 15, seeds: 2)
    for outcome in try experiment.outcomes(threads: 2, report: { _, _ in .proceed }) {
      if outcome.run.window == 5 {
        #expect(outcome.accuracy < 0.6)
      } else {
        #expect(outcome.accuracy > 0.95)
      }
    }
  }
}
