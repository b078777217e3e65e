"""The recipe's section `training`: how a network is trained."""

from dataclasses import dataclass, field, replace

from ..errors import RecipeError
from .schedules import Schedule, read_schedule
from .specification import SOFTMAX

_KEYS = (
    "epochs",
    "batchSize",
    "window",
    "optimizer",
    "schedule",
    "clipNorm",
    "labelSmoothing",
    "averaging",
    "validationFraction",
    "patience",
    "minimumCropFraction",
    "buckets",
    "scheduledSampling",
    "seed",
)


@dataclass(frozen=True)
class Optimizer:
    """An optimizer of torch.optim by its kind (sgd, rmsprop, adam, adamw), with its arguments there."""

    kind: str = "adam"
    arguments: dict = field(default_factory=lambda: {"betas": (0.9, 0.999), "eps": 1e-8})


@dataclass(frozen=True)
class Settings:
    """What models/README.md says of each key; None where there is no limit, no average, no crop."""

    epochs: int
    batch_size: int = 16
    window: int | None = None
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    clip_norm: float | None = 1.0
    label_smoothing: float = 0.0
    averaging: float | None = None
    validation_fraction: float = 0.0
    patience: int | None = None
    minimum_crop_fraction: float | None = None
    buckets: bool = False
    scheduled_sampling: float = 0.0
    seed: int = 0

    def refuse(self, path, specification, has_validation):
        """Raises RecipeError for a setting that does not fit the network or the data of the recipe `path`."""
        programs = len(specification.programs)
        rules = [
            (
                "labelSmoothing",
                self.label_smoothing == 0 or specification.loss == SOFTMAX,
                "a number from 0 to below 1, and only with softmax cross-entropy",
            ),
            (
                "patience",
                self.patience is None or has_validation,
                "a whole number from 1, together with validation data",
            ),
            (
                "minimumCropFraction",
                self.minimum_crop_fraction is None or programs == 1,
                "a number above 0 and up to 1, and only with one program",
            ),
            (
                "scheduledSampling",
                self.scheduled_sampling == 0 or specification.writes_its_input,
                "a number from 0 to 1, and other than 0 only where the model predicts what its frames hold, as in a "
                "text",
            ),
        ]
        for key, holds, expected in rules:
            if not holds:
                raise RecipeError(path, "a value that does not fit", expected, element=f"training.{key}")


def read_settings(section):
    """The section of a recipe."""
    with section.members(*_KEYS) as members:
        settings = Settings(members.required("epochs").whole(1, 1_000_000))

        def given(key, name, read):
            field = members.optional(key)
            return {} if field is None else {name: read(field)}

        values = {
            **given("batchSize", "batch_size", lambda field: field.whole(1, 65536)),
            **given("window", "window", lambda field: field.whole(1, 1_000_000)),
            **given("optimizer", "optimizer", _read_optimizer),
            **given("schedule", "schedule", read_schedule),
            **({"clip_norm": None} if members.is_null("clipNorm") else {}),
            **given("clipNorm", "clip_norm", lambda field: field.positive("a norm")),
            **given("labelSmoothing", "label_smoothing", lambda field: field.share()),
            **given("averaging", "averaging", lambda field: field.share()),
            **given("validationFraction", "validation_fraction", lambda field: field.share()),
            **given("patience", "patience", lambda field: field.whole(1, 1_000_000)),
            **given("minimumCropFraction", "minimum_crop_fraction", _read_crop),
            **given("buckets", "buckets", lambda field: field.flag()),
            **given("scheduledSampling", "scheduled_sampling", _read_sampling),
            **given("seed", "seed", lambda field: field.whole(0, 1 << 53)),
        }
    return replace(settings, **values)


def _read_crop(field):
    return field.number("a number above 0 and up to 1", lambda number: 0 < number <= 1)


def _read_sampling(field):
    return field.number("a number from 0 to 1", lambda number: 0 <= number <= 1)


def _read_optimizer(section):
    keys = ("kind", "momentum", "smoothing", "beta1", "beta2", "epsilon", "weightDecay")
    with section.members(*keys) as members:

        def value(key, default, read):
            field = members.optional(key)
            return default if field is None else read(field)

        def share(key, default):
            return value(key, default, lambda field: field.share())

        def epsilon():
            return value("epsilon", 1e-8, lambda field: field.positive("a number"))

        kind = members.required("kind").choice("sgd", "rmsprop", "adam", "adamw")
        if kind == "sgd":
            return Optimizer(kind, {"momentum": share("momentum", 0.0)})
        if kind == "rmsprop":
            return Optimizer(kind, {"alpha": share("smoothing", 0.99), "eps": epsilon()})
        arguments = {"betas": (share("beta1", 0.9), share("beta2", 0.999)), "eps": epsilon()}
        if kind == "adamw":
            arguments["weight_decay"] = value(
                "weightDecay", 0.01, lambda field: field.number("a decay of at least 0", lambda number: number >= 0)
            )
        return Optimizer(kind, arguments)
