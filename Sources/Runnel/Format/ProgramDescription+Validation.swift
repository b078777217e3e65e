/// What a slot holds: a vector, or an index into a table.
enum SlotShape {
  /// So many real numbers.
  case vector(Int)
  /// One index from `0 ..< size`.
  case index(size: Int)

  /// How many numbers the slot takes.
  var width: Int {
    switch self {
    case .vector(let size): size
    case .index: 1
    }
  }
}

extension ProgramDescription {
  /// Checks the program and works out its sizes.
  ///
  /// - Parameters:
  ///   - number: The program's place in the model, for errors.
  ///   - model: The model, whose tensors and states have been checked.
  /// - Throws: The first fault, in the order inputs, operations, outputs.
  func validate(number: Int, of model: ModelDescription) throws(ModelError) -> ProgramShapes {
    if let fault = faultAsAWhole { throw .program(fault, program: number, operation: 0) }
    var slots: [SlotShape] = []
    var slotElements = 0
    for (place, input) in inputs.enumerated() {
      if let fault = input.fault { throw .program(fault, program: number, operation: place) }
      slots.append(input.kind == .index ? .index(size: input.size) : .vector(input.size))
      slotElements += input.width
      guard slotElements <= FormatLimits.dimension else {
        throw .program(.frameTooLarge, program: number, operation: place)
      }
    }
    let frameSize = slotElements

    var isWritten = [Bool](repeating: false, count: model.states.count)
    for (place, operation) in operations.enumerated() {
      let rule = OperationRule(operation, program: number, place: place)
      let size = try rule.resultSize(slots: slots, model: model, isWritten: &isWritten)
      slots.append(.vector(size))
      slotElements += size
      guard slotElements <= FormatLimits.workingElements else {
        throw .program(.slotsTooLarge, program: number, operation: place)
      }
    }

    if let place = sequenceFault {
      throw .program(.wholeSequence, program: number, operation: place)
    }

    var predictionSize = 0
    for (place, output) in outputs.enumerated() {
      if let fault = output.fault(slots: slots) {
        throw .program(fault, program: number, operation: place)
      }
      predictionSize += slots[output.slot].width
      guard predictionSize <= FormatLimits.dimension else {
        throw .program(.predictionTooLarge, program: number, operation: place)
      }
    }
    return ProgramShapes(
      slotSizes: slots.map { $0.width }, frameSize: frameSize, predictionSize: predictionSize)
  }

  /// The operation, if there is one, that does not fit a program of whole sequences, which this is.
  private var sequenceFault: Int? {
    guard needsWholeSequence else { return nil }
    let parts = parts
    for (place, operation) in operations.enumerated() {
      if operation.code == .every { return place }
      for state in operation.writtenStates {
        let isApart = operations.indices.contains {
          operations[$0].code == .recall && operations[$0].states[0] == state
            && parts[$0] != parts[place]
        }
        if isApart { return place }
      }
    }
    return nil
  }

  /// How many operations `reverse` stand before each operation.
  private var parts: [Int] {
    var part = 0
    return operations.map { operation in
      defer { if operation.code == .reverse { part += 1 } }
      return part
    }
  }

  private var faultAsAWhole: ProgramFault? {
    guard name.utf8.count <= FormatLimits.stringBytes else { return .nameTooLong }
    guard !inputs.isEmpty else { return .noInputs }
    guard inputs.count <= FormatLimits.ports else { return .tooManyInputs }
    guard operations.count <= FormatLimits.operations else { return .tooManyOperations }
    guard !outputs.isEmpty else { return .noOutputs }
    guard outputs.count <= FormatLimits.ports else { return .tooManyOutputs }
    return nil
  }
}

extension InputPort {
  fileprivate var fault: ProgramFault? {
    guard name.utf8.count <= FormatLimits.stringBytes else { return .nameTooLong }
    guard 1...FormatLimits.dimension ~= size else { return .inputSize }
    return nil
  }
}

extension OutputPort {
  fileprivate func fault(slots: [SlotShape]) -> ProgramFault? {
    guard name.utf8.count <= FormatLimits.stringBytes else { return .nameTooLong }
    guard slots.indices.contains(slot) else { return .outputSlot }
    guard case .vector = slots[slot] else { return .outputIsIndex }
    return nil
  }
}
