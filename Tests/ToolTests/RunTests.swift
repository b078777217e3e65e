import Runnel
import TestSupport
import Testing

@Suite struct `runnel run` {
  let folder = TemporaryFolder()
  let model: String
  let frames: [Float] = [0.5, -0.25, 1, 0.1, 0.2, 0.3, -1, 0.75, 0]
  let expected: [[Float]]

  init() throws {
    model = folder.file("classifier.runnel")
    let description = try Models.classifier()
    try description.write(to: model)
    let all = try Models.predictions(description, frames)
    expected = (0..<3).map { Array(all[3 * $0..<3 * $0 + 3]) }
  }

  private let text = "0.5,-0.25,1\n0.1,0.2,0.3\n-1,0.75,0\n"

  private func line(_ prediction: [Float]) -> String {
    let winner = prediction.indices.max { prediction[$0] < prediction[$1] }!
    return (["low", "mid", "high"][winner..<winner + 1] + prediction.map { "\($0)" })
      .joined(separator: ",")
  }

  @Test func `each line of CSV is answered by one line with the label and its probabilities`()
    throws
  {
    let outcome = try Tool.run("run", model, input: text)
    #expect(outcome.code == 0)
    #expect(outcome.errors.isEmpty)
    #expect(outcome.lines == expected.map(line))
    let file = try folder.write("frames.csv", text)
    #expect(try Tool.run("run", model, file).output == outcome.output)
    #expect(try Tool.run("run", model, "-", input: text).output == outcome.output)
  }

  @Test(arguments: ["\r\n", "\n"])
  func `a last line without a newline counts`(newline: String) throws {
    let input = text.dropLast().split(separator: "\n").joined(separator: newline)
    #expect(try Tool.run("run", model, input: input).lines == expected.map(line))
  }

  @Test func `names in the first line are answered by names`() throws {
    let outcome = try Tool.run("run", model, input: "x,y,z\n" + text)
    #expect(outcome.lines == ["label,low,mid,high"] + expected.map(line))
  }

  @Test func `columns with the model's own names may stand in any order`() throws {
    let outcome = try Tool.run("run", model, input: "c,a,b\n1,0.5,-0.25\n")
    #expect(outcome.lines == ["label,low,mid,high", line(expected[0])])
  }

  @Test(arguments: ["a,c,x", "a,b,c,label", "a,b"])
  func `some of the model's names beside others are refused`(header: String) throws {
    let count = header.split(separator: ",").count
    let row = Array(repeating: "1", count: count).joined(separator: ",")
    let outcome = try Tool.run("run", model, input: "\(header)\n\(row)\n")
    #expect(outcome.code == 65)
    #expect(outcome.lines.isEmpty)
    #expect(outcome.errors.contains("line 1: found \(count) columns"))
    #expect(outcome.errors.contains("expected the 3 of the model, a, b, c"))
  }

  @Test(arguments: [
    ["a", "b"], ["a", "b", "c", "d"], ["a", "b", "b"], ["a", "a", "a"], [], ["", "", ""],
    ["x", "y", "z"],
  ])
  func `names in a model that do not fit its frames are passed over`(features: [String]) throws {
    var description = try Models.classifier()
    description.metadata.entries["features"] = features
    let path = folder.file("hostile.runnel")
    try description.write(to: path)
    for header in ["a,b,c", "x,y,z", "a,b,b", "a,a,a", "a,b,d"] {
      let outcome = try Tool.run("run", path, input: header + "\n" + text)
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.lines == ["label,low,mid,high"] + expected.map(line))
    }
    #expect(try Tool.run("run", path, input: "a,b\n1,2\n").code == 65)
    #expect(try Tool.run("run", path, input: "a,b,c,d\n1,2,3,4\n").code == 65)
    #expect(try Tool.run("run", path, input: "1,2,x\n").code == 65)
  }

  @Test func `the model's names are those of its first program`() throws {
    var description = try Models.classifier()
    var other = description.programs[0]
    other.name = "other"
    description.programs.append(other)
    let path = folder.file("two.runnel")
    try description.write(to: path)
    let input = "c,a,b\n0.5,-0.25,1\n"
    let outcome = try Tool.run("run", path, "--program", "other", input: input)
    #expect(outcome.lines == ["label,low,mid,high", line(expected[0])], "\(outcome.errors)")
    let first = try Tool.run("run", path, input: input)
    #expect(first.code == 0)
    #expect(first.lines != outcome.lines)
  }

  @Test func `a mark of byte order at the start does not count`() throws {
    let outcome = try Tool.run("run", model, input: "\u{FEFF}c,a,b\r\n1,0.5,-0.25\r\n")
    #expect(outcome.lines == ["label,low,mid,high", line(expected[0])])
    #expect(try Tool.run("run", model, input: "\u{FEFF}" + text).lines == expected.map(line))
  }

  @Test func `raw floats give the same predictions as CSV`() throws {
    let data = frames.reduce(into: [UInt8]()) { data, value in
      let bits = value.bitPattern
      data.append(contentsOf: (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) })
    }
    let outcome = try Tool.run(["run", model, "--input-format", "f32"], input: data)
    #expect(outcome.code == 0)
    #expect(outcome.lines == expected.map(line))
    let short = try Tool.run(["run", model, "--input-format=f32"], input: Array(data.dropLast(5)))
    #expect(short.code == 65)
    #expect(short.lines == expected.dropLast().map(line))
    #expect(short.errors.contains("frame 3"))
    #expect(short.errors.contains("7 bytes"))
  }

  @Test func `JSON lines hold frame, label and outputs`() throws {
    let outcome = try Tool.run("run", model, "--output-format", "jsonl", input: text)
    #expect(outcome.lines.count == 3)
    let object = try outcome.object()
    #expect(object["frame"] as? Int == 3)
    #expect(
      object["label"] as? String == line(expected[2]).split(separator: ",").first.map(String.init))
    let outputs = try #require(object["outputs"] as? [String: [Double]])
    #expect(outputs["prediction"]?.map { Float($0) } == expected[2])
  }

  @Test(arguments: [
    ("1,2,3\n1,abc,3\n", "line 2, column 2", "'abc'"),
    ("1,2,3\n1,2\n", "line 2: found 2 columns", "expected 3"),
    ("1,2,3\n1,2,3,4\n", "line 2, column 4", "4 columns"),
    ("1,2,nan\n", "line 1, column 3", "'nan'"),
    ("1,inf,2\n", "line 1, column 2", "'inf'"),
    ("1,,2\n", "line 1, column 2", "nothing"),
    ("1,1e99,2\n", "line 1, column 2", "finite"),
    ("1,\"2,3\n", "line 1, column 2", "quote"),
    ("1;2;3\n", "line 1", "commas"),
    ("1,2,3\n\n1,2,3\n", "line 2: found an empty line", "--reset-on-blank-line"),
    ("a,b\n1,2,3\n", "line 1", "2 columns"),
  ])
  func `a bad line ends with 65, its line, its column and what was found`(
    input: String, place: String, found: String
  ) throws {
    let outcome = try Tool.run("run", model, input: input)
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("standard input: \(place)"), "\(outcome.errors)")
    #expect(outcome.errors.contains(found), "\(outcome.errors)")
    #expect(outcome.errors.contains("expected"))
  }

  @Test func `what was answered before a bad line is there`() throws {
    let outcome = try Tool.run("run", model, input: "0.5,-0.25,1\nx,y,z\n")
    #expect(outcome.lines == [line(expected[0])])
  }

  @Test func `a bad line that is skipped leaves the stream as it was`() throws {
    let input = "0.5,-0.25,1\n0.1,oops,0.3\n0.1,0.2,0.3\nnan,0,0\n-1,0.75,0\n"
    let outcome = try Tool.run("run", model, "--skip-bad", input: input)
    #expect(outcome.code == 0)
    #expect(outcome.lines == [line(expected[0]), "", line(expected[1]), "", line(expected[2])])
    #expect(outcome.errors.contains("line 2, column 2 (b)"))
    #expect(outcome.errors.contains("line 4, column 1 (a)"))
    let json = try Tool.run("run", model, "--skip-bad", "--output-format=jsonl", input: input)
    #expect(json.lines[1].contains("\"error\":"))
  }

  @Test func `an empty line starts a new stream when asked to`() throws {
    let input = "0.5,-0.25,1\n0.1,0.2,0.3\n\n0.5,-0.25,1\n"
    let outcome = try Tool.run("run", model, "--reset-on-blank-line", input: input)
    #expect(outcome.code == 0)
    #expect(outcome.lines == [line(expected[0]), line(expected[1]), "", line(expected[0])])
    #expect(line(expected[0]) != line(expected[1]))
  }

  @Test(arguments: [true, false])
  func `a character is a frame of a model of characters`(oneHot: Bool) throws {
    let path = folder.file("letters.runnel")
    let description = Models.letters(oneHot: oneHot)
    try description.write(to: path)
    let outcome = try Tool.run("run", path, "--input-format", "text", input: "cab\n")
    #expect(outcome.code == 0)
    let frames: [Float] = oneHot ? [0, 0, 1, 1, 0, 0, 0, 1, 0] : [2, 0, 1]
    let all = try Models.predictions(description, frames)
    let lines = outcome.lines.map { $0.split(separator: ",").dropFirst().map { Float($0) } }
    #expect(lines == (0..<3).map { Array(all[3 * $0..<3 * $0 + 3]) })
    let stranger = try Tool.run("run", path, "--input-format", "text", input: "ca\u{e9}")
    #expect(stranger.code == 65)
    #expect(stranger.errors.contains("line 1, column 3"))
  }

  @Test func `an index that is out of range is refused with its place`() throws {
    let path = folder.file("letters.runnel")
    try Models.letters(oneHot: false).write(to: path)
    let outcome = try Tool.run("run", path, input: "1\n3\n")
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("line 2, column 1"))
  }

  @Test func `levels that the CPU has give the same labels`() throws {
    for level in InstructionLevel.allCases where level <= .best {
      let outcome = try Tool.run("run", model, "--level", "v\(level.rawValue)", input: text)
      #expect(outcome.code == 0)
      #expect(
        outcome.lines.map { $0.split(separator: ",")[0] }
          == expected.map { line($0).split(separator: ",")[0] })
    }
  }

  @Test func `a program is chosen by name or number`() throws {
    #expect(try Tool.run("run", model, "--program", "step", input: text).code == 0)
    #expect(try Tool.run("run", model, "--program", "0", input: text).code == 0)
    let outcome = try Tool.run("run", model, "--program", "jump", input: text)
    #expect(outcome.code == 64)
    #expect(outcome.errors.contains("step"))
  }

  @Test func `files that are not there end with 66`() throws {
    for arguments in [["run", folder.file("no.runnel")], ["run", model, folder.file("no.csv")]] {
      let outcome = try Tool.run(arguments)
      #expect(outcome.code == 66)
      #expect(outcome.errors.contains("no."))
      #expect(outcome.errors.contains("No such file"))
    }
  }

  @Test func `a long input takes time in proportion to its length`() throws {
    let input = String(repeating: "0.5,-0.25,1\n", count: 200_000)
    let start = ContinuousClock.now
    let outcome = try Tool.run("run", model, input: input)
    #expect(outcome.code == 0)
    #expect(outcome.lines.count == 200_000)
    #expect(ContinuousClock.now - start < .seconds(30))
  }
}
