import Runnel
import RunnelTraining

/// A model that writes token by token, by drawing them or by searching for the best text.
struct TokenWriter: ~Copyable {
  /// What it writes, and what its first token follows from.
  let tokens: TokenInput
  /// The token that ends a text, where the model knows one.
  let end: Int?
  private let path: String
  private let length: Int
  private var decoder: Decoder
  private var search: BeamSearch?

  /// A writer.
  ///
  /// - Parameters:
  ///   - program: The program that writes.
  ///   - length: The most tokens of a text.
  ///   - beam: The width of a search, which takes the place of drawing.
  init(
    _ loaded: LoadedModel, program: Int, sampling: TokenSampling, seed: UInt64, length: Int,
    beam: Int?
  ) throws {
    let model = loaded.model
    let path = loaded.path
    guard let tokens = TokenInput(model, program: program) else { throw Self.noWriter(path) }
    let end = model.description.metadata.endLabel.flatMap { tokens.tokens.firstIndex(of: $0) }
    let decoder = try Self.decoder(model, path, program, sampling, seed, end)
    let search = try Self.search(model, path, program, width: beam, length, end)
    self.path = path
    self.tokens = tokens
    self.length = length
    self.end = end
    self.decoder = decoder
    self.search = search
  }

  private static func decoder(
    _ model: Model, _ path: String, _ program: Int, _ sampling: TokenSampling, _ seed: UInt64,
    _ end: Int?
  ) throws(Failure) -> Decoder {
    do throws(DecodingError) {
      return try Decoder(
        Session(model), program: program, sampling: sampling, seed: seed, end: end)
    } catch { throw noWriter(path) }
  }

  private static func search(
    _ model: Model, _ path: String, _ program: Int, width: Int?, _ length: Int, _ end: Int?
  ) throws(Failure) -> BeamSearch? {
    guard let width else { return nil }
    do throws(DecodingError) {
      return try BeamSearch(
        model, program: program, width: width, maximumLength: length, end: end)
    } catch { throw noWriter(path) }
  }

  private static func noWriter(_ path: String) -> Failure {
    Failure(
      .data,
      "\(path): found a model that does not write, expected one whose labels are characters or words, "
        + "that takes one and gives the probability of each to be the next")
  }

  /// The error of a model that is to begin a text and does not say from what.
  var withoutEnd: Failure {
    Failure(
      .data,
      "\(path): found a model whose metadata has no 'end', expected the label that ends a text, from "
        + "which the first token follows")
  }

  /// Starts again, and takes frames in with the first program.
  mutating func read(_ frames: [Float]) throws(StepError) {
    decoder.reset()
    try decoder.session.read(frames, program: 0)
  }

  /// Writes a text.
  ///
  /// - Parameters:
  ///   - prompt: Its first tokens, or the token that comes before them; at least one.
  ///   - body: Gets each token that follows, as soon as it is chosen.
  mutating func write(after prompt: [Int], _ body: (Int) throws -> Void) throws {
    do {
      for token in prompt { try decoder.append(token) }
      guard search == nil else {
        for token in try searched(after: prompt.last!) { try body(token) }
        return
      }
      var count = 0
      while count < length, let token = try decoder.next() {
        try body(token)
        count += 1
      }
    } catch DecodingError.step(let error) {
      throw error.dataError(file: "the model", line: nil, frame: nil)
    }
  }

  /// The best text that a search finds.
  private mutating func searched(after token: Int) throws(DecodingError) -> [Int] {
    var found = [Int](repeating: 0, count: length)
    var span = found.mutableSpan
    let result = try search!.search(from: decoder.session, first: token, into: &span)
    return Array(found[..<result.count])
  }
}
