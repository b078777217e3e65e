"""Weights alone: a state_dict in a file of torch.save."""

import pickle
import zipfile

import torch

from ..architecture import described
from ..errors import ExportError
from .exporting import _refusal


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
    if _holds_a_program(path):
        raise _refusal(path)
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


def _holds_a_program(path):
    """Whether a file is one of TorchScript or of torch.export.save, whatever its name."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return False
    return "constants.pkl" in names or "model.json" in names or "serialized_exported_program.json" in names


def _reason(error):
    """What torch says of a file, without its advice, which is to run what the file says."""
    if not isinstance(error, (pickle.UnpicklingError, RuntimeError)):
        return "it is damaged"
    text = str(error).rpartition("WeightsUnpickler error:")[2].strip()
    return text.partition("\n")[0].partition(". ")[0]
