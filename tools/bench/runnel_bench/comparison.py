"""Measures candidates side by side: the same cells with the same weights, in turns."""

import statistics

import numpy as np

from .candidates import Restarted
from .cases import TOLERANCES
from .cell import CellWeights, random_frames, reference
from .model_file import write_model
from .peers import Unavailable

#: Frames of each stream whose outputs are compared; a call for a sequence is compared whole.
CHECKED_FRAMES = 64


class Disagreement(Exception):
    """Outputs that are not those of the cell: whatever was measured then is another cell."""


class Comparison:
    """Runs cases; `results` are dictionaries, one for each case and candidate, `gaps` those that could not be had."""

    def __init__(self, candidates, folder, rounds, progress):
        self.candidates = candidates
        self.folder = folder
        self.rounds = rounds
        self.progress = progress
        self.results = []
        self.gaps = []

    def run(self, case):
        weights = CellWeights.random(case.cell, case.input, case.hidden)
        calls = 1 if case.frames > 1 else CHECKED_FRAMES
        frames = random_frames(calls * case.frames, case.streams, case.input)
        expected = reference(weights, frames)
        frames = frames.reshape(calls, case.frames, case.streams, case.input)
        np.savez(
            self.folder / "weights.npz", input_weights=weights.input_weights,
            recurrent_weights=weights.recurrent_weights, bias=weights.bias, candidate_bias=weights.candidate_bias,
        )
        np.save(self.folder / "frames.npy", frames)
        write_model(self.folder / "cell.runnel", weights)
        ready = []
        try:
            for candidate in self.candidates:
                deviation = self.prepared(candidate, case, weights, frames, expected)
                if deviation is not None:
                    ready.append((candidate, deviation))
            for candidate, _ in ready:
                candidate.choose()
            times = self.times([candidate for candidate, _ in ready])
        finally:
            for process in {candidate.process for candidate in self.candidates} - {None}:
                process.ask(do="forget")
        for (candidate, deviation), list_of_times in zip(ready, times):
            self.results.append(
                {
                    **case.as_dict(), "runtime": candidate.runtime, "title": candidate.title,
                    "weights": candidate.weight_type, "way": candidate.way, "deviation": deviation,
                    "callNs": statistics.median(list_of_times), "fastestNs": min(list_of_times),
                    "slowestNs": max(list_of_times),
                }
            )
        self.progress.advance(case.title)

    def prepared(self, candidate, case, weights, frames, expected):
        """The largest deviation of a candidate that is ready to be measured; None for one that cannot do the case."""
        while True:
            try:
                candidate.prepare(case, weights, self.folder)
                return self.largest_deviation(candidate, case, frames, expected)
            except Restarted as death:
                self.progress.say(f"{candidate.title}, {candidate.weight_type}, {case.title}: {death}")
                self.prepare_again(candidate, case, weights)
                if not death.retry:
                    self.gap(candidate, case, death)
                    return None
            except Unavailable as reason:
                self.gap(candidate, case, reason)
                return None

    def prepare_again(self, candidate, case, weights):
        """Gives a worker that was started again what it had before, but for the candidate that is under way."""
        for other in self.candidates[: self.candidates.index(candidate)]:
            if other.process is candidate.process and not self.has_gap(other, case):
                other.prepare(case, weights, self.folder)

    def has_gap(self, candidate, case):
        missing = {**case.as_dict(), "runtime": candidate.runtime, "weights": candidate.weight_type}
        return any(missing.items() <= gap.items() for gap in self.gaps)

    def largest_deviation(self, candidate, case, frames, expected):
        tolerance = TOLERANCES[candidate.weight_type]
        largest = 0.0
        for way, outputs in candidate.outputs(frames):
            part = expected[:, : outputs.shape[1]]
            if outputs.shape != part.shape:
                raise Disagreement(
                    f"{candidate.title} {candidate.weight_type} ({way}), {case.title}: outputs of shape "
                    f"{outputs.shape}, expected {part.shape}"
                )
            deviation = float(np.abs(outputs - part).max())
            if not deviation <= tolerance:
                raise Disagreement(
                    f"{candidate.title} {candidate.weight_type} ({way}), {case.title}: an output is {deviation:.3g} "
                    f"off the reference in float64, expected at most {tolerance:g}; check its gates and biases"
                )
            largest = max(largest, deviation)
        return largest

    def times(self, candidates):
        """Nanoseconds of a call of each candidate in each round, all taking turns."""
        times = [[] for _ in candidates]
        for _ in range(self.rounds):
            for candidate, list_of_times in zip(candidates, times):
                list_of_times.append(candidate.measure())
        return times

    def gap(self, candidate, case, reason):
        gap = {
            **case.as_dict(), "runtime": candidate.runtime, "title": candidate.title,
            "weights": candidate.weight_type, "reason": str(reason),
        }
        self.gaps.append(gap)
