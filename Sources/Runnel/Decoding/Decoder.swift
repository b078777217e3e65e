/// Goes on with a sequence of tokens, one by one: each is chosen from the probabilities that the model
/// gives after those before it, and goes back in.
///
/// The model's program takes one token, as an index or as a vector with a 1 in its place, and gives the
/// probability of each to be the next one, by a softmax. The session may have gone through any other
/// program before, such as one that reads the sentence that is to be translated:
///
///     var decoder = try Decoder(session, program: 1, end: end)
///     try decoder.append(end)
///     while let token = try decoder.next() { print(labels[token]) }
@safe public struct Decoder: ~Copyable, @unchecked Sendable {
  // SAFETY (`Sendable`): only the decoder knows its memory, and it cannot be copied.

  /// The stream, which may step with other programs, before the first token or between two.
  public var session: Session
  /// How tokens are chosen; may change from one to the next.
  public var sampling: TokenSampling {
    get { sampler.sampling }
    set { sampler.sampling = newValue }
  }
  /// The token that ends sequences, if there is one.
  public let end: Int?
  /// The number of tokens that there are.
  public var tokenCount: Int { program.tokenCount }
  /// Whether the last token that was chosen ended the sequence.
  public private(set) var hasEnded = false
  private let program: TokenProgram
  private var sampler: TokenSampler
  /// The token that the next step takes.
  private var last: Int?
  private let frame: FixedMemory<Float>
  private let prediction: FixedMemory<Float>

  /// Makes a decoder, which keeps the session.
  ///
  /// - Parameters:
  ///   - session: The stream, in the state in which it takes the first token.
  ///   - program: The index in ``Model/programs`` of the program that takes tokens.
  ///   - sampling: How tokens are chosen.
  ///   - seed: What the random numbers start from.
  ///   - end: The token that ends sequences, if there is one.
  /// - Throws: ``DecodingError`` where the program does not take one token and give the probability of
  ///   each, or where it does not take `end`.
  /// - Complexity: Allocates 20 bytes for each token, and 4 for each number of a frame.
  public init(
    _ session: consuming Session, program: Int = 0, sampling: TokenSampling = .greedy,
    seed: UInt64 = 0, end: Int? = nil
  ) throws(DecodingError) {
    let program = try TokenProgram(session.model, program: program)
    if let end { try program.check(end) }
    self.session = session
    self.program = program
    self.end = end
    sampler = TokenSampler(tokenCount: program.tokenCount, sampling: sampling, seed: seed)
    frame = FixedMemory(repeating: 0, count: program.frameSize)
    prediction = FixedMemory(repeating: 0, count: program.tokenCount)
    DecodingError.prepare()
  }

  deinit {
    unsafe frame.deallocate()
    unsafe prediction.deallocate()
  }

  /// Puts a token behind the sequence: the first one, or one of a prompt.
  ///
  /// The session steps with the token before it, if there is one.
  ///
  /// - Throws: ``DecodingError/tokenOutOfRange(_:count:)`` or ``DecodingError/step(_:)``. The decoder
  ///   is then as it was before.
  /// - Complexity: One step of the program. Never allocates, locks or calls the system.
  @_noAllocation @_noLocks
  public mutating func append(_ token: Int) throws(DecodingError) {
    try program.check(token)
    if let last { try step(last) }
    last = token
    hasEnded = false
  }

  /// Chooses the next token.
  ///
  /// - Returns: The token; `nil` where it is the one that ends the sequence, and from then on, until
  ///   one is appended.
  /// - Throws: ``DecodingError/noFirstToken`` or ``DecodingError/step(_:)``. The decoder is then as it
  ///   was before.
  /// - Complexity: One step of the program, and what ``TokenSampler/pick(_:)`` takes. Never allocates,
  ///   locks or calls the system.
  @_noAllocation @_noLocks
  public mutating func next() throws(DecodingError) -> Int? {
    guard !hasEnded else { return nil }
    guard let last else { throw .noFirstToken }
    try step(last)
    let token = unsafe sampler.pick(prediction.slice(count: prediction.count).span)
    self.last = token
    hasEnded = token == end
    return hasEnded ? nil : token
  }

  /// Chooses tokens until the sequence ends, or there is no more room.
  ///
  /// - Parameter tokens: Receives the tokens, without the one that ends the sequence.
  /// - Returns: The number of tokens; less than there is room for where the sequence has ended.
  /// - Throws: ``DecodingError``. The tokens before the refused step are then part of the sequence.
  /// - Complexity: As many times ``next()``. Never allocates, locks or calls the system.
  @_noAllocation @_noLocks
  public mutating func generate(into tokens: inout MutableSpan<Int>) throws(DecodingError) -> Int {
    var count = 0
    while count < tokens.count, let token = try next() {
      tokens[count] = token
      count &+= 1
    }
    return count
  }

  /// The probability that the last step gave a token, 0 before the first; the token chosen last was
  /// chosen from these.
  ///
  /// - Parameter token: Its index.
  @_noAllocation @_noLocks
  public func probability(of token: Int) -> Float { prediction[token] }

  /// Starts a new sequence, and the session again; the random numbers go on.
  ///
  /// - Complexity: O(states). Never allocates, locks or calls the system.
  public mutating func reset() {
    session.reset()
    last = nil
    hasEnded = false
  }

  @_noAllocation @_noLocks
  private mutating func step(_ token: Int) throws(DecodingError) {
    program.write(token, to: frame, at: 0)
    var prediction = unsafe prediction.slice(count: prediction.count).mutableSpan
    do throws(StepError) {
      try unsafe session.step(
        program: program.index, frame.slice(count: frame.count).span, into: &prediction)
    } catch {
      throw .step(error)
    }
  }
}
