package import RunnelTraining

/// The three cells, with about equally many parameters, on one task at growing lags.
package struct CellComparison: Experiment {
  /// One training run.
  package struct Case: Equatable, Sendable {
    package let cell: Cell
    package let hidden: Int
    /// The task's parameter: the length of the adding problem, the lag of the copy task.
    package let lag: Int
    package let seed: UInt64
  }

  /// What a run came to.
  package struct Outcome: Equatable, Sendable {
    package let run: Case
    /// Of the whole network.
    package let parameterCount: Int
    /// On other sequences than those that were learnt.
    package let test: Evaluation
  }

  package let cases: [Case]
  private let task: @Sendable (Int) -> any SyntheticTask
  /// The most that a cell may have.
  private let parameters: Int
  /// How many sequences are learnt, and how often.
  private let sequences: Int
  private let epochs: Int
  private let rate: @Sendable (Cell) -> Double
  private let testSequences = 500

  private init(
    lags: [Int], seeds: Int, parameters: Int, sequences: Int, epochs: Int,
    rate: @escaping @Sendable (Cell) -> Double, task: @escaping @Sendable (Int) -> any SyntheticTask
  ) {
    self.task = task
    self.parameters = parameters
    self.sequences = sequences
    self.epochs = epochs
    self.rate = rate
    cases = lags.flatMap { lag in
      Cell.allCases.flatMap { cell in
        (1...seeds).map { seed in
          Case(
            cell: cell,
            hidden: cell.hiddenSize(parameters: parameters, inputSize: task(lag).inputSize),
            lag: lag, seed: UInt64(seed))
        }
      }
    }
  }

  /// The adding problem; the metric is the root of the mean squared error.
  package static func adding(_ scale: LabScale, seeds: Int) -> CellComparison {
    switch scale {
    case .full: adding(lengths: [10, 25, 50, 100, 200], seeds: seeds, sequences: 2_000, epochs: 30)
    case .quick: adding(lengths: [4, 8], seeds: seeds, sequences: 300, epochs: 10)
    }
  }

  /// The adding problem at some lengths.
  package static func adding(
    lengths: [Int], seeds: Int, sequences: Int, epochs: Int
  ) -> CellComparison {
    CellComparison(
      lags: lengths, seeds: seeds, parameters: 1_850, sequences: sequences, epochs: epochs,
      rate: addingRate
    ) { AddingProblem(length: $0) }
  }

  /// The copy task; the metric is the share of symbols that are recalled.
  package static func copying(_ scale: LabScale, seeds: Int) -> CellComparison {
    switch scale {
    case .full:
      CellComparison(
        lags: [2, 5, 10, 20, 40], seeds: seeds, parameters: 5_500, sequences: 4_000, epochs: 20,
        rate: copyingRate
      ) { CopyTask(lag: $0) }
    case .quick:
      CellComparison(
        lags: [1, 2], seeds: seeds, parameters: 600, sequences: 200, epochs: 4, rate: copyingRate
      ) { CopyTask(symbolCount: 2, lag: $0) }
    }
  }

  // The rates come from trials on other sequences, not from the same search for each cell, so a
  // difference between cells is one at these rates. The documentation ("Choosing a cell") lists what
  // was tried.

  static func addingRate(_ cell: Cell) -> Double { cell == .rnn ? 5e-3 : 2e-2 }

  private static func copyingRate(_ cell: Cell) -> Double { cell == .gru ? 2e-2 : 5e-3 }

  package func cost(of one: Case) -> Double {
    Double(parameters * task(one.lag).length) * Double(sequences * epochs)
  }

  package func outcome(
    of one: Case, report: (Double) -> TrainingDirection
  ) throws(TrainingError) -> Outcome {
    let task = task(one.lag)
    let trainer = try Trainer(
      specification: task.network(one.cell.layer(hidden: one.hidden)),
      settings: Self.settings(rate: rate(one.cell), epochs: epochs, seed: one.seed),
      training: task.sequences(sequences, seed: one.seed, split: .training))
    let network = try trainer.run { report($0.fraction) }
    let test = task.sequences(testSequences, seed: one.seed, split: .test)
    return Outcome(
      run: one, parameterCount: trainer.parameterCount,
      test: try network.evaluate(test, threads: 1))
  }

  /// How a cell is trained, on one thread.
  static func settings(rate: Double, epochs: Int, seed: UInt64) -> TrainingSettings {
    TrainingSettings(
      epochs: epochs, batchSize: 16, schedule: .cosine(rate: rate), clipNorm: 1, seed: seed,
      threads: 1)
  }
}
