#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

extension Double: TrainingScalar {
  package static func exponential(_ x: Double) -> Double { exp(x) }
  package static func logarithm(onePlus x: Double) -> Double { log1p(x) }

  package static func packedCount(depth: Int, columns: Int) -> Int { depth * columns }

  package static func pack(
    _ b: MatrixView<Double>, depth: Int, columns: Int, into packed: UnsafeMutablePointer<Double>
  ) {
    for p in 0..<depth {
      for j in 0..<columns { unsafe packed[p &* columns &+ j] = b[p, j] }
    }
  }

  package static func addProduct(
    _ c: UnsafeMutablePointer<Double>, stride: Int, _ a: UnsafePointer<Double>, aStride: Int,
    packed: UnsafeMutablePointer<Double>, rows: Int, columns: Int, depth: Int
  ) {
    unsafe add(
      c, stride, MatrixView(a, stride: aStride), MatrixView(packed, stride: columns),
      rows: rows, columns: columns, depth: depth)
  }

  package static func addProductOfInput(
    _ c: UnsafeMutablePointer<Double>, stride: Int, _ a: UnsafePointer<Double>, aStride: Int,
    packed: UnsafeMutablePointer<Double>, rows: Int, columns: Int, depth: Int
  ) {
    unsafe addProduct(
      c, stride: stride, a, aStride: aStride, packed: packed, rows: rows, columns: columns,
      depth: depth)
  }

  package static func scratchCount(rows: Int, columns: Int, depth: Int) -> Int { 0 }

  package static func addProduct(
    _ c: UnsafeMutablePointer<Double>, stride: Int, _ a: MatrixView<Double>,
    _ b: MatrixView<Double>, rows: Int, columns: Int, depth: Int,
    scratch: UnsafeMutablePointer<Double>
  ) {
    unsafe add(c, stride, a, b, rows: rows, columns: columns, depth: depth)
  }

  private static func add(
    _ c: UnsafeMutablePointer<Double>, _ stride: Int, _ a: MatrixView<Double>,
    _ b: MatrixView<Double>, rows: Int, columns: Int, depth: Int
  ) {
    for i in 0..<rows {
      for j in 0..<columns {
        var sum = unsafe c[i &* stride &+ j]
        for p in 0..<depth { unsafe sum += a[i, p] * b[p, j] }
        unsafe c[i &* stride &+ j] = sum
      }
    }
  }

  package static func softmaxCrossEntropy(
    _ outputs: UnsafePointer<Double>, size: Int, classes: UnsafePointer<Int>,
    weights: UnsafePointer<Double>, rows: Int, smoothing: Double, scale: Double,
    gradient: UnsafeMutablePointer<Double>?
  ) -> Double {
    var total = 0.0
    for row in 0..<rows {
      let x = unsafe UnsafeBufferPointer(start: outputs + row * size, count: size)
      let weight = unsafe weights[row]
      let target = unsafe classes[row]
      let largest = unsafe x.max()!
      let sum = unsafe x.reduce(0) { $0 + exp($1 - largest) }
      let mean = unsafe x.reduce(0) { $0 + ($1 - largest) / Double(size) }
      if let gradient = unsafe gradient {
        for k in 0..<size {
          let share = unsafe exp(x[k] - largest) / sum - smoothing / Double(size)
          unsafe gradient[row * size + k] = scale * weight * share
        }
        unsafe gradient[row * size + target] -= scale * weight * (1 - smoothing)
      }
      let right = unsafe x[target] - largest
      total += weight * (log(sum) - (1 - smoothing) * right - smoothing * mean)
    }
    return total
  }

  package static func addRows(
    _ x: UnsafePointer<Double>, stride: Int, rows: Int, size: Int,
    to sum: UnsafeMutablePointer<Double>
  ) {
    for row in 0..<rows { unsafe add(x + row * stride, to: sum, count: size) }
  }

  package static func add(
    _ addend: UnsafePointer<Double>, to sum: UnsafeMutablePointer<Double>, count: Int
  ) {
    for i in 0..<count { unsafe sum[i] += addend[i] }
  }

  package static func sumOfSquares(_ values: UnsafePointer<Double>, count: Int) -> Double {
    var sum = 0.0
    for i in 0..<count { unsafe sum += values[i] * values[i] }
    return sum
  }

  package static func adam(
    _ parameters: UnsafeMutablePointer<Double>, mean: UnsafeMutablePointer<Double>,
    square: UnsafeMutablePointer<Double>, gradients: UnsafePointer<Double>, count: Int,
    rate: Double, correction: Double, decay: Double, beta1: Double, beta2: Double, epsilon: Double
  ) {
    for i in 0..<count {
      let gradient = unsafe gradients[i]
      unsafe mean[i] = beta1 * mean[i] + (1 - beta1) * gradient
      unsafe square[i] = beta2 * square[i] + (1 - beta2) * gradient * gradient
      let step = unsafe rate * mean[i] / (square[i].squareRoot() / correction + epsilon)
      unsafe parameters[i] = decay * parameters[i] - step
    }
  }
}
