"""Runs Keras models on the frames of one stream."""

import keras
import numpy as np

from ..errors import ExportError
from ..model import INDEX
from ..sources import SequenceSource
from .weights import private

# What a configuration says of the shapes that a model was built with, and of its training.
_OF_BUILDING = ("build_config", "build_input_shape", "compile_config")


class Source(SequenceSource):
    """A model as a function from the frames of one stream to their predictions."""

    def __init__(self, model, reading):
        super().__init__(reading.clock, reading.is_of_last_frame, reading.builder.takes_whole_sequences)
        self._reading = reading
        is_stateful = any(getattr(layer, "stateful", False) for layer in private(model, "_flatten_layers")())
        self._model = _of_one_stream(model, reading.times) if reading.is_fixed or is_stateful else model

    def _whole(self, frames):
        for layer in private(self._model, "_flatten_layers")():
            if getattr(layer, "stateful", False):
                layer.reset_state()
        arrays, start = [], 0
        for value in self._reading.inputs:
            slot = value.slots[0]
            width = 1 if slot.kind == INDEX else slot.size
            arrays.append(_argument(value, frames[:, start : start + width]))
            start += width
        is_sequential = type(self._model) is keras.Sequential
        structure = self._model.inputs[0] if is_sequential else private(self._model, "_inputs_struct")
        results = keras.tree.flatten(self._model(keras.tree.pack_sequence_as(structure, arrays), training=False))
        arrays = [np.asarray(keras.ops.convert_to_numpy(result)) for result in results]
        return self._joined(zip(arrays, [value.time for value in self._reading.outputs]), len(frames))


def _argument(value, frames):
    """An input's array; one without time is that of the last frame."""
    frames = frames.astype(np.int32 if value.slots[0].kind == INDEX else np.float32)
    if value.time is None:
        return frames[-1].reshape(value.shape)
    return np.moveaxis(frames.reshape(len(frames), *value.frame_shape), 0, value.time)


def _of_one_stream(model, times):
    """A copy of a model that takes one stream, and any number of frames."""
    config = _freed(keras.saving.serialize_keras_object(model), times, ())
    try:
        copy = keras.saving.deserialize_keras_object(config, safe_mode=True)
        copy.set_weights(model.get_weights())
    except Exception as error:  # Whatever a model does that cannot be built for other shapes.
        text = str(error).partition("\n")[0]
        raise ExportError(f"model {model.name!r} cannot be checked on one stream of any length: {text}") from error
    return copy


def _freed(config, times, path):
    """A model's configuration without sizes for time, and for one stream."""
    config = {key: value for key, value in config.items() if key not in _OF_BUILDING}
    inner = {key: value for key, value in config["config"].items() if key not in _OF_BUILDING}
    if config["class_name"] == "InputLayer":
        shape = [1, *inner["batch_shape"][1:]]
        if times[path] is not None:
            shape[times[path]] = None
        inner["batch_shape"] = shape
    if "layers" in inner:
        inner["layers"] = [_freed(layer, times, (*path, layer["config"]["name"])) for layer in inner["layers"]]
    for key in ("layer", "backward_layer"):
        if key in inner:
            inner[key] = _freed(inner[key], times, (*path, inner[key]["config"]["name"]))
    return {**config, "config": inner}
