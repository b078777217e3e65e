/// A program that takes one token and gives the probability of each to be the next one.
struct TokenProgram {
  /// The index in ``Model/programs``.
  let index: Int
  let tokenCount: Int
  let frameSize: Int

  /// Checks that a program is of this kind.
  init(_ model: Model, program index: Int) throws(DecodingError) {
    guard model.programs.indices.contains(index) else { throw .noSuchProgram(index) }
    let program = model.programs[index]
    let description = model.description.programs[index]
    guard !program.needsWholeSequence else { throw .needsWholeSequence }
    guard program.answersEveryFrame else { throw .skipsFrames }
    guard program.inputs.count == 1 else { throw .severalInputs(program.inputs.count) }
    guard program.outputs.count == 1 else { throw .severalOutputs(program.outputs.count) }
    let operation = description.outputs[0].slot - description.inputs.count
    guard description.operations.indices.contains(operation),
      description.operations[operation].code == .softmax
    else { throw .notProbabilities }
    let taken = program.inputs[0].indexLimit ?? program.frameSize
    guard taken == program.predictionSize else {
      throw .tokenCounts(taken: taken, given: program.predictionSize)
    }
    self.index = index
    tokenCount = taken
    frameSize = program.frameSize
    isIndex = program.inputs[0].indexLimit != nil
  }

  /// Whether a frame is the token's index, and not a vector with a 1 in its place.
  private let isIndex: Bool

  @_noAllocation @_noLocks
  func check(_ token: Int) throws(DecodingError) {
    guard token >= 0, token < tokenCount else {
      throw .tokenOutOfRange(token, count: tokenCount)
    }
  }

  /// Writes a token that was checked, as the frame that starts at `first` of some frames.
  @_noAllocation @_noLocks
  func write(_ token: Int, to frames: FixedMemory<Float>, at first: Int) {
    guard !isIndex else {
      frames[first] = Float(token)
      return
    }
    var place = 0
    while place < frameSize {
      frames[first &+ place] = place == token ? 1 : 0
      place &+= 1
    }
  }
}
