import Foundation
import Runnel
import TestSupport
import Testing

/// The page that describes the format says what the code does.
@Suite struct FormatPageTests {
  let page: String

  init() throws {
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../Sources/Runnel/Runnel.docc/Format.md")
    page = try String(contentsOf: url, encoding: .utf8)
  }

  /// The model of the page's example.
  static let tiny = ModelDescription(
    states: [StateDescription(name: "h", size: 1)],
    programs: [
      ProgramDescription(
        inputs: [InputPort(name: "x", size: 1)],
        operations: [
          .rnn(.tanh, input: 0, inputWeights: 0, recurrentWeights: 1, bias: 2, hidden: 0)
        ],
        outputs: [OutputPort(name: "y", slot: 1)])
    ],
    tensors: [
      TensorDescription(name: "W", shape: [1, 1], values: [0.5]),
      TensorDescription(name: "R", shape: [1, 1], values: [0.25]),
      TensorDescription(name: "b", shape: [1], values: [0]),
    ],
    metadata: ModelMetadata(["name": ["tiny"]]),
    golden: GoldenFrames(
      tolerance: 1e-5, runs: [GoldenFrames.Run(frames: [1], predictions: [0.46211717])]))

  @Test func `the example is the file of its model`() throws {
    let shown = page.components(separatedBy: "```").first { $0.hasPrefix("\n00000000") }
    let dump = "\n" + Self.dump(try Self.tiny.encoded()) + "\n"
    #expect(shown == dump)
  }

  @Test func `the example's prediction is what the model gives`() {
    var reference = ReferenceInterpreter(Self.tiny)
    #expect(Float(reference.step(frame: [1])[0]) == 0.46211717)
  }

  @Test(arguments: ModelOperation.Code.allCases)
  func `every operation is listed with its code`(code: ModelOperation.Code) {
    #expect(page.contains("\n| \(code.rawValue) | `\(code)` | "))
  }

  @Test func `every attribute is listed with the operations that take it`() throws {
    func codes(_ takes: (ModelOperation) -> Bool) -> String {
      ModelOperation.Code.allCases.filter {
        takes(ModelOperation($0, operands: [0], tensors: [0, 0, 0]))
      }.map { "\($0.rawValue)" }.joined(separator: ", ")
    }
    let rows = page.split(separator: "\n")
    let accuracy = try #require(rows.first { $0.hasPrefix("| 1 | `accuracy` | 1: ") })
    #expect(accuracy.hasSuffix(" | \(codes(\.hasActivations)) |"))
    #expect(ModelOperation.Accuracy.fast.rawValue == 1)
    let bits = try #require(rows.first { $0.hasPrefix("| 2 | `inputBits` | 8: ") })
    #expect(bits.hasSuffix(" | \(codes(\.hasMatrices)) |"))
    let others: [(row: String, codes: String)] = [
      ("| 3 | `stride` | ", codes(\.hasStride)),
      ("| 4 | `width` | ", codes { $0.code == .maximum }),
      ("| 5 | `count` | ", codes { $0.code == .maximum }),
      ("| 6 | `dilation` | ", codes { $0.code == .window }),
    ]
    for (start, codes) in others {
      let row = try #require(rows.first { $0.hasPrefix(start) })
      #expect(row.hasSuffix(" | 1 | \(codes) |"))
    }
  }

  @Test(arguments: [
    ("bytes of a file", FormatLimits.fileBytes),
    ("bytes of a string", FormatLimits.stringBytes),
    ("programs", FormatLimits.programs),
    ("inputs, and outputs, of a program", FormatLimits.ports),
    ("operations of a program", FormatLimits.operations),
    ("operands of an operation", FormatLimits.operands),
    ("states", FormatLimits.states),
    ("tensors", FormatLimits.tensors),
    ("rank of a tensor", FormatLimits.rank),
    ("a dimension; a state, slot, frame or prediction", FormatLimits.dimension),
    ("elements of a tensor", FormatLimits.tensorElements),
    (
      "products of an operation on windows: the elements of all of them times the rows of W",
      FormatLimits.windowProducts
    ),
    (
      "elements of all states together, and of all slots of a program",
      FormatLimits.workingElements
    ),
    ("entries of metadata", FormatLimits.metadataEntries),
    ("values of an entry", FormatLimits.metadataValues),
    ("golden runs", FormatLimits.goldenRuns),
  ])
  func `every limit is listed with its value`(name: String, value: Int) {
    let number = value.formatted(.number.grouping(.automatic).locale(Locale(identifier: "en")))
    #expect(page.contains("\n| \(name) | \(number) |\n"))
  }

  /// Bytes as `hexdump -C` shows them, a `*` for lines that are the same as the one before.
  private static func dump(_ bytes: [UInt8]) -> String {
    var lines: [String] = []
    var previous: ArraySlice<UInt8> = []
    for start in stride(from: 0, to: bytes.count, by: 16) {
      let row = bytes[start..<min(start + 16, bytes.count)]
      if row.elementsEqual(previous) {
        if lines.last != "*" { lines.append("*") }
        continue
      }
      previous = row
      let hex = row.map { String(format: "%02x", $0) }
      let text = row.map { 0x20...0x7E ~= $0 ? String(UnicodeScalar($0)) : "." }.joined()
      lines.append(
        String(format: "%08x", start) + "  " + hex[..<8].joined(separator: " ") + "  "
          + hex[8...].joined(separator: " ") + "  |\(text)|")
    }
    return (lines + [String(format: "%08x", bytes.count)]).joined(separator: "\n")
  }
}
