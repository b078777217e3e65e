/// Lays out a model's weights for the kernels: panels of 16 rows, aligned to cache lines.
///
/// Each function appends one operation's panels and returns where they start, in bytes. The layouts
/// are described where they are read, at the top of the kernels' files.
struct WeightPacker {
  /// All panels so far, in floats.
  private(set) var floats: [Float] = []

  /// Rows of a matrix, 16 of them a block, zeros where a block has fewer.
  private struct Rows {
    let values: [Float]
    let columns: Int
    let first: Int
    let count: Int

    /// The weights of one column of one block.
    func column(_ column: Int, block: Int) -> [Float] {
      (16 * block..<16 * block + 16).map { row in
        row < count ? values[(first + row) * columns + column] : 0
      }
    }
  }

  private func rows(_ values: [Float], _ columns: Int, gate: Int, _ count: Int) -> Rows {
    Rows(values: values, columns: columns, first: gate * count, count: count)
  }

  /// A block of a vector.
  private func block(_ values: [Float], gate: Int, _ count: Int, _ block: Int) -> [Float] {
    rows(values, 1, gate: gate, count).column(0, block: block)
  }

  /// Matrix rows in panels of four blocks, then of one: a dense layer (without `recurrent`), a
  /// vanilla RNN, or the given gates of a cell.
  mutating func packRows(
    input: [Float], inputSize: Int, recurrent: [Float] = [], hiddenSize: Int = 0, bias: [Float],
    size: Int, gates: Range<Int> = 0..<1
  ) -> Int {
    let start = floats.count
    let perGate = (size + 15) / 16
    let blocks = gates.flatMap { gate in (0..<perGate).map { (gate: gate, block: $0) } }
    var first = 0
    while first < blocks.count {
      let panel = blocks[first..<(blocks.count - first >= 4 ? first + 4 : first + 1)]
      for (gate, index) in panel { floats += block(bias, gate: gate, size, index) }
      for column in 0..<inputSize {
        for (gate, index) in panel {
          floats += rows(input, inputSize, gate: gate, size).column(column, block: index)
        }
      }
      for column in 0..<hiddenSize {
        for (gate, index) in panel {
          floats += rows(recurrent, hiddenSize, gate: gate, size).column(column, block: index)
        }
      }
      first += panel.count
    }
    return start * 4
  }

  /// An LSTM's or reset-after GRU's gates in panels of two blocks of units, then of one.
  ///
  /// - Parameter candidateBias: A GRU's `c_n`, which stands behind the other gates' biases.
  mutating func packGates(
    _ gates: Int, input: [Float], inputSize: Int, recurrent: [Float], hiddenSize: Int,
    bias: [Float], candidateBias: [Float]? = nil
  ) -> Int {
    let start = floats.count
    let blocks = (hiddenSize + 15) / 16
    var first = 0
    while first < blocks {
      let panel = first..<(blocks - first >= 2 ? first + 2 : first + 1)
      for index in panel {
        for gate in 0..<gates { floats += block(bias, gate: gate, hiddenSize, index) }
        if let candidateBias {
          floats += block(candidateBias, gate: 0, hiddenSize, index)
        }
      }
      for (values, columns) in [(input, inputSize), (recurrent, hiddenSize)] {
        for column in 0..<columns {
          for index in panel {
            for gate in 0..<gates {
              floats += rows(values, columns, gate: gate, hiddenSize).column(column, block: index)
            }
          }
        }
      }
      first = panel.upperBound
    }
    return start * 4
  }

  /// Vectors, one behind the other, each padded to whole blocks.
  mutating func packVectors(_ vectors: [[Float]]) -> Int {
    let start = floats.count
    for vector in vectors {
      floats += vector
      floats += [Float](repeating: 0, count: (16 - vector.count % 16) % 16)
    }
    return start * 4
  }
}
