package import RunnelTraining

/// How far back the gradient of a loss at the last frame reaches: its norm by the state at earlier
/// frames, on the adding problem.
package struct GradientFlow: Experiment {
  /// A network to look at.
  package enum Subject: Equatable, Sendable {
    /// As training starts, or as it ends.
    case cell(Cell, isTrained: Bool)
    /// A vanilla RNN that is not trained, with recurrent weights of this spectral radius.
    case scaled(radius: Double)
  }

  package struct Case: Equatable, Sendable {
    package let subject: Subject
    package let seed: UInt64
  }

  /// The norms at one network.
  package struct Outcome: Equatable, Sendable {
    package let subject: Subject
    package let seed: UInt64
    package let norms: [Norm]
  }

  /// The norm of the gradient by the state `lag` frames before the last.
  package struct Norm: Equatable, Sendable {
    package let lag: Int
    /// The mean over sequences.
    package let mean: Double
    /// The mean over sequences, each divided by its norm at lag 1.
    package let relative: Double
  }

  package let cases: [Case]
  /// How many frames back is looked.
  package let lags: [Int]
  private let task: AddingProblem
  private let sequences: Int
  private let epochs: Int
  private let probedSequences = 16

  private static let parameters = 1_850
  private static let radii = [0.5, 1, 2]

  package init(_ scale: LabScale, seeds: Int) {
    let isFull = scale == .full
    task = AddingProblem(length: isFull ? 100 : 12)
    (sequences, epochs) = isFull ? (2_000, 30) : (100, 2)
    lags = [1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 100].filter {
      [task] in $0 <= task.length
    }
    let subjects =
      Cell.allCases.flatMap { cell in
        [false, true].map { Subject.cell(cell, isTrained: $0) }
      } + Self.radii.map { .scaled(radius: $0) }
    cases = subjects.flatMap { subject in
      (1...seeds).map { Case(subject: subject, seed: UInt64($0)) }
    }
  }

  package func cost(of one: Case) -> Double {
    // Double is slower than Float, and the backward passes double the forward ones.
    var frames = 10 * Double(lags.count * task.length * probedSequences)
    if case .cell(_, isTrained: true) = one.subject {
      frames += Double(task.length * sequences * epochs)
    }
    return frames * Double(Self.parameters)
  }

  package func outcome(
    of one: Case, report: (Double) -> TrainingDirection
  ) throws(TrainingError) -> Outcome {
    let probe = try probe(of: one, report: report)
    let test = task.sequences(probedSequences, seed: one.seed, split: .test)
    let norms = probe.stateGradientNorms(test, lags: lags)
    return Outcome(
      subject: one.subject, seed: one.seed,
      norms: zip(lags, norms).map { lag, atLag in
        Norm(
          lag: lag, mean: atLag.mean,
          relative: zip(atLag, norms[0]).map { $1 > 0 ? $0 / $1 : 0 }.mean)
      })
  }

  private func probe(
    of one: Case, report: (Double) -> TrainingDirection
  ) throws(TrainingError) -> LossProbe {
    switch one.subject {
    case .cell(let cell, let isTrained):
      let specification = Self.specification(cell, task)
      guard isTrained else { return try LossProbe(specification, seed: one.seed) }
      let trainer = try Trainer(
        specification: specification,
        settings: CellComparison.settings(
          rate: CellComparison.addingRate(cell), epochs: epochs, seed: one.seed),
        training: task.sequences(sequences, seed: one.seed, split: .training))
      return try LossProbe(trainer.run { report($0.fraction) })
    case .scaled(let radius):
      var probe = try LossProbe(Self.specification(.rnn, task), seed: one.seed)
      probe.scaleRecurrentWeights(toRadius: radius)
      return probe
    }
  }

  private static func specification(_ cell: Cell, _ task: AddingProblem) -> NetworkSpecification {
    task.network(
      cell.layer(
        hidden: cell.hiddenSize(parameters: parameters, inputSize: task.inputSize)))
  }
}

extension [Double] {
  fileprivate var mean: Double { reduce(0, +) / Double(count) }
}
