"""x scale + shift for each element of a frame, so that it has mean 0 and deviation 1 over the training data."""

from dataclasses import dataclass

import numpy as np

from ..errors import RecipeError

NEVER, ONCE, TWICE = "never", "once", "twice"  # how often a normalised number is rounded to 32 bits

_LARGEST_OFFSET = 1e4  # the largest mean, in deviations, that leaves a float32 enough digits for the differences


@dataclass(frozen=True, eq=False)
class Normalisation:
    """One over the deviation, and minus the mean over the deviation, of each element: [width] of float32."""

    scale: np.ndarray
    shift: np.ndarray

    def __call__(self, frames, rounding=TWICE):
        """The frames in float32, rounded after the product and after the sum, or once; or in double precision."""
        frames = np.asarray(frames, np.float32)
        if rounding == TWICE:
            return frames * self.scale + self.shift
        # The product of two float32 is exact in 64 bits.
        exact = frames.astype(np.float64) * self.scale + self.shift
        return exact if rounding == NEVER else exact.astype(np.float32)


def normalisations(specification, sequences, path, names):
    """The constants of each program of a specification, None where they are not asked for.

    path, names: of the recipe, and of the elements of a frame where they have some, for errors. Raises RecipeError.
    """
    return tuple(
        _of([sequence.inputs[place] for sequence in sequences], path, names) if program.normalises else None
        for place, program in enumerate(specification.programs)
    )


def _of(inputs, path, names):
    """The constants for the frames of a set of sequences: [length, width] each."""
    count = sum(map(len, inputs))
    mean = sum(frames.sum(axis=0, dtype=np.float64) for frames in inputs) / count
    square = sum(((frames - mean) ** 2).sum(axis=0) for frames in inputs)
    deviation = np.sqrt(square / count)
    first = inputs[0][0]
    is_constant = np.logical_and.reduce([(frames == first).all(axis=0) for frames in inputs])
    for element in np.flatnonzero(~is_constant & (np.abs(mean) > _LARGEST_OFFSET * deviation)):
        name = names[element] if element < len(names) else str(element)
        found = f"the column {name} with mean {mean[element]} and deviation {deviation[element]}, whose differences "
        found += "32-bit floats cannot hold"
        expected = "a mean of at most 10,000 deviations: subtract a constant from the column first, choose other "
        expected += 'units, or leave it out of "features"'
        raise RecipeError(path, found, expected, element="network.normalise")
    # What rounding alone makes of an element that never changes is no deviation.
    scale = 1 / np.where(is_constant, 1, deviation)
    return Normalisation(scale.astype(np.float32), (-mean * scale).astype(np.float32))
