import Runnel
import RunnelReference

/// How far a converted model is from its source, which the reference runs in `Double`.
struct Drift {
  private(set) var outputs = Deviation()
  /// Of the hidden states of all cells.
  private(set) var states = Deviation()
  private(set) var frames = 0
  /// After which frames decisions are counted.
  let decide: DecisionTime
  private(set) var decisions = 0
  /// The decisions that the converted model takes otherwise.
  private(set) var flips = 0
  /// The largest margin by which the source took one of these.
  private(set) var flippedMargin = 0.0

  /// Streams frames through both.
  ///
  /// - Parameters:
  ///   - decide: After which frames decisions are counted; outputs and states are compared after
  ///     all.
  ///   - progress: Called now and then with the share of frames that are done.
  /// - Throws: ``DataError`` for a frame that a model refuses.
  init(
    from source: Model, to converted: ObservedModel, level: InstructionLevel,
    over frames: inout FrameSource, decide: DecisionTime, progress: (Double) -> Void
  ) throws {
    self.decide = decide
    var reference = ReferenceInterpreter(source.description)
    let decisions = source.programs.enumerated().map { number, program in
      Decisions(source.description, program, number: number)
    }
    let model = try Model(converted.description, options: ModelOptions(level: level))
    var session = Session(model)
    var predictions = model.programs.map { [Float](repeating: 0, count: $0.predictionSize) }
    for index in 1...frames.count {
      let (program, resets) = frames.next()
      if resets {
        session.reset()
        reference.reset()
      }
      var isAnswered = true
      do throws(StepError) {
        isAnswered = try Self.step(&session, program, frames.frame, &predictions[program])
      } catch {
        throw error.dataError(file: frames.origin, line: nil, frame: index)
      }
      let expected = reference.step(program: program, frame: frames.frame.map(Double.init))
      guard isAnswered else { continue }
      let prediction = predictions[program]
      for (value, expected) in zip(prediction, expected) {
        outputs.compare(value, with: expected, frame: index)
      }
      var place = expected.count
      for state in converted.states[program] {
        for expected in reference.states[state] {
          states.compare(prediction[place], with: expected, frame: index)
          place += 1
        }
      }
      if decide == .every || frames.endsStream {
        self.decisions += decisions[program].count
        for margin in decisions[program].flips(prediction, expected) {
          flips += 1
          flippedMargin = max(flippedMargin, margin)
        }
      }
      if index & 255 == 0 { progress(Double(index) / Double(frames.count)) }
    }
    self.frames = frames.count
  }

  private static func step(
    _ session: inout Session, _ program: Int, _ frame: [Float], _ prediction: inout [Float]
  ) throws(StepError) -> Bool {
    var span = prediction.mutableSpan
    return try session.step(program: program, frame.span, into: &span)
  }
}
