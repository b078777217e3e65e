import Runnel
import RunnelTraining
import Testing

/// Runs the same operation on a level's kernels and, plainly, in `Double`.
struct KernelProbe {
  static let levels = InstructionLevel.allCases.filter { $0 <= .best }

  let kernels: TrainingKernels
  private var random: RandomGenerator

  init(_ level: InstructionLevel, seed: UInt64 = 5) {
    kernels = TrainingKernels(level)
    random = RandomGenerator(seed: seed, purpose: .measuring)
  }

  /// Normal numbers of a deviation.
  mutating func numbers(_ count: Int, deviation: Double = 1) -> [Float] {
    (0..<count).map { _ in Float(random.normal() * deviation) }
  }

  /// Gates' values.
  mutating func shares(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.uniform()) } }

  /// The arrays after an operation on their elements.
  static func run<Scalar: BinaryFloatingPoint>(
    _ arrays: [[Float]], as _: Scalar.Type = Scalar.self,
    _ operation: ([UnsafeMutablePointer<Scalar>]) -> Void
  ) -> [[Scalar]] {
    let pointers = unsafe arrays.map { array in
      let pointer = UnsafeMutablePointer<Scalar>.allocate(capacity: array.count)
      for (i, value) in array.enumerated() { unsafe pointer[i] = Scalar(value) }
      return unsafe pointer
    }
    defer { unsafe pointers.forEach { unsafe $0.deallocate() } }
    unsafe operation(pointers)
    return unsafe zip(pointers, arrays).map {
      unsafe Array(UnsafeBufferPointer(start: $0, count: $1.count))
    }
  }

  /// The largest difference between what a level and what `Double` make of arrays.
  static func deviation(
    _ arrays: [[Float]], _ kernel: ([UnsafeMutablePointer<Float>]) -> Void,
    _ plain: ([UnsafeMutablePointer<Double>]) -> Void
  ) -> Double {
    let single = unsafe run(arrays, as: Float.self, kernel)
    let double = unsafe run(arrays, as: Double.self, plain)
    return zip(single.joined(), double.joined()).map { abs(Double($0) - $1) }
      .reduce(0) { $1 <= $0 ? $0 : $1 }
  }
}
