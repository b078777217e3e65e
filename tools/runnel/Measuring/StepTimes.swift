import Runnel
import RunnelTraining

/// How long the steps of a model's first program take.
struct StepTimes {
  /// The median over runs of a run's mean nanoseconds a step.
  let median: Double
  /// Nanoseconds of steps timed one by one, in ascending order.
  private let steps: [Int32]

  private static let ring = 256
  private static let runs = 11
  private static let runNanoseconds = 20_000_000

  /// Measures.
  ///
  /// - Parameter frames: How many steps are timed one by one.
  init(_ model: Model, frames: Int, using generator: inout RandomGenerator) throws(StepError) {
    let program = model.programs[0]
    let size = program.frameSize
    var inputs: [Float] = []
    for _ in 0..<Self.ring {
      for port in program.inputs {
        for _ in port.range {
          inputs.append(
            port.indexLimit.map { Float(Int.random(in: 0..<$0, using: &generator)) }
              ?? Float.random(in: -1...1, using: &generator))
        }
      }
    }
    var session = Session(model)
    var prediction = [Float](repeating: 0, count: program.predictionSize)
    let frameSpan = inputs.span
    var predictionSpan = prediction.mutableSpan

    /// Steps so many frames and says how long that took.
    func run(_ count: Int, _ session: inout Session, _ prediction: inout MutableSpan<Float>)
      throws(StepError) -> Int
    {
      let start = nanoseconds()
      for index in 0..<count {
        let first = (index & (Self.ring - 1)) * size
        try session.step(frameSpan.extracting(first..<first + size), into: &prediction)
      }
      return nanoseconds() - start
    }

    var count = 16
    while try run(count, &session, &predictionSpan) < Self.runNanoseconds { count *= 2 }
    var means: [Double] = []
    for _ in 0..<Self.runs {
      means.append(Double(try run(count, &session, &predictionSpan)) / Double(count))
    }
    median = means.sorted()[Self.runs / 2]

    var steps = [Int32](repeating: 0, count: frames)
    for index in 0..<frames {
      steps[index] = Int32(clamping: try run(1, &session, &predictionSpan))
    }
    steps.sort()
    self.steps = steps
  }

  /// The time that a share of the steps does not exceed.
  func percentile(_ share: Double) -> Double {
    let rank = (share * Double(steps.count)).rounded(.up)
    return Double(steps[max(0, min(steps.count, Int(rank)) - 1)])
  }
}
