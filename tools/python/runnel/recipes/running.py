"""Runs trained networks in PyTorch, in double precision."""

import numpy as np
import torch

from ..errors import ExportError
from .losses import activated
from .module import Network


def outputs(trained, frames, rounding):
    """The outputs of every program for one sequence from its start, the last one's after the loss's non-linearity.

    rounding: how often normalised frames are rounded to 32 bits.
    """
    network = Network(trained.specification).double().eval()
    try:
        network.load_state_dict({name: torch.tensor(values) for name, values in trained.parameters.items()})
    except RuntimeError as error:
        raise ExportError(f"the weights are not those of the network: {error}") from None
    parts = []
    for part, normalisation in zip(frames, trained.normalisations):
        part = torch.from_numpy(np.array(part if normalisation is None else normalisation(part, rounding)))
        parts.append(part.double() if part.ndim > 1 else part.long())
    found = network.outputs(parts)
    found[-1] = activated(trained.specification.loss, found[-1])
    return [values.numpy() for values in found]
