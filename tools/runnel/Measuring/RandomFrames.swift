import Runnel
import RunnelTraining

/// Frames of a model's first program that are made up: numbers in ±1, indices of their range.
struct RandomFrames {
  let count: Int
  /// Shape `[count, frameSize]`.
  let values: [Float]

  /// Frames for a stream that goes through them again and again: enough that no two neighbours are
  /// the same, and few enough to stay in the fastest cache.
  static let ring = 256

  init(_ count: Int, of model: Model, using generator: inout RandomGenerator) {
    self.count = count
    var values: [Float] = []
    values.reserveCapacity(count * model.frameSize)
    for _ in 0..<count {
      for port in model.programs[0].inputs {
        for _ in port.range {
          values.append(
            port.indexLimit.map { Float(Int.random(in: 0..<$0, using: &generator)) }
              ?? Float.random(in: -1...1, using: &generator))
        }
      }
    }
    self.values = values
  }
}
