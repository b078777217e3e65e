import CAllocationCount
import Runnel
import RunnelTraining

/// What streaming sequences costs: time and allocations of every step.
struct StreamCost {
  /// The median over passes of a pass's mean nanoseconds a frame.
  let medianNanoseconds: Double
  /// The steps in which allocations were counted.
  let steps: Int
  /// The allocations in them.
  let allocations: Int
  /// The allocations that were made for the counter to see, and those that it saw.
  let madeInControl: Int
  let seenInControl: Int

  private static let passes = 11

  /// Streams the sequences again and again.
  init(_ model: Model, _ sequences: [TrainingSequence]) throws(StepError) {
    let width = model.frameSize
    let inputs = sequences.flatMap(\.inputs)
    let lengths = sequences.map(\.length)
    let frames = inputs.span
    var prediction = [Float](repeating: 0, count: model.predictionSize)
    var span = prediction.mutableSpan
    var session = Session(model)

    // The first pass counts and warms up; the others are timed.
    var allocations: UInt64 = 0
    var means: [Double] = []
    for pass in 0...Self.passes {
      var first = 0
      let start = nanoseconds()
      for length in lengths {
        session.reset()
        for _ in 0..<length {
          let frame = frames.extracting(first..<first + width)
          if pass == 0 {
            let before = allocation_count()
            try session.step(frame, into: &span)
            allocations += allocation_count() - before
          } else {
            try session.step(frame, into: &span)
          }
          first += width
        }
      }
      if pass > 0 { means.append(Double(nanoseconds() - start) / Double(inputs.count / width)) }
    }
    medianNanoseconds = means.sorted()[Self.passes / 2]
    steps = inputs.count / width
    self.allocations = Int(allocations)

    madeInControl = 10
    let before = allocation_count()
    for count in 1...madeInControl { Self.allocate(count) }
    seenInControl = Int(allocation_count() - before)
  }

  /// Allocates and frees, in a way that the compiler cannot leave out.
  @inline(never) @_optimize(none)
  private static func allocate(_ count: Int) {
    let numbers = [Int](repeating: count, count: count)
    withExtendedLifetime(numbers) {}
  }
}
