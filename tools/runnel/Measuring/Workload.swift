import Runnel

/// What is timed: a call that takes frames in and gives predictions out.
protocol Workload: ~Copyable {
  /// The frames that a call takes, of all streams.
  var framesPerCall: Int { get }

  /// Makes the call that comes next. Never allocates.
  mutating func call() throws(StepError)
}

/// One frame of one stream.
struct StepWorkload: Workload, ~Copyable {
  let framesPerCall = 1
  private var session: Session
  private let frames: [Float]
  private let frameSize: Int
  private let end: Int
  private var prediction: [Float]
  private var first = 0

  /// - Parameter frames: What the stream goes through, again and again.
  init(_ model: Model, frames: RandomFrames) {
    session = Session(model)
    self.frames = frames.values
    frameSize = model.frameSize
    end = frames.values.count
    prediction = [Float](repeating: 0, count: model.predictionSize)
  }

  mutating func call() throws(StepError) {
    try Self.step(&session, frames, first..<first + frameSize, &prediction)
    first += frameSize
    if first == end { first = 0 }
  }

  private static func step(
    _ session: inout Session, _ frames: [Float], _ range: Range<Int>, _ prediction: inout [Float]
  ) throws(StepError) {
    var span = prediction.mutableSpan
    try session.step(frames.span.extracting(range), into: &span)
  }
}

/// A frame of each of many streams, in one step.
struct GroupWorkload: Workload, ~Copyable {
  let framesPerCall: Int
  private var group: SessionGroup
  private let streams: [Int]
  private let frames: [Float]
  private let numbers: Int
  private var predictions: [Float]
  private var first = 0

  /// - Parameter frames: What the streams go through, again and again; at least two for each.
  init(_ model: Model, streams count: Int, threads: Int, frames: RandomFrames) throws {
    framesPerCall = count
    group = SessionGroup(model, capacity: count, threads: threads)
    var streams: [Int] = []
    for _ in 0..<count { streams.append(try group.join()) }
    self.streams = streams
    self.frames = frames.values
    numbers = count * model.frameSize
    predictions = [Float](repeating: 0, count: count * model.predictionSize)
  }

  mutating func call() throws(StepError) {
    try Self.step(&group, streams, frames, first..<first + numbers, &predictions)
    first += numbers
    if first + numbers > frames.count { first = 0 }
  }

  private static func step(
    _ group: inout SessionGroup, _ streams: [Int], _ frames: [Float], _ range: Range<Int>,
    _ predictions: inout [Float]
  ) throws(StepError) {
    var span = predictions.mutableSpan
    do throws(GroupError) {
      let refused = try group.step(
        streams.span, frames: frames.span.extracting(range), into: &span)
      if refused == 0 { return }
    } catch { preconditionFailure("the workload names its streams and their frames: \(error)") }
    throw .nonFiniteResult
  }
}

/// A sequence of known frames of one stream; the state goes on from call to call.
struct SequenceWorkload: Workload, ~Copyable {
  let framesPerCall: Int
  private var session: Session
  private let frames: [Float]
  private var predictions: [Float]

  init(_ model: Model, frames: RandomFrames) {
    framesPerCall = frames.count
    session = Session(model)
    self.frames = frames.values
    predictions = [Float](repeating: 0, count: frames.count * model.predictionSize)
  }

  mutating func call() throws(StepError) { try Self.run(&session, frames, &predictions) }

  private static func run(
    _ session: inout Session, _ frames: [Float], _ predictions: inout [Float]
  ) throws(StepError) {
    var span = predictions.mutableSpan
    try session.run(frames: frames.span, into: &span)
  }
}
