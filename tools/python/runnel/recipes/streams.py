"""The visits that one process takes of a minibatch, as streams: their frames and targets, window by window."""

import numpy as np
import torch

from .module import rows_of
from .windows import Window


class Streams:
    """Visits from the longest to the shortest, and their frames as a network takes them.

    Of no visits, there is one stream of a single frame of zeros, which has no target: so a process without a share of a
    minibatch, or of a window, runs the network all the same, as DistributedDataParallel asks.
    """

    def __init__(self, visits, specification, normalisations, device):
        self._visits, self._normalisations, self._device = visits, normalisations, device
        self._specification = specification

    def contexts(self):
        """The rows of the programs before the last one."""
        return [self._context(place) for place in range(len(self._specification.programs) - 1)]

    def window(self, start, count):
        """The rows of the frames from so many after the first on; and, of those with a target, the places and the
        targets."""
        lengths = [min(max(visit.length - start, 0), count) for visit in self._visits] or [0]
        program = len(self._specification.programs) - 1
        if not lengths[0]:
            window = Window([1] + [0] * (len(lengths) - 1))
            return rows_of(window, [self._zeros(program)], self._device), *self._targets(window, [], [])
        window, parts, places, targets = Window(lengths), [], [], []
        for stream, (visit, length) in enumerate(zip(self._visits, lengths)):
            if not length:
                break
            first = visit.start + start
            parts.append(self._frames(program, visit.sequence.inputs[-1][first : first + length]))
            if not visit.sequence.is_at_last:
                places.append(window.offsets[:length] + stream)
                targets.append(visit.sequence.targets[first : first + length])
            elif start + length == visit.length:
                places.append(window.offsets[length - 1 : length] + stream)
                targets.append(visit.sequence.targets)
        return rows_of(window, parts, self._device), *self._targets(window, places, targets)

    def _targets(self, window, places, targets):
        if not places:
            return torch.zeros(0, dtype=torch.long, device=self._device), None
        targets = torch.from_numpy(np.concatenate(targets))
        targets = targets.float() if targets.is_floating_point() else targets.long()
        return torch.from_numpy(np.concatenate(places)).to(self._device), targets.to(self._device)

    def _context(self, place):
        parts = [visit.sequence.inputs[place] for visit in self._visits] or [self._zeros(place)]
        order = sorted(range(len(parts)), key=lambda stream: -len(parts[stream]))
        window = Window([len(parts[stream]) for stream in order])
        frames = [self._frames(place, parts[stream]) for stream in order]
        return rows_of(window, frames, self._device, torch.tensor(order, device=self._device))

    def _zeros(self, place):
        """A frame of zeros."""
        port = self._specification.programs[place].input
        return np.zeros((1, port.size), np.float32) if port.kind == "vector" else np.zeros(1, np.int64)

    def _frames(self, place, frames):
        normalisation = self._normalisations[place]
        return frames if normalisation is None else normalisation(frames)


def target_count(visits, start, count):
    """How many frames of a window of visits have a target."""
    total = 0
    for visit in visits:
        length = min(max(visit.length - start, 0), count)
        is_over = length and start + length == visit.length
        total += int(bool(is_over)) if visit.sequence.is_at_last else length
    return total
