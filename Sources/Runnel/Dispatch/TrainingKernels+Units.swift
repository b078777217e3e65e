internal import Kernels
internal import KernelsV3
internal import KernelsV4

// The part of recurrent layers that is no product: a frame of some streams. The kernels say what is what.

extension TrainingKernels {
  /// A frame of an LSTM's forward pass.
  package func forwardLSTM(
    gates: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>,
    cellTanh: UnsafeMutablePointer<Float>, hidden: UnsafeMutablePointer<Float>,
    output: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::LSTMPass.forward(
        gates: gates, cell: cell, cellTanh: cellTanh, hidden: hidden, output: output, rows: rows,
        size: size)
    case .v3:
      unsafe KernelsV3::LSTMPass.forward(
        gates: gates, cell: cell, cellTanh: cellTanh, hidden: hidden, output: output, rows: rows,
        size: size)
    case .v2:
      unsafe Kernels::LSTMPass.forward(
        gates: gates, cell: cell, cellTanh: cellTanh, hidden: hidden, output: output, rows: rows,
        size: size)
    }
  }

  /// A frame of an LSTM's backward pass.
  package func backwardLSTM(
    gates: UnsafeMutablePointer<Float>, previousCell: UnsafePointer<Float>,
    cellTanh: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    hiddenGradient: UnsafeMutablePointer<Float>, cellGradient: UnsafeMutablePointer<Float>,
    rows: Int, size: Int
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::LSTMPass.backward(
        gates: gates, previousCell: previousCell, cellTanh: cellTanh,
        outputGradient: outputGradient, hiddenGradient: hiddenGradient, cellGradient: cellGradient,
        rows: rows, size: size)
    case .v3:
      unsafe KernelsV3::LSTMPass.backward(
        gates: gates, previousCell: previousCell, cellTanh: cellTanh,
        outputGradient: outputGradient, hiddenGradient: hiddenGradient, cellGradient: cellGradient,
        rows: rows, size: size)
    case .v2:
      unsafe Kernels::LSTMPass.backward(
        gates: gates, previousCell: previousCell, cellTanh: cellTanh,
        outputGradient: outputGradient, hiddenGradient: hiddenGradient, cellGradient: cellGradient,
        rows: rows, size: size)
    }
  }

  /// A frame of a GRU's forward pass, whose reset gate acts after the product.
  package func forwardGRU(
    gates: UnsafeMutablePointer<Float>, recurrent: UnsafePointer<Float>,
    hidden: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::GRUPass.forward(
        gates: gates, recurrent: recurrent, hidden: hidden, output: output, rows: rows, size: size)
    case .v3:
      unsafe KernelsV3::GRUPass.forward(
        gates: gates, recurrent: recurrent, hidden: hidden, output: output, rows: rows, size: size)
    case .v2:
      unsafe Kernels::GRUPass.forward(
        gates: gates, recurrent: recurrent, hidden: hidden, output: output, rows: rows, size: size)
    }
  }

  /// A frame of that GRU's backward pass.
  package func backwardGRU(
    gates: UnsafeMutablePointer<Float>, recurrent: UnsafeMutablePointer<Float>,
    previousHidden: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    hiddenGradient: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::GRUPass.backward(
        gates: gates, recurrent: recurrent, previousHidden: previousHidden,
        outputGradient: outputGradient, hiddenGradient: hiddenGradient, rows: rows, size: size)
    case .v3:
      unsafe KernelsV3::GRUPass.backward(
        gates: gates, recurrent: recurrent, previousHidden: previousHidden,
        outputGradient: outputGradient, hiddenGradient: hiddenGradient, rows: rows, size: size)
    case .v2:
      unsafe Kernels::GRUPass.backward(
        gates: gates, recurrent: recurrent, previousHidden: previousHidden,
        outputGradient: outputGradient, hiddenGradient: hiddenGradient, rows: rows, size: size)
    }
  }

  /// Of a GRU's forward pass what comes before the candidate's product.
  package func resetGRU(
    gates: UnsafeMutablePointer<Float>, hidden: UnsafePointer<Float>,
    resetHidden: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::GRUPass.reset(
        gates: gates, hidden: hidden, resetHidden: resetHidden, rows: rows, size: size)
    case .v3:
      unsafe KernelsV3::GRUPass.reset(
        gates: gates, hidden: hidden, resetHidden: resetHidden, rows: rows, size: size)
    case .v2:
      unsafe Kernels::GRUPass.reset(
        gates: gates, hidden: hidden, resetHidden: resetHidden, rows: rows, size: size)
    }
  }

  /// What comes behind it.
  package func updateGRU(
    gates: UnsafeMutablePointer<Float>, hidden: UnsafeMutablePointer<Float>,
    output: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::GRUPass.update(
        gates: gates, hidden: hidden, output: output, rows: rows, size: size)
    case .v3:
      unsafe KernelsV3::GRUPass.update(
        gates: gates, hidden: hidden, output: output, rows: rows, size: size)
    case .v2:
      unsafe Kernels::GRUPass.update(
        gates: gates, hidden: hidden, output: output, rows: rows, size: size)
    }
  }

  /// Of that GRU's backward pass what comes before the candidate's product.
  package func updateGRUBackward(
    gates: UnsafeMutablePointer<Float>, previousHidden: UnsafePointer<Float>,
    outputGradient: UnsafePointer<Float>, hiddenGradient: UnsafeMutablePointer<Float>, rows: Int,
    size: Int
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::GRUPass.updateBackward(
        gates: gates, previousHidden: previousHidden, outputGradient: outputGradient,
        hiddenGradient: hiddenGradient, rows: rows, size: size)
    case .v3:
      unsafe KernelsV3::GRUPass.updateBackward(
        gates: gates, previousHidden: previousHidden, outputGradient: outputGradient,
        hiddenGradient: hiddenGradient, rows: rows, size: size)
    case .v2:
      unsafe Kernels::GRUPass.updateBackward(
        gates: gates, previousHidden: previousHidden, outputGradient: outputGradient,
        hiddenGradient: hiddenGradient, rows: rows, size: size)
    }
  }

  /// What comes behind it.
  package func resetGRUBackward(
    gates: UnsafeMutablePointer<Float>, previousHidden: UnsafePointer<Float>,
    resetGradient: UnsafePointer<Float>, hiddenGradient: UnsafeMutablePointer<Float>, rows: Int,
    size: Int
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::GRUPass.resetBackward(
        gates: gates, previousHidden: previousHidden, resetGradient: resetGradient,
        hiddenGradient: hiddenGradient, rows: rows, size: size)
    case .v3:
      unsafe KernelsV3::GRUPass.resetBackward(
        gates: gates, previousHidden: previousHidden, resetGradient: resetGradient,
        hiddenGradient: hiddenGradient, rows: rows, size: size)
    case .v2:
      unsafe Kernels::GRUPass.resetBackward(
        gates: gates, previousHidden: previousHidden, resetGradient: resetGradient,
        hiddenGradient: hiddenGradient, rows: rows, size: size)
    }
  }

  /// A frame of a vanilla RNN's forward pass.
  package func forwardRNN(
    output: UnsafeMutablePointer<Float>, hidden: UnsafeMutablePointer<Float>, isTanh: Bool,
    count: Int
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::RNNPass.forward(
        output: output, hidden: hidden, isTanh: isTanh, count: count)
    case .v3:
      unsafe KernelsV3::RNNPass.forward(
        output: output, hidden: hidden, isTanh: isTanh, count: count)
    case .v2:
      unsafe Kernels::RNNPass.forward(output: output, hidden: hidden, isTanh: isTanh, count: count)
    }
  }

  /// A frame of a vanilla RNN's backward pass.
  package func backwardRNN(
    output: UnsafePointer<Float>, outputGradient: UnsafeMutablePointer<Float>,
    hiddenGradient: UnsafeMutablePointer<Float>, isTanh: Bool, count: Int
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::RNNPass.backward(
        output: output, outputGradient: outputGradient, hiddenGradient: hiddenGradient,
        isTanh: isTanh, count: count)
    case .v3:
      unsafe KernelsV3::RNNPass.backward(
        output: output, outputGradient: outputGradient, hiddenGradient: hiddenGradient,
        isTanh: isTanh, count: count)
    case .v2:
      unsafe Kernels::RNNPass.backward(
        output: output, outputGradient: outputGradient, hiddenGradient: hiddenGradient,
        isTanh: isTanh, count: count)
    }
  }

  /// Replaces each value by its hyperbolic tangent.
  package func tanh(_ values: UnsafeMutablePointer<Float>, count: Int) {
    switch level {
    case .v4: unsafe KernelsV4::Functions.tanh(values, count: count)
    case .v3: unsafe KernelsV3::Functions.tanh(values, count: count)
    case .v2: unsafe Kernels::Functions.tanh(values, count: count)
    }
  }

  /// Replaces each value by `1 / (1 + exp(-x))`.
  package func sigmoid(_ values: UnsafeMutablePointer<Float>, count: Int) {
    switch level {
    case .v4: unsafe KernelsV4::Functions.sigmoid(values, count: count)
    case .v3: unsafe KernelsV3::Functions.sigmoid(values, count: count)
    case .v2: unsafe Kernels::Functions.sigmoid(values, count: count)
    }
  }
}
