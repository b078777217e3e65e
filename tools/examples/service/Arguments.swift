import Glibc

/// The command line.
struct Arguments {
  static let usage = """
    Usage: runnel-service MODEL SOCKET [--connections N] [--patience SECONDS]

      MODEL           a .runnel file
      SOCKET          the path of the Unix socket to listen on
      --connections   how many clients are served at once (default 256)
      --patience      how long a client may leave its replies unread (default 5)
    """

  private(set) var model = ""
  private(set) var socket = ""
  private(set) var connections = 256
  private(set) var patience = 5

  init(_ words: some Sequence<String>) throws(Failure) {
    var operands: [String] = []
    var words = words.makeIterator()
    while let word = words.next() {
      switch word {
      case "--connections": connections = try Self.number(words.next(), for: word)
      case "--patience": patience = try Self.number(words.next(), for: word)
      case "--help", "-h":
        print(Self.usage)
        exit(EX_OK)
      case _ where word.hasPrefix("-"): throw Self.fault("unknown option '\(word)'")
      default: operands.append(word)
      }
    }
    guard operands.count == 2 else { throw Self.fault("a model and a socket are needed") }
    (model, socket) = (operands[0], operands[1])
  }

  private static func number(_ word: String?, for option: String) throws(Failure) -> Int {
    guard let word, let number = Int(word), 1...65_536 ~= number else {
      throw fault("\(option) takes a whole number from 1 to 65536")
    }
    return number
  }

  private static func fault(_ sentence: String) -> Failure {
    Failure(EX_USAGE, "\(sentence)\n\(usage)")
  }
}
