// What the library is about to have, under the names and with the meaning that it will have there:
// this file goes when it comes. Until then `bench` refuses what could not be measured honestly.
import Runnel

enum WeightType: CaseIterable { case float32, float16, bfloat16, int8 }

extension ModelDescription {
  /// The model with the matrices of its cells and dense layers in another format.
  func converted(to type: WeightType, inputBits: Int = 16) -> ModelDescription {
    var model = self
    for index in matrices { model.tensors[index] = tensors[index].converted(to: type) }
    return model
  }

  func settingAccuracy(_ accuracy: ModelOperation.Accuracy) -> ModelDescription { self }
}

extension ModelOperation {
  enum Accuracy { case exact, fast }
  var accuracy: Accuracy { .exact }
  var inputBits: Int { 16 }
}

extension TensorDescription {
  fileprivate func converted(to type: WeightType) -> TensorDescription {
    var tensor = self
    let values = values
    switch type {
    case .float32: tensor.storage = .float32(values)
    case .float16: tensor.storage = .float16(values.map { Float16($0).bitPattern })
    case .bfloat16:
      // Half of the last kept bit, less one if that bit is even: ties go to even.
      tensor.storage = .bfloat16(
        values.map { UInt16(($0.bitPattern + 0x7FFF + ($0.bitPattern >> 16 & 1)) >> 16) })
    case .int8:
      let width = shape[1]
      let scales = (0..<shape[0]).map { row in
        values[row * width..<(row + 1) * width].reduce(0) { max($0, $1.magnitude) } / 127
      }
      tensor.storage = .int8(
        values.indices.map { index in
          let scale = scales[index / width]
          return scale == 0 ? 0 : Int8((values[index] / scale).rounded())
        }, scales: scales)
    }
    return tensor
  }
}

/// Streams that are stepped one behind the other.
final class SessionGroup {
  private final class Member {
    var session: Session
    var frame: [Float] = []
    var prediction: [Float]
    init(_ model: Model) {
      session = Session(model)
      prediction = Array(repeating: 0, count: model.predictionSize)
    }
    func step() {
      let frame = frame
      var prediction = prediction
      var span = prediction.mutableSpan
      try? session.step(frame.span, into: &span)
      self.prediction = prediction
    }
  }
  private let model: Model
  private var members: [Member] = []

  init(_ model: Model, capacity: Int, threads: Int = 1) { self.model = model }

  func join() throws -> Int {
    members.append(Member(model))
    return members.count - 1
  }

  func submit(_ frame: Span<Float>, to id: Int) throws(StepError) {
    members[id].frame = (0..<frame.count).map { frame[$0] }
  }

  func step() -> Int {
    for member in members { member.step() }
    return members.count
  }

  func prediction(of id: Int, into prediction: inout MutableSpan<Float>) throws(StepError) {
    let member = members[id]
    for index in 0..<prediction.count { prediction[index] = member.prediction[index] }
  }
}

extension Model {
  func groupByteCount(capacity: Int) -> Int { capacity * sessionByteCount }
}

extension Session {
  mutating func run(
    frames: Span<Float>, into predictions: inout MutableSpan<Float>
  ) throws(StepError) {
    let (width, height) = (model.frameSize, model.predictionSize)
    var prediction = [Float](repeating: 0, count: height)
    for index in 0..<frames.count / width {
      var span = prediction.mutableSpan
      try step(frames.extracting(index * width..<(index + 1) * width), into: &span)
      for k in 0..<height { predictions[index * height + k] = span[k] }
    }
  }
}

extension Arguments {
  /// Refuses the options whose kernels are not there yet.
  func refuseWhatIsMissing(_ options: KeyValuePairs<String, String>) throws(UsageError) {
    for (name, only) in options {
      guard let text = string(name), text != only else { continue }
      throw error("'--\(name) \(text)' is not in this version, which has \(only)")
    }
  }
}
