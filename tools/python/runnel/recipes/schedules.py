"""The learning rate over a run."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """A schedule by its kind, with the numbers that it takes.

    - constant: `rate` throughout.
    - step: `rate` times `factor` for each `epochs` epochs that have passed.
    - cosine: from `rate` to `final` along half a cosine (Loshchilov and Hutter, 2017).
    - warm-up-cosine: evenly from 0 over the share `warm_up` of the run, then half a cosine from `rate` to `final`.
    - one-cycle: half a cosine from rate / 25 up to `rate` over the share `warm_up`, then half a cosine down to
      rate / 250000 (Smith and Topin, 2018; PyTorch's OneCycleLR).
    """

    kind: str = "constant"
    rate: float = 1e-3
    final: float = 0.0
    warm_up: float = 0.0
    factor: float = 1.0
    epochs: int = 1

    def at(self, fraction, epoch):
        """The rate when this much of the run, from 0 to 1, and so many epochs are done."""
        if self.kind == "constant":
            return self.rate
        if self.kind == "step":
            return self.rate * self.factor ** (epoch // self.epochs)
        if self.kind == "cosine":
            return _cosine(self.rate, self.final, fraction)
        if fraction < self.warm_up:
            done = fraction / self.warm_up
            return self.rate * done if self.kind == "warm-up-cosine" else _cosine(self.rate / 25, self.rate, done)
        final = self.final if self.kind == "warm-up-cosine" else self.rate / 250_000
        return _cosine(self.rate, final, (fraction - self.warm_up) / (1 - self.warm_up))


def read_schedule(field):
    with field.members("kind", "rate", "factor", "epochs", "final", "warmUp", "peak") as members:
        kind = members.required("kind").choice("constant", "step", "cosine", "warm-up-cosine", "one-cycle")
        rate = members.required("peak" if kind == "one-cycle" else "rate").positive("a learning rate")
        if kind == "constant":
            return Schedule(kind, rate)
        if kind == "step":
            factor = members.required("factor").positive("a factor")
            return Schedule(kind, rate, factor=factor, epochs=members.required("epochs").whole(1, 1_000_000))
        if kind == "one-cycle":
            warm_up = members.optional("warmUp")
            return Schedule(kind, rate, warm_up=0.3 if warm_up is None else warm_up.share())
        warm_up = members.required("warmUp").share() if kind == "warm-up-cosine" else 0.0
        final = members.optional("final")
        final = 0.0 if final is None else final.number("a learning rate of at least 0", lambda number: number >= 0)
        return Schedule(kind, rate, final, warm_up)


def _cosine(start, end, fraction):
    return end + (start - end) * (1 + math.cos(math.pi * fraction)) / 2
