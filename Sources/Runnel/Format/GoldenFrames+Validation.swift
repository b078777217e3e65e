extension GoldenFrames {
  /// Checks that the runs have the shapes of their programs, and nothing but usable numbers.
  func validate(
    programs: [ProgramDescription], shapes: [ProgramShapes]
  ) throws(ModelError) {
    let isUsable = runs.isEmpty ? tolerance >= 0 : tolerance > 0
    guard tolerance.isFinite, isUsable else { throw .golden(.tolerance, run: 0) }
    guard runs.count <= FormatLimits.goldenRuns else {
      throw .golden(.tooManyRuns, run: FormatLimits.goldenRuns)
    }
    for (index, run) in runs.enumerated() {
      if let fault = run.fault(programs: programs, shapes: shapes) {
        throw .golden(fault, run: index)
      }
    }
  }
}

extension GoldenFrames.Run {
  fileprivate func fault(
    programs: [ProgramDescription], shapes: [ProgramShapes]
  ) -> GoldenFault? {
    guard programs.indices.contains(program) else { return .noSuchProgram }
    let (frameSize, predictionSize) = (shapes[program].frameSize, shapes[program].predictionSize)
    let (frameCount, rest) = frames.count.quotientAndRemainder(dividingBy: frameSize)
    guard frameCount > 0, rest == 0 else { return .frames }
    guard predictions.count == frameCount * predictionSize else { return .predictions }
    guard frames.allFinite, predictions.allFinite else { return .nonFinite }

    var column = 0
    for input in programs[program].inputs {
      if input.kind == .index {
        for position in stride(from: column, to: frames.count, by: frameSize) {
          let value = frames[position]
          guard 0..<Float(input.size) ~= value, Float(Int(value)) == value else { return .index }
        }
      }
      column += input.width
    }
    return nil
  }
}
