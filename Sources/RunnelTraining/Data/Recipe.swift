/// How a model is made: data, network, training, and what the file says about itself.
///
/// The text form is `recipe.json`; its paths are relative to it. Every key is checked: one that is
/// unknown, missing, of the wrong type or out of range is an error that names its line.
package struct Recipe: Sendable {
  /// The recipe's file, as the user named it.
  package let path: String
  /// The model's name.
  package let name: String
  /// What the model does, in a sentence.
  package let about: String?
  /// What is learnt from.
  package let data: Source
  /// What the network is made of.
  package let network: Network
  /// How it is trained.
  package var settings: TrainingSettings
  /// Where the model is written.
  package let output: String
  /// Where data and recipe come from, for the model's metadata.
  package let provenance: [String]
  /// Frames per second.
  package let frameRate: Double?

  /// What is learnt from.
  package enum Source: Sendable {
    case frames(FrameSource)
    case text(TextSource)
    case lines(LineSource)
  }

  /// A file that the recipe names.
  package struct File: Equatable, Sendable {
    /// The path, seen from the working directory.
    package let path: String
    /// Where the recipe names it.
    package let namedBy: String

    /// Calls something that reads the file; its errors then say who named it.
    package func read<Result>(_ body: (String) throws -> Result) throws -> Result {
      do {
        return try body(path)
      } catch var error as FileError {
        error.namedBy = namedBy
        throw error
      }
    }
  }

  /// The files that the data comes from.
  package var files: [File] {
    switch data {
    case .frames(let source):
      return [source.train, source.validation, source.test].compactMap { $0 }
    case .lines(let source):
      return [source.train, source.validation, source.test].compactMap { $0 }
    case .text(let source):
      return [source.train, source.test].compactMap { content in
        guard case .file(let file) = content else { return nil }
        return file
      }
    }
  }

  /// Reads a recipe.
  ///
  /// - Throws: ``DataError`` where the recipe is wrong, ``FileError`` when it cannot be read.
  package init(path: String) throws {
    let value = try JSONParser.parse(ByteSource.contents(of: path), file: path)
    var recipe = try JSONField(file: path, value: value).object(
      "name", "about", "data", "network", "training", "output", "provenance", "frameRate")
    self.path = path
    name = try recipe.required("name").string()
    about = try recipe.optional("about")?.string()
    data = try Self.source(recipe.required("data"))
    network = try Network(recipe.required("network"))
    settings = try TrainingSettings(recipe.required("training"))
    let directory = Self.directory(of: path)
    output =
      directory + (try recipe.optional("output")?.string("the name of a file") ?? "\(name).runnel")
    provenance = try recipe.optional("provenance")?.strings() ?? []
    frameRate = try recipe.optional("frameRate")?
      .number("the frames per second, a number above 0") { $0 > 0 }
    let hasValidation =
      switch data {
      case .frames(let source): source.validation != nil
      case .lines(let source): source.validation != nil
      case .text: false
      }
    if hasValidation, settings.validationFraction > 0 {
      throw DataError(
        file: path, element: "training.validationFraction",
        found: "a share for validation beside the file \"data.validation\"",
        expected: "one of the two")
    }
  }

  private enum SourceKind { case frames, text, lines }

  private static func source(_ field: JSONField) throws(DataError) -> Source {
    var object = try field.object(
      "kind", "train", "validation", "test", "sequence", "label", "targets", "features", "labels",
      "predict", "lossAt", "text", "input", "sequenceLength", "minimumCount")
    let kind = try object.required("kind").choice([
      "frames": SourceKind.frames, "text": .text, "lines": .lines,
    ])
    return switch kind {
    case .frames: .frames(try FrameSource(&object))
    case .text: .text(try TextSource(&object))
    case .lines: .lines(try LineSource(&object))
    }
  }

  /// The folder of a file, with its slash; empty for the working directory.
  private static func directory(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
  }
}

extension JSONField {
  /// The value as the name of a file, relative to the file that this stands in.
  func namedFile() throws(DataError) -> Recipe.File {
    let name = try string("the name of a file")
    let directory = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    return Recipe.File(
      path: name.hasPrefix("/") ? name : directory + name,
      namedBy: "\(file), line \(value.location.line), \(path)")
  }
}
