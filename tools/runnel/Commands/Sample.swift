import Runnel
import RunnelTraining

/// `runnel sample`: a model writes, token by token.
enum Sample: Command {
  static let syntax = CommandSyntax(
    name: "sample",
    summary: "Lets a model write: on from a prompt, or about each line of a file.",
    operands: [
      .init(name: "MODEL", help: "A .runnel file whose labels are characters or words."),
      .init(
        name: "INPUT", isOptional: true,
        help: "For models of two programs: a file whose lines are read, each to be written\n"
          + "about; standard input where it is left out or '-'."),
    ],
    details: """
      A model of one program reads the prompt, then goes on: each token (character or word) is
      chosen from the probabilities that the model gives, and goes back in as the next frame.

      A model of two programs (such as encode and decode, or start and step) takes a line in
      with the first one: a text, or the numbers of a frame with spaces or commas between them.
      Then the other writes what it has to say about it, until it ends by itself. Every line in
      gives one line out.
      """,
    examples: [
      "runnel sample models/hello/hello-gru.runnel --prompt h --length 4 --temperature 0",
      "runnel sample models/charlm/charlm.runnel --temperature 0.7 --top-p 0.95",
      "runnel sample models/translate/translate.runnel --prompt 'the third of March, 1987'",
      "runnel sample models/caption/caption.runnel models/caption/sample.txt --beam 4",
    ],
    options: [
      .init(
        name: "prompt", value: "TEXT",
        help: "What the text starts with (default: one token, drawn with the seed);\n"
          + "with two programs: the only line to be read"),
      .init(
        name: "length", value: "N",
        help: "Tokens to write at most (default: 200); models that know an end stop there"),
      .init(
        name: "temperature", value: "T",
        help: "How daring to be: 0 always takes the most probable token, 1 draws as the\n"
          + "model says, above 1 more wildly (default: 1; with two programs 0)"),
      .init(
        name: "top-k", value: "K", help: "Draw from the K most probable tokens only"),
      .init(
        name: "top-p", value: "P",
        help: "Draw from the most probable tokens that have the share P of the probability"),
      .init(
        name: "beam", value: "W",
        help: "Search with a beam of W texts for the most probable one, in place of drawing"),
      .init(
        name: "seed", value: "N", help: "The same seed writes the same text (default: 0)"),
      LoadedModel.programOption, LoadedModel.levelOption,
    ])

  static func run(_ arguments: Arguments) throws {
    let length = try arguments.int("length", in: 0...1_000_000_000) ?? 200
    let temperature = try arguments.value("temperature", "a number from 0 to 100") { text in
      Double(text).flatMap { 0...100 ~= $0 ? $0 : nil }
    }
    let topK = try arguments.int("top-k", in: 1...1_000_000)
    let topP = try arguments.value("top-p", "a number above 0 and up to 1") { text in
      Double(text).flatMap { $0 > 0 && $0 <= 1 ? $0 : nil }
    }
    let beam = try arguments.int("beam", in: 1...1_000)
    if beam != nil {
      for name in ["temperature", "top-k", "top-p", "seed"] where arguments.string(name) != nil {
        throw arguments.error("'--\(name)' is for drawing, '--beam' for searching")
      }
      guard 1...100_000 ~= length else {
        throw arguments.error("'--beam' goes with a '--length' from 1 to 100000")
      }
    }
    let seed = try arguments.seed() ?? 0
    let loaded = try LoadedModel(arguments.operand(0)!, arguments)
    let program =
      arguments.string("program") == nil
      ? loaded.model.programs.count - 1 : try loaded.program(arguments)
    for program in [0, program] { try loaded.requireSteps(program: program) }
    if program == 0, arguments.operand(1) != nil {
      throw arguments.error(
        "\(loaded.path) has one program, which reads and writes; give it '--prompt', not a file")
    }
    if arguments.string("prompt") != nil, arguments.operand(1) != nil {
      throw arguments.error("'--prompt' is the only line to be read; leave the file out")
    }
    let sampling = try TokenSampling(
      temperature: temperature ?? (program == 0 ? 1 : 0), topK: topK, topP: topP)
    var writer = try TokenWriter(
      loaded, program: program, sampling: sampling, seed: seed, length: length, beam: beam)
    if program == 0 {
      try goOn(&writer, prompt: arguments.string("prompt"), seed: seed, arguments)
    } else {
      try answer(&writer, loaded.model, arguments)
    }
  }

  /// Writes on from a prompt.
  private static func goOn(
    _ writer: inout TokenWriter, prompt: String?, seed: UInt64, _ arguments: Arguments
  ) throws {
    var numbers: [Int]
    if let prompt {
      guard !prompt.isEmpty else { throw arguments.error("the prompt is empty") }
      numbers = try writer.tokens.numbers(of: prompt, file: "the prompt")
    } else if let end = writer.end {
      numbers = [end]
    } else {
      var generator = RandomGenerator(seed: seed, purpose: .sampling)
      numbers = [generator.index(below: writer.tokens.tokens.count)]
    }
    let output = StandardOutput()
    defer { try? output.flush() }
    if numbers != [writer.end] {
      try output.write(writer.tokens.unit.text(of: numbers.map { writer.tokens.tokens[$0] }))
      try output.flush()
    }
    var isFirst = numbers == [writer.end]
    let tokens = writer.tokens
    try writer.write(after: numbers) { token in
      let separator = tokens.unit == .words && !isFirst ? " " : ""
      isFirst = false
      try output.write(separator + tokens.tokens[token])
      try output.flush()
    }
    try output.write("\n")
  }

  /// Reads lines, and writes about each.
  private static func answer(
    _ writer: inout TokenWriter, _ model: Model, _ arguments: Arguments
  ) throws {
    let reader = SourceLine(model)
    let tokens = writer.tokens
    guard let end = writer.end else { throw writer.withoutEnd }
    let output = StandardOutput()
    defer { try? output.flush() }
    func answer(
      _ text: String, file: String, line: Int?, _ writer: inout TokenWriter
    ) throws {
      let frames = try reader.frames(of: text, file: file, line: line)
      do throws(StepError) { try writer.read(frames) } catch {
        throw error.dataError(file: file, line: line, frame: nil)
      }
      var written: [String] = []
      try writer.write(after: [end]) { written.append(tokens.tokens[$0]) }
      try output.write(tokens.unit.text(of: written) + "\n")
    }
    if let prompt = arguments.string("prompt") {
      return try answer(prompt, file: "the prompt", line: nil, &writer)
    }
    let source =
      switch arguments.operand(1) {
      case nil, "-": ByteSource()
      case let path?: try ByteSource(path: path)
      }
    var lines = LineReader(source)
    while let line = try lines.next(beforeWaiting: { try output.flush() }) {
      try answer(line, file: lines.file, line: lines.line, &writer)
    }
  }
}
