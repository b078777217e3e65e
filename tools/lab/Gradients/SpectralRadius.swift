internal import Glibc

/// The largest magnitude of a square matrix's eigenvalues.
///
/// By Gelfand's formula, `ρ = lim ‖Aᵏ‖^(1/k)`, with `k = 2¹⁶` by repeated squaring; so complex pairs
/// of eigenvalues, between which a power iteration would go to and fro, are no special case. For a
/// diagonalisable matrix the result is too large by a factor of at most `κ^(1/k)`, where `κ` is the
/// condition of its eigenvectors.
///
/// - Parameters:
///   - matrix: Shape `[size, size]`, row-major.
///   - size: At least 1.
/// - Complexity: O(size³).
package func spectralRadius(_ matrix: [Double], size: Int) -> Double {
  var power = matrix
  // The logarithm of what has been divided out of the power, divided by its exponent.
  var logarithm = 0.0
  var exponent = 1.0
  for _ in 0...16 {
    let norm = power.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard norm > 0 else { return 0 }
    logarithm += log(norm) / exponent
    power = square(power.map { $0 / norm }, size: size)
    exponent *= 2
  }
  return exp(logarithm)
}

private func square(_ matrix: [Double], size: Int) -> [Double] {
  var result = [Double](repeating: 0, count: size * size)
  for row in 0..<size {
    for inner in 0..<size {
      let factor = matrix[row * size + inner]
      for column in 0..<size {
        result[row * size + column] += factor * matrix[inner * size + column]
      }
    }
  }
  return result
}
