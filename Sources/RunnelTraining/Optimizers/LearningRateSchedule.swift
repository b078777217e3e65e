/// The learning rate over a run.
public enum LearningRateSchedule: Equatable, Sendable {
  /// The same rate throughout.
  case constant(rate: Float)
  /// `rate` times `factor` for each `epochs` epochs that have passed.
  case step(rate: Float, factor: Float, epochs: Int)
  /// From `rate` to `final` along half a cosine (Loshchilov and Hutter, 2017).
  case cosine(rate: Float, final: Float = 0)
  /// Linear warm-up from 0 over the first share `warmUp` of the run, then ``cosine(rate:final:)``
  /// over the rest.
  case warmUpCosine(rate: Float, warmUp: Float, final: Float = 0)
  /// Half a cosine from `peak / 25` up to `peak` over the first share `warmUp` of the run, then
  /// half a cosine down to `peak / 250000` (Smith and Topin, 2018; `OneCycleLR` in PyTorch).
  case oneCycle(peak: Float, warmUp: Float = 0.3)
}
