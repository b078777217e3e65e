internal import CKernelShims

/// Functions of each element, in place.
package enum Functions {
  package static func tanh(_ values: UnsafeMutablePointer<Float>, count: Int) {
    var some = SomeUnits(size: count)
    while some.advance() {
      unsafe some.store(exactTanh(some.load(values)), values)
    }
  }

  package static func sigmoid(_ values: UnsafeMutablePointer<Float>, count: Int) {
    var some = SomeUnits(size: count)
    while some.advance() {
      let x = unsafe some.load(values)
      unsafe some.store(rn_keep_nan(x, Exact().sigmoid(x).value), values)
    }
  }
}
