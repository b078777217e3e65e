import Runnel
import RunnelTraining

/// What `bench` measures, and how it is called in the result.
struct BenchSubject {
  let cell: String
  let input: Int
  let hidden: Int
  let model: Model

  /// The model file or the synthetic cell that the command line names, in the format that it asks
  /// for.
  init(
    _ arguments: Arguments, _ conversion: ModelConversion,
    using generator: inout RandomGenerator
  ) throws {
    let cell = try arguments.choice("cell", SyntheticCell.names)
    let input = try arguments.int("input", in: 1...65536)
    let hidden = try arguments.int("hidden", in: 1...16384)
    let level = try LoadedModel.level(arguments)
    if let path = arguments.operand(0) {
      guard cell == nil, input == nil, hidden == nil else {
        throw arguments.error("give a model, or --cell, --input and --hidden, not both")
      }
      let loaded = try LoadedModel(path, arguments)
      try loaded.requireSteps()
      model = try conversion.apply(to: loaded, level: level)
      self.cell = model.description.cellNames
      self.input = model.frameSize
      self.hidden = model.description.hiddenSize
      return
    }
    guard let cell, let input, let hidden else {
      throw arguments.error("give a model, or all of --cell, --input and --hidden")
    }
    let synthetic = SyntheticCell(cell: cell, input: input, hidden: hidden)
    do throws(ModelError) {
      model = try Model(
        conversion.apply(to: synthetic.description(using: &generator)),
        options: ModelOptions(level: level))
    } catch {
      throw Failure(error == .unsupportedLevel ? .unavailable : .usage, error.text)
    }
    self.cell = arguments.string("cell")!
    self.input = input
    self.hidden = hidden
  }
}
