internal import Runnel

// On the kernels of the best level that the CPU has.

extension Float: RecurrentScalar {
  package static func forwardLSTM(
    gates: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>,
    cellTanh: UnsafeMutablePointer<Float>, hidden: UnsafeMutablePointer<Float>,
    output: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    unsafe TrainingKernels.best.forwardLSTM(
      gates: gates, cell: cell, cellTanh: cellTanh, hidden: hidden, output: output, rows: rows,
      size: size)
  }

  package static func backwardLSTM(
    gates: UnsafeMutablePointer<Float>, previousCell: UnsafePointer<Float>,
    cellTanh: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    hiddenGradient: UnsafeMutablePointer<Float>, cellGradient: UnsafeMutablePointer<Float>,
    rows: Int, size: Int
  ) {
    unsafe TrainingKernels.best.backwardLSTM(
      gates: gates, previousCell: previousCell, cellTanh: cellTanh, outputGradient: outputGradient,
      hiddenGradient: hiddenGradient, cellGradient: cellGradient, rows: rows, size: size)
  }

  package static func forwardGRU(
    gates: UnsafeMutablePointer<Float>, recurrent: UnsafePointer<Float>,
    hidden: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    unsafe TrainingKernels.best.forwardGRU(
      gates: gates, recurrent: recurrent, hidden: hidden, output: output, rows: rows, size: size)
  }

  package static func backwardGRU(
    gates: UnsafeMutablePointer<Float>, recurrent: UnsafeMutablePointer<Float>,
    previousHidden: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    hiddenGradient: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    unsafe TrainingKernels.best.backwardGRU(
      gates: gates, recurrent: recurrent, previousHidden: previousHidden,
      outputGradient: outputGradient, hiddenGradient: hiddenGradient, rows: rows, size: size)
  }

  package static func resetGRU(
    gates: UnsafeMutablePointer<Float>, hidden: UnsafePointer<Float>,
    resetHidden: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    unsafe TrainingKernels.best.resetGRU(
      gates: gates, hidden: hidden, resetHidden: resetHidden, rows: rows, size: size)
  }

  package static func updateGRU(
    gates: UnsafeMutablePointer<Float>, hidden: UnsafeMutablePointer<Float>,
    output: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    unsafe TrainingKernels.best.updateGRU(
      gates: gates, hidden: hidden, output: output, rows: rows, size: size)
  }

  package static func updateGRUBackward(
    gates: UnsafeMutablePointer<Float>, previousHidden: UnsafePointer<Float>,
    outputGradient: UnsafePointer<Float>, hiddenGradient: UnsafeMutablePointer<Float>, rows: Int,
    size: Int
  ) {
    unsafe TrainingKernels.best.updateGRUBackward(
      gates: gates, previousHidden: previousHidden, outputGradient: outputGradient,
      hiddenGradient: hiddenGradient, rows: rows, size: size)
  }

  package static func resetGRUBackward(
    gates: UnsafeMutablePointer<Float>, previousHidden: UnsafePointer<Float>,
    resetGradient: UnsafePointer<Float>, hiddenGradient: UnsafeMutablePointer<Float>, rows: Int,
    size: Int
  ) {
    unsafe TrainingKernels.best.resetGRUBackward(
      gates: gates, previousHidden: previousHidden, resetGradient: resetGradient,
      hiddenGradient: hiddenGradient, rows: rows, size: size)
  }

  package static func forwardRNN(
    output: UnsafeMutablePointer<Float>, hidden: UnsafeMutablePointer<Float>, isTanh: Bool,
    count: Int
  ) {
    unsafe TrainingKernels.best.forwardRNN(
      output: output, hidden: hidden, isTanh: isTanh, count: count)
  }

  package static func backwardRNN(
    output: UnsafePointer<Float>, outputGradient: UnsafeMutablePointer<Float>,
    hiddenGradient: UnsafeMutablePointer<Float>, isTanh: Bool, count: Int
  ) {
    unsafe TrainingKernels.best.backwardRNN(
      output: output, outputGradient: outputGradient, hiddenGradient: hiddenGradient,
      isTanh: isTanh, count: count)
  }

  package static func applyTanh(_ values: UnsafeMutablePointer<Float>, count: Int) {
    unsafe TrainingKernels.best.tanh(values, count: count)
  }

  package static func applySigmoid(_ values: UnsafeMutablePointer<Float>, count: Int) {
    unsafe TrainingKernels.best.sigmoid(values, count: count)
  }
}
