package import RunnelTraining

/// An exploding case, with and without a limit for the gradient's norm: a vanilla RNN with ReLU,
/// whose states nothing bounds, on the adding problem with plain gradient descent.
///
/// Rate, length and limits were searched for so that runs without a limit diverge: it shows what
/// clipping does where gradients explode, not how often they do.
package struct Clipping: Experiment {
  package struct Case: Equatable, Sendable {
    /// `nil` where gradients are followed as they are.
    package let clipNorm: Float?
    package let seed: UInt64
  }

  /// The course of a run.
  package struct Outcome: Equatable, Sendable {
    package let run: Case
    package let points: [Point]
    /// Whether the loss, a gradient or a parameter stopped being finite; ``points`` ends there.
    package let hasDiverged: Bool
    /// The mean squared error on other sequences; `nil` where the run diverged.
    package let testError: Double?
  }

  /// An epoch of a run.
  package struct Point: Equatable, Sendable {
    package let epoch: Int
    /// The mean squared error while learning.
    package let loss: Double
    /// The largest norm of a gradient before it was limited.
    package let gradientNorm: Double
  }

  package let cases: [Case]
  private let task: AddingProblem
  private let sequences: Int
  private let epochs: Int

  private static let hidden = 41
  private static let rate = 0.5

  package init(_ scale: LabScale, seeds: Int) {
    let limits: [Float?] = [nil, 1, 0.1]
    switch scale {
    case .full: self.init(limits: limits, length: 20, sequences: 1_000, epochs: 60, seeds: seeds)
    case .quick: self.init(limits: limits, length: 10, sequences: 100, epochs: 5, seeds: seeds)
    }
  }

  /// The experiment at some size.
  package init(limits: [Float?], length: Int, sequences: Int, epochs: Int, seeds: Int) {
    task = AddingProblem(length: length)
    self.sequences = sequences
    self.epochs = epochs
    cases = limits.flatMap { limit in
      (1...seeds).map { Case(clipNorm: limit, seed: UInt64($0)) }
    }
  }

  package func cost(of one: Case) -> Double {
    Double(Self.hidden * (Self.hidden + 3)) * Double(sequences * epochs * task.length)
  }

  package func outcome(
    of one: Case, report: (Double) -> TrainingDirection
  ) throws(TrainingError) -> Outcome {
    let trainer = try Trainer(
      specification: task.network(.rnn(hidden: Self.hidden, activation: .relu)),
      settings: TrainingSettings(
        epochs: epochs, batchSize: 16, optimizer: .sgd(),
        schedule: .constant(rate: Self.rate), clipNorm: one.clipNorm, seed: one.seed, threads: 1),
      training: task.sequences(sequences, seed: one.seed, split: .training))
    var points: [Point] = []
    var largest = 0.0
    do {
      let network = try trainer.run { progress in
        largest = max(largest, progress.gradientNorm)
        if let record = progress.completedEpoch {
          points.append(
            Point(epoch: record.epoch, loss: record.training.loss, gradientNorm: largest))
          largest = 0
        }
        return report(progress.fraction)
      }
      let test = task.sequences(500, seed: one.seed, split: .test)
      return Outcome(
        run: one, points: points, hasDiverged: false,
        testError: try network.evaluate(test, threads: 1).loss)
    } catch .diverged {
      return Outcome(run: one, points: points, hasDiverged: true, testError: nil)
    }
  }
}
