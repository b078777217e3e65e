import RunnelLab
import RunnelTraining
import Testing

/// What the experiments are expected to show, at sizes of some seconds, with the seeds that come
/// first.
@Suite struct LearningTests {
  @Test func `At lag 100 a vanilla RNN fails the adding problem, and LSTM and GRU solve it`() throws
  {
    let experiment = CellComparison.adding(
      lengths: [100], seeds: 2, sequences: 2_000, epochs: 30)
    let outcomes = try experiment.outcomes(threads: 2) { _, _ in .proceed }
    #expect(outcomes.count == 6)
    for outcome in outcomes {
      if outcome.run.cell == .rnn {
        #expect(outcome.test.loss > 0.8 * AddingProblem.errorOfGuessing, "\(outcome)")
      } else {
        #expect(outcome.test.loss < 0.1 * AddingProblem.errorOfGuessing, "\(outcome)")
      }
    }
  }

  @Test func `A vanilla RNN solves the adding problem at lag 10`() throws {
    let experiment = CellComparison.adding(lengths: [10], seeds: 2, sequences: 2_000, epochs: 30)
    for outcome in try experiment.outcomes(threads: 2, report: { _, _ in .proceed }) {
      #expect(outcome.test.loss < 0.1 * AddingProblem.errorOfGuessing, "\(outcome)")
    }
  }

  /// The outcomes of three seeds with a limit.
  private func clipped(to limit: Float?) throws -> [Clipping.Outcome] {
    try Clipping(limits: [limit], length: 20, sequences: 1_000, epochs: 60, seeds: 3)
      .outcomes(threads: 2) { _, _ in .proceed }
  }

  @Test func `A limit for the gradient's norm tames the exploding case`() throws {
    for outcome in try clipped(to: 0.1) {
      #expect(!outcome.hasDiverged)
      #expect(outcome.points.count == 60)
      let error = try #require(outcome.testError)
      #expect(error < 0.5 * AddingProblem.errorOfGuessing, "seed \(outcome.run.seed)")
    }
  }

  @Test func `Without a limit the exploding case diverges, or learns nothing`() throws {
    let outcomes = try clipped(to: nil)
    #expect(outcomes.count { $0.hasDiverged } > 0)
    for outcome in outcomes {
      #expect(outcome.hasDiverged == (outcome.testError == nil))
      #expect(outcome.hasDiverged == (outcome.points.count < 60))
      #expect((outcome.testError ?? .infinity) > 0.5 * AddingProblem.errorOfGuessing)
    }
  }
}
