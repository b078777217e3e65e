public import Runnel

/// One layer of a network, by its kind and its own sizes; input sizes follow from the layer before.
public enum LayerSpecification: Equatable, Sendable {
  /// A vanilla RNN (``Runnel/ModelOperation/rnn(_:input:inputWeights:recurrentWeights:bias:hidden:)``).
  case rnn(hidden: Int, activation: ModelOperation.RNNActivation)
  /// An LSTM (``Runnel/ModelOperation/lstm(input:inputWeights:recurrentWeights:bias:hidden:cell:)``).
  case lstm(hidden: Int)
  /// A GRU whose reset gate acts after the recurrent product, or before it.
  case gru(hidden: Int, variant: GRUVariant)
  /// Makes its input the next value of a state of the same place in other programs: the hidden state
  /// of `hidden` elements, which is also the result, and behind it, where there is one, the cell state
  /// of an LSTM.
  case state(hidden: Int, hasCell: Bool)
  /// A dense layer with `size` outputs.
  case dense(size: Int)
  /// A table with a row of `size` numbers for each index; only as the first layer.
  case embedding(size: Int)
  /// Sets a share `rate` of the elements to zero and scales the others by `1 / (1 - rate)`, while
  /// training; vanishes from the exported model (Srivastava and others, 2014).
  case dropout(rate: Float)
  /// Adds Gaussian noise with this standard deviation, while training; vanishes on export.
  case noise(deviation: Float)
  /// Adds one Gaussian vector to all frames of a sequence, a new one with every visit, while
  /// training; vanishes on export.
  case offset(deviation: Float)
  /// Hyperbolic tangent, element by element.
  case tanh
  /// `1 / (1 + exp(-x))`, element by element.
  case sigmoid
  /// `max(x, 0)`, element by element.
  case relu

  /// Whether the layer does nothing but disturb training, and is no part of the exported model.
  var isForTrainingOnly: Bool {
    switch self {
    case .dropout, .noise, .offset: true
    case .rnn, .lstm, .gru, .state, .dense, .embedding, .tanh, .sigmoid, .relu: false
    }
  }
}

/// Where a GRU's reset gate acts.
public enum GRUVariant: Equatable, Sendable {
  /// After the recurrent product, as PyTorch and cuDNN.
  case resetAfter
  /// Before the recurrent product, as Cho and others (2014).
  case resetBefore
}
