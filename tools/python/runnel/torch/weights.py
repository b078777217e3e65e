"""Weights alone: a state_dict in a file of torch.save."""

import pickle

import torch

from ..architecture import described
from ..errors import ExportError
from .files import program_refusal


def export_weights(weights_path, architecture_path):
    """The model that an architecture makes of a state_dict: a JSON file, as `architecture` describes it.

    Nothing of the file is executed: whatever is no tensor, number, text or container of them is refused. Raises
    ExportError and OSError.
    """
    return described(read(weights_path), weights_path, architecture_path)


def read(path):
    """The tensors of a state_dict by name, as float32 arrays of any shape; those of integers are left out.

    Raises ExportError and OSError.
    """
    refusal = program_refusal(path)
    if refusal is not None:
        raise refusal
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # Whatever a damaged file does to torch's reader.
        raise ExportError(
            f"{path} is no state_dict that can be read without running code: {_reason(error)}; expected "
            "torch.save(module.state_dict(), path)"
        ) from None
    if not isinstance(tensors, dict) or not all(isinstance(value, torch.Tensor) for value in tensors.values()):
        raise ExportError(f"{path} holds no state_dict; expected torch.save(module.state_dict(), path)")
    return {name: value.detach().float().numpy() for name, value in tensors.items() if value.is_floating_point()}


def _reason(error):
    """What torch says of a file, without its advice, which is to run what the file says."""
    if not isinstance(error, (pickle.UnpicklingError, RuntimeError)):
        return "it is damaged"
    text = str(error).rpartition("WeightsUnpickler error:")[2].strip()
    return text.partition("\n")[0].partition(". ")[0]
