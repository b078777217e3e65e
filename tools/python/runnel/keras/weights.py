"""What Keras's layers hold: weights and functions."""

import keras
import numpy as np

from ..errors import ExportError


def array(weight):
    """The numbers of a weight, or None."""
    return None if weight is None else np.asarray(keras.ops.convert_to_numpy(weight), np.float64)


def named(function):
    """What to call a function in a message."""
    return getattr(function, "__name__", type(function).__name__)


def private(owner, name):
    """An attribute that Keras does not promise to have. Raises ExportError if it is not there."""
    try:
        return getattr(owner, name)
    except AttributeError:
        raise ExportError(
            f"Keras {keras.__version__} has no {type(owner).__name__}.{name}; expected Keras 3.9 to 3.15"
        ) from None
