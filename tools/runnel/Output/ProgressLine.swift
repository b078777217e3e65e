/// Shows how far some work is: one line that is redrawn on a terminal, otherwise a line every few
/// seconds.
struct ProgressLine {
  private let name: String
  private let isTerminal = StandardError.isTerminal
  private var shown = 0

  private static let barWidth = 20

  init(name: String) { self.name = name }

  /// Whether it is time to show something.
  var isDue: Bool { nanoseconds() - shown >= (isTerminal ? 100_000_000 : 5_000_000_000) }

  /// Shows a state.
  mutating func draw(fraction: Double, _ parts: [String], secondsLeft: Double) {
    shown = nanoseconds()
    let done = min(Self.barWidth, Int(fraction * Double(Self.barWidth)))
    let bar =
      String(repeating: "#", count: done) + String(repeating: ".", count: Self.barWidth - done)
    let line =
      (["\(name) [\(bar)] \("\(Int(fraction * 100))".padded(to: 3)) %"] + parts
      + ["left \(Self.duration(secondsLeft))"]).joined(separator: "  ")
    StandardError.write(isTerminal ? "\r\(line)\u{1B}[K" : line + "\n")
  }

  /// Ends the line.
  func finish() {
    if isTerminal { StandardError.write("\n") }
  }

  /// A time such as `1:05` or `2:03:45`.
  private static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, 0..<1e8 ~= seconds else { return "?" }
    let total = Int(seconds.rounded(.up))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let minutes = total / 60 % 60
    return total >= 3600
      ? "\(total / 3600):\(two(minutes)):\(two(total % 60))" : "\(minutes):\(two(total % 60))"
  }
}
