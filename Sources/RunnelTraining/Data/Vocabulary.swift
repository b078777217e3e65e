package import Runnel

extension TokenUnit {
  /// The tokens of a text: its Unicode scalars, or what stands between spaces.
  package func tokens(of text: String) -> [String] {
    switch self {
    case .characters: text.unicodeScalars.map { String($0) }
    case .words: text.split(separator: " ").map { String($0) }
    }
  }

  /// The text that tokens make up.
  package func text(of tokens: [String]) -> String {
    tokens.joined(separator: self == .words ? " " : "")
  }
}

/// The tokens that a network knows, with a number for each.
package struct Vocabulary: Sendable {
  /// What stands for tokens that are not known.
  package static let unknown = "<unknown>"
  /// What ends a sequence of tokens.
  package static let end = "<end>"

  /// The tokens in the order of their numbers.
  package let tokens: [String]
  private let numbers: [ArraySlice<UInt8>: Int]

  /// A vocabulary of these tokens.
  package init(_ tokens: [String]) {
    self.tokens = tokens
    // By bytes: as Strings, the Kelvin sign would be the letter K.
    numbers = Dictionary(
      zip(tokens.map { Array($0.utf8)[...] }, tokens.indices),
      uniquingKeysWith: { first, _ in first })
  }

  /// The tokens of texts that are in them at least so often, in the order of their bytes; behind special
  /// ones.
  package init(of texts: [[String]], minimumCount: Int = 1, special: [String] = []) {
    var counts: [ArraySlice<UInt8>: Int] = [:]
    for token in texts.joined() { counts[Array(token.utf8)[...], default: 0] += 1 }
    let frequent = counts.filter { $0.value >= minimumCount }.keys
      .sorted { $0.lexicographicallyPrecedes($1) }
    let tokens = frequent.map { String(decoding: $0, as: UTF8.self) }
    self.init(special + tokens.filter { !special.contains($0) })
  }

  /// The number of a token, or of the one for those that are not known.
  ///
  /// - Returns: `nil` where the token is not known, and there is none for such tokens.
  package func number(of token: String) -> Int? {
    numbers[Array(token.utf8)[...]] ?? numbers[Array(Self.unknown.utf8)[...]]
  }
}
