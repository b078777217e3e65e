"""Weights alone: a state_dict in a file of torch.save."""

import pickle

import torch

from ..architecture import described
from ..errors import ExportError


def export_weights(weights_path, architecture_path):
    """The model that an architecture makes of a state_dict: a JSON file, as `architecture` describes it.

    Nothing of the file is executed: whatever is no tensor, number, text or container of them is refused.
    """
    try:
        tensors = torch.load(weights_path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise ExportError(f"{weights_path} is no state_dict that can be read without running code: {error}") from None
    if not isinstance(tensors, dict) or not all(isinstance(value, torch.Tensor) for value in tensors.values()):
        raise ExportError(f"{weights_path} holds no state_dict; expected torch.save(module.state_dict(), path)")
    arrays = {name: value.detach().float().numpy() for name, value in tensors.items() if value.is_floating_point()}
    return described(arrays, weights_path, architecture_path)
