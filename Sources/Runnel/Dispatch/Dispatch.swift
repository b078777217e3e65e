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
