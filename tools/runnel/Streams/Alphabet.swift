import Runnel
import RunnelTraining

/// The characters of a model that reads text, and how a character becomes a frame.
struct Alphabet {
  let characters: [Unicode.Scalar]
  private let numbers: [Unicode.Scalar: Int]
  private let isOneHot: Bool

  /// The alphabet of a program.
  ///
  /// - Returns: `nil` where the program's frame is not one character: an index, or a vector with one
  ///   1, of as many as there are labels, each of one character.
  init?(_ model: Model, program: Int) {
    let labels = model.description.metadata.labels
    characters = labels.compactMap { label in
      label.unicodeScalars.count == 1 ? label.unicodeScalars.first : nil
    }
    let inputs = model.programs[program].inputs
    guard characters.count == labels.count, Set(characters).count == labels.count,
      inputs.count == 1, (inputs[0].indexLimit ?? inputs[0].range.count) == labels.count
    else { return nil }
    numbers = Dictionary(uniqueKeysWithValues: zip(characters, characters.indices))
    isOneHot = inputs[0].indexLimit == nil
  }

  /// The number of a character, where the model knows it.
  func number(of character: Unicode.Scalar) -> Int? { numbers[character] }

  /// Writes a character into a frame.
  func write(_ number: Int, into frame: inout [Float]) {
    if isOneHot {
      for index in frame.indices { frame[index] = index == number ? 1 : 0 }
    } else {
      frame[0] = Float(number)
    }
  }
}
