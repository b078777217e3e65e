// The fifth section: frames with the predictions that they must give.
//
//     f32 tolerance
//     list of runs         u32 program, u32 flags (bit 0: starts from a reset), u32 frame count,
//                          frames f32 [frame count, frame size],
//                          predictions f32 [frame count, prediction size]

extension ByteReader {
  /// Reads the golden frames of valid programs with `shapes`.
  mutating func goldenSection(_ shapes: [ProgramShapes]) throws(ModelError) -> GoldenFrames {
    var golden = GoldenFrames(tolerance: try f32())
    for _ in 0..<(try count(limit: FormatLimits.goldenRuns, elementBytes: 12)) {
      golden.runs.append(try goldenRun(shapes))
    }
    return golden
  }

  private mutating func goldenRun(
    _ shapes: [ProgramShapes]
  ) throws(ModelError) -> GoldenFrames.Run {
    let start = offset
    let program = Int(try u32())
    guard shapes.indices.contains(program) else { throw .format(.goldenProgram, offset: start) }
    let flags = try u32()
    guard flags <= 1 else { throw .format(.goldenFlags, offset: start + 4) }
    let (frameSize, predictionSize) = (shapes[program].frameSize, shapes[program].predictionSize)
    let frameCount = try count(
      limit: .max, elementBytes: 4 * (frameSize + predictionSize))
    return GoldenFrames.Run(
      program: program, startsFromReset: flags == 1, frames: try numbers(frameCount * frameSize),
      predictions: try numbers(frameCount * predictionSize))
  }
}

extension ByteWriter {
  /// Writes golden frames that belong to the programs.
  mutating func goldenSection(_ golden: GoldenFrames, programs: [ProgramDescription]) {
    f32(golden.tolerance)
    u32(golden.runs.count)
    for run in golden.runs {
      let frameSize = programs[run.program].inputs.reduce(0) { $0 + $1.width }
      u32(run.program)
      u32(run.startsFromReset ? 1 : 0)
      u32(run.frames.count / frameSize)
      numbers(run.frames)
      numbers(run.predictions)
    }
  }
}
