package import Foundation

/// A `.tensors` file that PyTorch's results stand in; `Tests/Fixtures/README.md` has the format.
package struct Fixture {
  private var tensors: [String: (shape: [Int], values: [Double])] = [:]

  /// Where the files are.
  package static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures")

  /// Reads `NAME.tensors`.
  package init(_ name: String) throws {
    let data = [UInt8](try Data(contentsOf: Self.folder.appending(path: "\(name).tensors")))
    var offset = 0
    var header: [(name: String, type: Substring, shape: [Int])] = []
    while data[offset] != UInt8(ascii: "\n") {
      let end = data[offset...].firstIndex(of: UInt8(ascii: "\n"))!
      let words = String(decoding: data[offset..<end], as: UTF8.self).split(separator: " ")
      header.append((String(words[0]), words[1], words[2...].map { Int($0)! }))
      offset = end + 1
    }
    offset += 1
    for (name, type, shape) in header {
      let size = type == "f32" ? 4 : 8
      let values = (0..<shape.reduce(1, *)).map { index in
        var bits: UInt64 = 0
        for byte in (0..<size).reversed() {
          bits = bits << 8 | UInt64(data[offset + index * size + byte])
        }
        return size == 8
          ? Double(bitPattern: bits) : Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
      }
      tensors[name] = (shape, values)
      offset += values.count * size
    }
  }

  /// The values of a tensor.
  package subscript(name: String) -> [Double] { tensors[name]!.values }

  /// The values of a tensor as 32-bit floats, which they are exactly where the file says `f32`.
  package func floats(_ name: String) -> [Float] { self[name].map { Float($0) } }

  /// Whether there is such a tensor.
  package func contains(_ name: String) -> Bool { tensors[name] != nil }
}
