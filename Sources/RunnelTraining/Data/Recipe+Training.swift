extension TrainingSettings {
  /// Reads the recipe's section "training".
  init(_ field: JSONField) throws(DataError) {
    var object = try field.object(
      "epochs", "batchSize", "window", "optimizer", "schedule", "clipNorm", "labelSmoothing",
      "averaging", "validationFraction", "patience", "minimumCropFraction", "buckets",
      "scheduledSampling", "seed")
    self.init(epochs: try object.required("epochs").wholeNumber(1...1_000_000))
    if let field = object.optional("batchSize") { batchSize = try field.wholeNumber(1...65536) }
    window = try object.optional("window")?.wholeNumber(1...1_000_000)
    if let field = object.optional("optimizer") { optimizer = try OptimizerSpecification(field) }
    if let field = object.optional("schedule") { schedule = try LearningRateSchedule(field) }
    if object.isNull("clipNorm") { clipNorm = nil }
    if let field = object.optional("clipNorm") { clipNorm = Float(try field.positive("a norm")) }
    if let field = object.optional("labelSmoothing") { labelSmoothing = Float(try field.share()) }
    if let field = object.optional("averaging") { averaging = Float(try field.share()) }
    if let field = object.optional("validationFraction") {
      validationFraction = Float(try field.share())
    }
    patience = try object.optional("patience")?.wholeNumber(1...1_000_000)
    if let field = object.optional("minimumCropFraction") {
      minimumCropFraction = Float(
        try field.number("a number above 0 and up to 1") { $0 > 0 && $0 <= 1 })
    }
    if let field = object.optional("buckets") { buckets = try field.boolean() }
    if let field = object.optional("scheduledSampling") {
      scheduledSampling = Float(try field.number("a number from 0 to 1") { 0...1 ~= $0 })
    }
    if let field = object.optional("seed") { seed = UInt64(try field.wholeNumber(0...1 << 53)) }
  }
}

extension OptimizerSpecification {
  private enum Kind { case sgd, rmsprop, adam, adamW }

  fileprivate init(_ field: JSONField) throws(DataError) {
    var object = try field.object(
      "kind", "momentum", "smoothing", "beta1", "beta2", "epsilon", "weightDecay")
    let kind = try object.required("kind").choice([
      "sgd": Kind.sgd, "rmsprop": .rmsprop, "adam": .adam, "adamw": .adamW,
    ])
    switch kind {
    case .sgd: self = .sgd(momentum: try object.optional("momentum")?.share() ?? 0)
    case .rmsprop:
      self = .rmsprop(
        smoothing: try object.optional("smoothing")?.share() ?? 0.99,
        epsilon: try object.optional("epsilon")?.positive("a number") ?? 1e-8)
    case .adam, .adamW:
      let beta1 = try object.optional("beta1")?.share() ?? 0.9
      let beta2 = try object.optional("beta2")?.share() ?? 0.999
      let epsilon = try object.optional("epsilon")?.positive("a number") ?? 1e-8
      guard kind == .adamW else {
        self = .adam(beta1: beta1, beta2: beta2, epsilon: epsilon)
        break
      }
      let decay =
        try object.optional("weightDecay")?.number("a decay of at least 0") { $0 >= 0 } ?? 0.01
      self = .adamW(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: decay)
    }
    try object.finish()
  }
}

extension LearningRateSchedule {
  private enum Kind { case constant, step, cosine, warmUpCosine, oneCycle }

  fileprivate init(_ field: JSONField) throws(DataError) {
    var object = try field.object(
      "kind", "rate", "factor", "epochs", "final", "warmUp", "peak")
    let kind = try object.required("kind").choice([
      "constant": Kind.constant, "step": .step, "cosine": .cosine,
      "warm-up-cosine": .warmUpCosine, "one-cycle": .oneCycle,
    ])
    let final = "a learning rate of at least 0"
    switch kind {
    case .constant: self = .constant(rate: try object.required("rate").positive("a learning rate"))
    case .step:
      self = .step(
        rate: try object.required("rate").positive("a learning rate"),
        factor: try object.required("factor").positive("a factor"),
        epochs: try object.required("epochs").wholeNumber(1...1_000_000))
    case .cosine:
      self = .cosine(
        rate: try object.required("rate").positive("a learning rate"),
        final: try object.optional("final")?.number(final) { $0 >= 0 } ?? 0)
    case .warmUpCosine:
      self = .warmUpCosine(
        rate: try object.required("rate").positive("a learning rate"),
        warmUp: try object.required("warmUp").share(),
        final: try object.optional("final")?.number(final) { $0 >= 0 } ?? 0)
    case .oneCycle:
      self = .oneCycle(
        peak: try object.required("peak").positive("a learning rate"),
        warmUp: try object.optional("warmUp")?.share() ?? 0.3)
    }
    try object.finish()
  }
}

extension JSONField {
  fileprivate func positive(_ what: String) throws(DataError) -> Double {
    try number("\(what) above 0") { $0 > 0 }
  }

  fileprivate func share() throws(DataError) -> Double {
    try number("a number from 0 to below 1") { 0..<1 ~= $0 && Float($0) < 1 }
  }
}
