import Runnel
import RunnelTraining

/// The tokens that a program reads, and how one becomes a frame.
struct TokenInput {
  /// What a text is cut into.
  let unit: TokenUnit
  private let vocabulary: Vocabulary
  private let isOneHot: Bool

  /// The tokens of a program.
  ///
  /// - Returns: `nil` where the program's frame is not one token: an index, or a vector with one 1, of
  ///   as many as there are labels for it.
  init?(_ model: Model, program: Int) {
    let metadata = model.description.metadata
    let hasOwn = program == 0 && !metadata.inputLabels.isEmpty
    let labels = hasOwn ? metadata.inputLabels : metadata.labels
    let inputs = model.programs[program].inputs
    guard inputs.count == 1, (inputs[0].indexLimit ?? inputs[0].range.count) == labels.count,
      Set(labels.map { Array($0.utf8) }).count == labels.count
    else { return nil }
    if let unit = hasOwn ? metadata.inputTokens : metadata.tokens {
      self.unit = unit
    } else {
      guard labels.allSatisfy({ $0.unicodeScalars.count == 1 }) else { return nil }
      unit = .characters
    }
    vocabulary = Vocabulary(labels)
    isOneHot = inputs[0].indexLimit == nil
  }

  /// The tokens in the order of their numbers.
  var tokens: [String] { vocabulary.tokens }

  /// The number of a token; of the one for unknown tokens, where there is one.
  func number(of token: String) -> Int? { vocabulary.number(of: token) }

  /// The numbers of the tokens of a text.
  ///
  /// - Parameters:
  ///   - file: Where the text comes from, for errors.
  ///   - line: Its line there, if it has one.
  func numbers(of text: String, file: String, line: Int? = nil) throws(DataError) -> [Int] {
    var numbers: [Int] = []
    for token in unit.tokens(of: text) {
      guard let number = number(of: token) else {
        throw strange(token, file: file, line: line, column: nil)
      }
      numbers.append(number)
    }
    return numbers
  }

  /// The error for a token that the model does not know.
  func strange(_ token: String, file: String, line: Int?, column: Int?) -> DataError {
    let known = tokens.prefix(100).map(\.debugDescription).joined(separator: " ")
    return DataError(
      file: file, line: line, column: column, found: token.debugDescription,
      expected: "one of the \(tokens.count) \(unit) that the model knows: \(known)"
        + (tokens.count > 100 ? " …" : ""))
  }

  /// Writes a token into a frame.
  func write(_ number: Int, into frame: inout [Float]) {
    if isOneHot {
      for index in frame.indices { frame[index] = index == number ? 1 : 0 }
    } else {
      frame[0] = Float(number)
    }
  }
}
