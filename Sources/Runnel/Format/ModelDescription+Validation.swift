/// The sizes that follow from a valid program.
package struct ProgramShapes: Equatable, Sendable {
  /// The size of every slot, inputs first; an index input has size 1.
  package let slotSizes: [Int]
  /// How many numbers a frame has.
  package let frameSize: Int
  /// How many numbers a prediction has.
  package let predictionSize: Int
}

extension ModelDescription {
  /// Checks everything that a model must fulfil before it is written, packed or run.
  ///
  /// The order is: tensors, states, programs, metadata, golden frames.
  ///
  /// - Returns: The sizes of each program.
  /// - Throws: The first fault.
  /// - Complexity: O(size of the description): every weight is looked at once.
  package func validate() throws(ModelError) -> [ProgramShapes] {
    try validateTensors()
    try validateStates()
    let shapes = try validatePrograms()
    try metadata.validate()
    try golden.validate(programs: programs, shapes: shapes)
    return shapes
  }

  private func validateTensors() throws(ModelError) {
    guard tensors.count <= FormatLimits.tensors else {
      throw .tensor(.tooMany, tensor: FormatLimits.tensors)
    }
    for (index, tensor) in tensors.enumerated() {
      if let fault = tensor.fault { throw .tensor(fault, tensor: index) }
    }
  }

  private func validateStates() throws(ModelError) {
    guard states.count <= FormatLimits.states else {
      throw .state(.tooMany, state: FormatLimits.states)
    }
    var total = 0
    for (index, state) in states.enumerated() {
      if let fault = fault(of: state) { throw .state(fault, state: index) }
      total += state.size
      guard total <= FormatLimits.workingElements else {
        throw .state(.statesTooLarge, state: index)
      }
    }
  }

  private func fault(of state: StateDescription) -> StateFault? {
    guard state.name.utf8.count <= FormatLimits.stringBytes else { return .nameTooLong }
    guard 1...FormatLimits.dimension ~= state.size else { return .size }
    guard let initial = state.initial else { return nil }
    guard tensors.indices.contains(initial) else { return .noSuchTensor }
    guard tensors[initial].shape == [state.size] else { return .initialShape }
    guard case .float32 = tensors[initial].storage else { return .initialStorage }
    return nil
  }

  private func validatePrograms() throws(ModelError) -> [ProgramShapes] {
    guard !programs.isEmpty else { throw .program(.noPrograms, program: 0, operation: 0) }
    guard programs.count <= FormatLimits.programs else {
      throw .program(.tooManyPrograms, program: FormatLimits.programs, operation: 0)
    }
    var shapes: [ProgramShapes] = []
    for (index, program) in programs.enumerated() {
      // Bytes are compared, so that readers in every language agree on what is the same.
      let isTaken = programs[..<index].contains { $0.name.utf8.elementsEqual(program.name.utf8) }
      guard !isTaken else { throw .program(.duplicateName, program: index, operation: 0) }
      shapes.append(try program.validate(number: index, of: self))
    }
    return shapes
  }
}
