import Runnel

/// A model that gives out the hidden states of its cells behind its own outputs, so that they can be
/// compared as well.
struct ObservedModel {
  let description: ModelDescription
  /// For each program, the states that stand behind its own outputs, in their order.
  let states: [[Int]]

  /// A program's outputs have room for some states, and the largest prediction for some numbers;
  /// what does not fit is not observed.
  init(_ model: Model) {
    let source = model.description
    var description = source
    // The golden frames are of the program's own outputs.
    description.golden = GoldenFrames()
    var states: [[Int]] = []
    for (number, program) in source.programs.enumerated() {
      var observed: [Int] = []
      var room = FormatLimits.dimension - model.programs[number].predictionSize
      for (index, operation) in program.operations.enumerated() {
        guard operation.givesState, let hidden = operation.states.first,
          description.programs[number].outputs.count < FormatLimits.ports,
          room >= source.states[hidden].size
        else { continue }
        description.programs[number].outputs.append(
          OutputPort(name: "state \(hidden)", slot: program.inputs.count + index))
        room -= source.states[hidden].size
        observed.append(hidden)
      }
      states.append(observed)
    }
    self.description = description
    self.states = states
  }
}
