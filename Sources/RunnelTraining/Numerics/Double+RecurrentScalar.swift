#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

extension Double: RecurrentScalar {
  package static func forwardLSTM(
    gates: UnsafeMutablePointer<Double>, cell: UnsafeMutablePointer<Double>,
    cellTanh: UnsafeMutablePointer<Double>, hidden: UnsafeMutablePointer<Double>,
    output: UnsafeMutablePointer<Double>, rows: Int, size: Int
  ) {
    for row in 0..<rows {
      let gate = unsafe gates + 4 * row * size
      unsafe applySigmoid(gate, count: 2 * size)
      unsafe applyTanh(gate + 2 * size, count: size)
      unsafe applySigmoid(gate + 3 * size, count: size)
      for j in 0..<size {
        let k = row * size + j
        unsafe cell[k] = gate[size + j] * cell[k] + gate[j] * gate[2 * size + j]
        unsafe cellTanh[k] = tanh(cell[k])
        unsafe hidden[k] = gate[3 * size + j] * cellTanh[k]
        unsafe output[k] = hidden[k]
      }
    }
  }

  package static func backwardLSTM(
    gates: UnsafeMutablePointer<Double>, previousCell: UnsafePointer<Double>,
    cellTanh: UnsafePointer<Double>, outputGradient: UnsafePointer<Double>,
    hiddenGradient: UnsafeMutablePointer<Double>, cellGradient: UnsafeMutablePointer<Double>,
    rows: Int, size: Int
  ) {
    for row in 0..<rows {
      let gate = unsafe gates + 4 * row * size
      for j in 0..<size {
        let k = row * size + j
        let (i, f) = unsafe (gate[j], gate[size + j])
        let (g, o) = unsafe (gate[2 * size + j], gate[3 * size + j])
        let dh = unsafe hiddenGradient[k] + outputGradient[k]
        let dc = unsafe cellGradient[k] + dh * o * (1 - cellTanh[k] * cellTanh[k])
        unsafe gate[j] = dc * g * i * (1 - i)
        unsafe gate[size + j] = dc * previousCell[k] * f * (1 - f)
        unsafe gate[2 * size + j] = dc * i * (1 - g * g)
        unsafe gate[3 * size + j] = dh * cellTanh[k] * o * (1 - o)
        unsafe cellGradient[k] = dc * f
        unsafe hiddenGradient[k] = 0
      }
    }
  }

  package static func forwardGRU(
    gates: UnsafeMutablePointer<Double>, recurrent: UnsafePointer<Double>,
    hidden: UnsafeMutablePointer<Double>, output: UnsafeMutablePointer<Double>, rows: Int,
    size: Int
  ) {
    for row in 0..<rows {
      let gate = unsafe gates + 3 * row * size
      let q = unsafe recurrent + 3 * row * size
      for j in 0..<(2 * size) { unsafe gate[j] += q[j] }
      unsafe applySigmoid(gate, count: 2 * size)
      for j in 0..<size {
        let k = row * size + j
        let (r, z) = unsafe (gate[j], gate[size + j])
        let n = unsafe tanh(gate[2 * size + j] + r * q[2 * size + j])
        unsafe gate[2 * size + j] = n
        unsafe hidden[k] = (1 - z) * n + z * hidden[k]
        unsafe output[k] = hidden[k]
      }
    }
  }

  package static func backwardGRU(
    gates: UnsafeMutablePointer<Double>, recurrent: UnsafeMutablePointer<Double>,
    previousHidden: UnsafePointer<Double>, outputGradient: UnsafePointer<Double>,
    hiddenGradient: UnsafeMutablePointer<Double>, rows: Int, size: Int
  ) {
    for row in 0..<rows {
      let gate = unsafe gates + 3 * row * size
      let q = unsafe recurrent + 3 * row * size
      for j in 0..<size {
        let k = row * size + j
        let (r, z, n) = unsafe (gate[j], gate[size + j], gate[2 * size + j])
        let dh = unsafe hiddenGradient[k] + outputGradient[k]
        let dn = dh * (1 - z) * (1 - n * n)
        let dz = unsafe dh * (previousHidden[k] - n) * z * (1 - z)
        let dr = unsafe dn * q[2 * size + j] * r * (1 - r)
        unsafe (gate[j], gate[size + j], gate[2 * size + j]) = (dr, dz, dn)
        unsafe (q[j], q[size + j], q[2 * size + j]) = (dr, dz, dn * r)
        unsafe hiddenGradient[k] = dh * z
      }
    }
  }

  package static func resetGRU(
    gates: UnsafeMutablePointer<Double>, hidden: UnsafePointer<Double>,
    resetHidden: UnsafeMutablePointer<Double>, rows: Int, size: Int
  ) {
    for row in 0..<rows {
      let gate = unsafe gates + 3 * row * size
      unsafe applySigmoid(gate, count: 2 * size)
      for j in 0..<size {
        unsafe resetHidden[row * size + j] = gate[j] * hidden[row * size + j]
      }
    }
  }

  package static func updateGRU(
    gates: UnsafeMutablePointer<Double>, hidden: UnsafeMutablePointer<Double>,
    output: UnsafeMutablePointer<Double>, rows: Int, size: Int
  ) {
    for row in 0..<rows {
      let gate = unsafe gates + 3 * row * size
      unsafe applyTanh(gate + 2 * size, count: size)
      for j in 0..<size {
        let k = row * size + j
        let (z, n) = unsafe (gate[size + j], gate[2 * size + j])
        unsafe hidden[k] = (1 - z) * n + z * hidden[k]
        unsafe output[k] = hidden[k]
      }
    }
  }

  package static func updateGRUBackward(
    gates: UnsafeMutablePointer<Double>, previousHidden: UnsafePointer<Double>,
    outputGradient: UnsafePointer<Double>, hiddenGradient: UnsafeMutablePointer<Double>,
    rows: Int, size: Int
  ) {
    for row in 0..<rows {
      let gate = unsafe gates + 3 * row * size
      for j in 0..<size {
        let k = row * size + j
        let (z, n) = unsafe (gate[size + j], gate[2 * size + j])
        let dh = unsafe hiddenGradient[k] + outputGradient[k]
        unsafe gate[size + j] = dh * (previousHidden[k] - n) * z * (1 - z)
        unsafe gate[2 * size + j] = dh * (1 - z) * (1 - n * n)
        unsafe hiddenGradient[k] = dh * z
      }
    }
  }

  package static func resetGRUBackward(
    gates: UnsafeMutablePointer<Double>, previousHidden: UnsafePointer<Double>,
    resetGradient: UnsafePointer<Double>, hiddenGradient: UnsafeMutablePointer<Double>,
    rows: Int, size: Int
  ) {
    for row in 0..<rows {
      let gate = unsafe gates + 3 * row * size
      for j in 0..<size {
        let k = row * size + j
        let r = unsafe gate[j]
        unsafe gate[j] = resetGradient[k] * previousHidden[k] * r * (1 - r)
        unsafe hiddenGradient[k] += resetGradient[k] * r
      }
    }
  }

  package static func forwardRNN(
    output: UnsafeMutablePointer<Double>, hidden: UnsafeMutablePointer<Double>, isTanh: Bool,
    count: Int
  ) {
    for i in 0..<count {
      unsafe output[i] = isTanh ? tanh(output[i]) : max(output[i], 0)
      unsafe hidden[i] = output[i]
    }
  }

  package static func backwardRNN(
    output: UnsafePointer<Double>, outputGradient: UnsafeMutablePointer<Double>,
    hiddenGradient: UnsafeMutablePointer<Double>, isTanh: Bool, count: Int
  ) {
    for i in 0..<count {
      let slope = unsafe isTanh ? 1 - output[i] * output[i] : output[i] > 0 ? 1 : 0
      unsafe outputGradient[i] = (outputGradient[i] + hiddenGradient[i]) * slope
      unsafe hiddenGradient[i] = 0
    }
  }

  package static func applyTanh(_ values: UnsafeMutablePointer<Double>, count: Int) {
    for i in 0..<count { unsafe values[i] = tanh(values[i]) }
  }

  package static func applySigmoid(_ values: UnsafeMutablePointer<Double>, count: Int) {
    for i in 0..<count { unsafe values[i] = 1 / (1 + exp(-values[i])) }
  }
}
