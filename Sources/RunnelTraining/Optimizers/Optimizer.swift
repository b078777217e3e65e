#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// An optimizer and what it remembers of earlier gradients.
package struct Optimizer<Scalar: TrainingScalar>: Equatable, Sendable {
  package let specification: OptimizerSpecification
  /// None, one or two numbers a parameter: momentum, or the mean square, or both moments.
  package var memory: [Scalar]
  /// How many updates there were.
  package var updates = 0

  package init(_ specification: OptimizerSpecification, parameterCount: Int) {
    self.specification = specification
    let moments =
      switch specification {
      case .sgd(let momentum): momentum == 0 ? 0 : 1
      case .rmsprop: 1
      case .adam, .adamW: 2
      }
    memory = Array(repeating: 0, count: moments * parameterCount)
  }

  /// Moves the parameters along their gradients.
  @specialized(where Scalar == Float)
  package mutating func update(
    _ parameters: inout [Scalar], gradients: UnsafePointer<Scalar>, rate: Double
  ) {
    updates += 1
    switch specification {
    case .sgd(let momentum):
      unsafe follow(&parameters, gradients, rate: Scalar(rate), momentum: Scalar(momentum))
    case .rmsprop(let smoothing, let epsilon):
      let (smoothing, epsilon) = (Scalar(smoothing), Scalar(epsilon))
      for i in parameters.indices {
        let gradient = unsafe gradients[i]
        memory[i] = smoothing * memory[i] + (1 - smoothing) * gradient * gradient
        parameters[i] -= Scalar(rate) * gradient / (memory[i].squareRoot() + epsilon)
      }
    case .adam(let beta1, let beta2, let epsilon):
      unsafe adapt(&parameters, gradients, rate, beta1, beta2, epsilon, weightDecay: 0)
    case .adamW(let beta1, let beta2, let epsilon, let weightDecay):
      unsafe adapt(&parameters, gradients, rate, beta1, beta2, epsilon, weightDecay: weightDecay)
    }
  }

  @specialized(where Scalar == Float)
  private mutating func follow(
    _ parameters: inout [Scalar], _ gradients: UnsafePointer<Scalar>, rate: Scalar, momentum: Scalar
  ) {
    guard momentum != 0 else {
      for i in parameters.indices { unsafe parameters[i] -= rate * gradients[i] }
      return
    }
    for i in parameters.indices {
      memory[i] = unsafe momentum * memory[i] + gradients[i]
      parameters[i] -= rate * memory[i]
    }
  }

  @specialized(where Scalar == Float)
  private mutating func adapt(
    _ parameters: inout [Scalar], _ gradients: UnsafePointer<Scalar>, _ rate: Double,
    _ beta1: Double, _ beta2: Double, _ epsilon: Double, weightDecay: Double
  ) {
    let size = Scalar(rate / (1 - pow(beta1, Double(updates))))
    let correction = Scalar((1 - pow(beta2, Double(updates))).squareRoot())
    let count = parameters.count
    unsafe parameters.withUnsafeMutableBufferPointer { parameters in
      unsafe memory.withUnsafeMutableBufferPointer { memory in
        guard let parameters = parameters.baseAddress, let memory = memory.baseAddress else {
          return
        }
        unsafe Scalar.adam(
          parameters, mean: memory, square: memory + count, gradients: gradients, count: count,
          rate: size, correction: correction, decay: Scalar(1 - rate * weightDecay),
          beta1: Scalar(beta1), beta2: Scalar(beta2), epsilon: Scalar(epsilon))
      }
    }
  }
}
