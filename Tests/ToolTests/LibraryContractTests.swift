import Testing

@Suite(.enabled(if: !Tool.hasAllKernels)) struct `What the library does not have yet` {
  @Test(arguments: [
    ("--weights", "int8"), ("--accuracy", "fast"), ("--streams", "64"), ("--sequence", "9"),
  ])
  func `is refused by bench`(option: String, value: String) throws {
    let outcome = try Tool.run(
      "bench", "--cell", "gru", "--input", "1", "--hidden", "1", option, value)
    #expect(outcome.code == 64)
    #expect(outcome.errors.contains("'\(option) \(value)' is not in this version, which has "))
  }
}
