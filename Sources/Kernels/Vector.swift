internal import CKernelShims

/// Sixteen floats: one register at AVX-512, two at AVX2, four at SSE and NEON.
typealias Vector = SIMD16<Float>

/// Sixteen integers.
typealias IntegerVector = SIMD16<Int32>

/// Bytes of a vector.
@inline(always) var vectorBytes: Int { 64 }

@inline(always)
func load(_ p: UnsafeRawPointer) -> Vector { unsafe rn_load(p) }

@inline(always)
func load(_ p: UnsafeRawPointer, _ index: Int) -> Vector {
  unsafe rn_load(p + index &* vectorBytes)
}

@inline(always)
func store(_ value: Vector, _ p: UnsafeMutableRawPointer, _ index: Int) {
  unsafe rn_store(value, p + index &* vectorBytes)
}

/// Bytes up to the end of a cache line.
@inline(always)
func wholeLines(_ bytes: Int) -> Int { (bytes &+ 63) & ~63 }

/// The number of vectors that hold `count` floats.
@inline(always)
func vectorCount(_ count: Int) -> Int { (count &+ 15) &>> 4 }

/// 2^-60: numbers of a smaller magnitude count as zero in frames, weights, states and slots.
///
/// Products of two numbers above it are normal floats, so that neither silence nor a decayed state
/// makes the CPU handle denormals, and results do not depend on the thread's MXCSR.
@inline(always) var leastMagnitude: Float { 0x1p-60 }
