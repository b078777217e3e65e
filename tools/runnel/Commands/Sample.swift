import Glibc
import Runnel
import RunnelTraining

/// `runnel sample`: a language model writes on.
enum Sample: Command {
  static let syntax = CommandSyntax(
    name: "sample",
    summary: "Lets a character model write on.",
    operands: [.init(name: "MODEL", help: "A .runnel file whose labels are characters.")],
    details: """
      Reads the prompt character by character, then writes: each character is drawn from the
      probabilities that the model gives, and goes back in as the next frame.
      """,
    examples: [
      "runnel sample models/hello/hello-gru.runnel --prompt h --length 4 --temperature 0"
    ],
    options: [
      .init(
        name: "prompt", value: "TEXT",
        help: "What the text starts with (default: one character, drawn with the seed)"),
      .init(name: "length", value: "N", help: "Characters to write (default: 200)"),
      .init(
        name: "temperature", value: "T",
        help: "How daring to be: 0 always takes the most probable character, 1 draws as the\n"
          + "model says, above 1 more wildly (default: 1)"),
      .init(
        name: "seed", value: "N", help: "The same seed writes the same text (default: 0)"),
      LoadedModel.programOption, LoadedModel.levelOption,
    ])

  static func run(_ arguments: Arguments) throws {
    let length = try arguments.int("length", in: 0...1_000_000_000) ?? 200
    let temperature =
      try arguments.value("temperature", "a number from 0 to 100") { text in
        Double(text).flatMap { 0...100 ~= $0 ? $0 : nil }
      } ?? 1
    var generator = RandomGenerator(
      seed: try arguments.seed() ?? 0, purpose: .sampling)
    let loaded = try LoadedModel(arguments.operand(0)!, arguments)
    let program = try loaded.program(arguments)
    try loaded.requireSteps(program: program)
    guard let alphabet = Alphabet(loaded.model, program: program),
      loaded.model.programs[program].outputs[0].range.count == alphabet.characters.count,
      loaded.model.description.isClassifier(program)
    else {
      throw Failure(
        .data,
        "\(loaded.path): found a model that does not predict characters, expected one whose "
          + "labels are characters, that takes one and gives the probability of each")
    }
    let prompt =
      arguments.string("prompt") ?? String(alphabet.characters.randomElement(using: &generator)!)
    let output = StandardOutput()
    defer { try? output.flush() }
    var stream = Stream(loaded.model, program: program)
    for character in prompt.unicodeScalars {
      guard let number = alphabet.number(of: character) else {
        let known = alphabet.characters.map(\.debugDescription).joined(separator: " ")
        throw Failure(
          .data,
          "the prompt: found \(character.debugDescription), expected one of the model's "
            + "characters \(known)")
      }
      alphabet.write(number, into: &stream.frame)
      try stream.step()
    }
    guard !prompt.isEmpty else { throw arguments.error("the prompt is empty") }
    try output.write(prompt)
    try output.flush()
    for _ in 0..<length {
      let number = draw(
        stream.prediction[..<alphabet.characters.count], temperature, using: &generator)
      try output.write(String(alphabet.characters[number]))
      try output.flush()
      alphabet.write(number, into: &stream.frame)
      try stream.step()
    }
    try output.write("\n")
  }

  /// Draws an index with a probability in proportion to `probability^(1 / temperature)`.
  private static func draw(
    _ probabilities: ArraySlice<Float>, _ temperature: Double,
    using generator: inout RandomGenerator
  ) -> Int {
    let largest = probabilities.max()!
    guard temperature > 0 else { return probabilities.firstIndex(of: largest)! }
    let weights = probabilities.map { pow(Double($0 / largest), 1 / temperature) }
    var rest = Double.random(in: 0..<weights.reduce(0, +), using: &generator)
    for (index, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return index }
    }
    return probabilities.firstIndex(of: largest)!
  }
}
