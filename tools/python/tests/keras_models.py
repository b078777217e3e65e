"""Keras models with random weights, and what they give; skips without Keras, PyTorch's unless KERAS_BACKEND says so."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="Keras is not installed: pip install keras==3.15.1 torch")
if os.environ["KERAS_BACKEND"] != "numpy":
    pytest.importorskip(os.environ["KERAS_BACKEND"], reason="the backend of Keras is not installed: pip install torch")


def filled(model, seed=0):
    """The model with random weights, none of them zero, and small enough for relu to stay finite."""
    random = np.random.default_rng(seed)
    model.set_weights([_weight(random, weight) for weight in model.weights])
    return model


def _weight(random, weight):
    values = random.normal(size=weight.shape) / np.sqrt(1 + weight.shape[0])
    return np.abs(values) + 0.1 if "variance" in weight.name else values


def sequential(*layers, shape=(None, 3), **options):
    return filled(keras.Sequential([keras.Input(shape, **options), *layers]))


def operations(model):
    return [operation.name for operation in model.programs[0].operations]


def predictions(model, frames):
    """What the Keras model gives for whole sequences [1, time, features]."""
    return keras.ops.convert_to_numpy(model(frames[np.newaxis], training=False))[0]
