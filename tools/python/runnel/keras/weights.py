"""What Keras's layers hold: weights and functions."""

import keras
import numpy as np


def array(weight):
    """The numbers of a weight, or None."""
    return None if weight is None else np.asarray(keras.ops.convert_to_numpy(weight), np.float64)


def named(function):
    """What to call a function in a message."""
    return getattr(function, "__name__", type(function).__name__)
