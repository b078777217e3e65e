package import RunnelTraining

/// A recurrent cell that the experiments set beside others.
package enum Cell: String, CaseIterable, Sendable {
  /// A vanilla RNN with tanh.
  case rnn
  case lstm
  /// A GRU whose reset gate acts after the recurrent product.
  case gru

  /// What a figure calls it.
  package var title: String { self == .rnn ? "vanilla RNN" : rawValue.uppercased() }

  /// The cell as a layer.
  package func layer(hidden: Int) -> LayerSpecification {
    switch self {
    case .rnn: .rnn(hidden: hidden, activation: .tanh)
    case .lstm: .lstm(hidden: hidden)
    case .gru: .gru(hidden: hidden, variant: .resetAfter)
    }
  }

  /// The largest hidden size, at least 1, with which the cell has at most so many parameters: its
  /// `gates × H × (I + H + 1)`.
  package func hiddenSize(parameters: Int, inputSize: Int) -> Int {
    let gates =
      switch self {
      case .rnn: 1
      case .gru: 3
      case .lstm: 4
      }
    var size = 1
    while gates * (size + 1) * (inputSize + size + 2) <= parameters { size += 1 }
    return size
  }
}
