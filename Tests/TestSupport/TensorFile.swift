import Foundation

/// The tensors of a fixture file; see Tests/Fixtures/README.md for the format.
package struct TensorFile {
  /// One tensor: its shape and its numbers, row-major, both types of the file widened to Double.
  package struct Tensor {
    package let shape: [Int]
    package let values: [Double]
    /// The numbers as 32-bit floats, which they are exactly where the file says `f32`.
    package var floats: [Float] { values.map { Float($0) } }
  }
  /// The tensors by name.
  package private(set) var tensors: [String: Tensor] = [:]

  /// Reads `Tests/Fixtures/NAME.tensors`.
  package init(_ name: String) throws {
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/\(name).tensors")
    let data = try Data(contentsOf: url)
    let end = data.firstRange(of: Data("\n\n".utf8))!
    let header = String(decoding: data[..<end.lowerBound], as: UTF8.self)
    var offset = end.upperBound
    for line in header.split(separator: "\n") {
      let words = line.split(separator: " ")
      let shape = words[2...].map { Int($0)! }
      let count = shape.reduce(1, *)
      let values: [Double] = unsafe data.withUnsafeBytes { bytes in
        (0..<count).map { index in
          unsafe words[1] == "f32"
            ? Double(
              bytes.loadUnaligned(fromByteOffset: offset + 4 * index, as: Float.self))
            : bytes.loadUnaligned(fromByteOffset: offset + 8 * index, as: Double.self)
        }
      }
      offset += count * (words[1] == "f32" ? 4 : 8)
      tensors[String(words[0])] = Tensor(shape: shape, values: values)
    }
    precondition(offset == data.count, "\(name).tensors has bytes left over")
  }

  /// The tensor of a name, which must be there.
  package subscript(name: String) -> Tensor { tensors[name]! }
}
