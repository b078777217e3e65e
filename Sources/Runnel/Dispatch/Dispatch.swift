internal import CKernelShims
internal import Kernels
internal import KernelsV3
internal import KernelsV4

/// Runs one step of a compiled program with the kernels of a level.
///
/// A level is chosen once a step, and the program's operations are then direct calls (most of them
/// inlined) into one build of the kernels.
@inline(always) @_noAllocation @_noLocks
func dispatchStep(
  _ level: InstructionLevel, _ program: UnsafePointer<rn_program>,
  block: UnsafeMutableRawPointer, weights: UnsafeRawPointer, frame: UnsafePointer<Float>,
  prediction: UnsafeMutablePointer<Float>
) -> Int {
  switch level {
  case .v4:
    unsafe KernelsV4::Interpreter.step(
      program, block: block, weights: weights, frame: frame, prediction: prediction)
  case .v3:
    unsafe KernelsV3::Interpreter.step(
      program, block: block, weights: weights, frame: frame, prediction: prediction)
  case .v2:
    unsafe Kernels::Interpreter.step(
      program, block: block, weights: weights, frame: frame, prediction: prediction)
  }
}

/// Checks a frame and takes it in; the upper half of the result says how that ended.
@inline(always) @_noAllocation @_noLocks
func dispatchTake(
  _ level: InstructionLevel, _ program: UnsafePointer<rn_program>,
  block: UnsafeMutableRawPointer, frame: UnsafePointer<Float>
) -> Int {
  switch level {
  case .v4: unsafe KernelsV4::Group.take(program, block: block, frame: frame)
  case .v3: unsafe KernelsV3::Group.take(program, block: block, frame: frame)
  case .v2: unsafe Kernels::Group.take(program, block: block, frame: frame)
  }
}

/// Runs a step of each lane.
@inline(always) @_noAllocation @_noLocks
func dispatchStep(
  _ level: InstructionLevel, _ lanes: UnsafeMutablePointer<rn_lane>, _ count: Int,
  weights: UnsafeRawPointer, work: UnsafeMutableRawPointer
) {
  switch level {
  case .v4: unsafe KernelsV4::Group.step(lanes, count, weights: weights, work: work)
  case .v3: unsafe KernelsV3::Group.step(lanes, count, weights: weights, work: work)
  case .v2: unsafe Kernels::Group.step(lanes, count, weights: weights, work: work)
  }
}

/// Runs a program for consecutive frames of streams, which have been taken in.
@inline(always) @_noAllocation @_noLocks
func dispatchRun(
  _ level: InstructionLevel, _ lanes: UnsafeMutablePointer<rn_lane>, counts: UnsafePointer<Int>,
  frames: Int, weights: UnsafeRawPointer, work: UnsafeMutableRawPointer
) {
  switch level {
  case .v4:
    unsafe KernelsV4::Group.run(
      lanes, counts: counts, frames: frames, weights: weights, work: work)
  case .v3:
    unsafe KernelsV3::Group.run(
      lanes, counts: counts, frames: frames, weights: weights, work: work)
  case .v2:
    unsafe Kernels::Group.run(
      lanes, counts: counts, frames: frames, weights: weights, work: work)
  }
}
