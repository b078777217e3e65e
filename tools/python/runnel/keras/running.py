"""Runs Keras models on the frames of one stream."""

import keras
import numpy as np

from ..errors import ExportError
from ..model import INDEX

# What a configuration says of the shapes that a model was built with, and of its training.
_OF_BUILDING = ("build_config", "build_input_shape", "compile_config")


class Source:
    """A model as a function from the frames of one stream to their predictions, as `checked` wants it."""

    def __init__(self, model, reading):
        self._reading = reading
        is_stateful = any(getattr(layer, "stateful", False) for layer in model._flatten_layers())
        self._model = _of_one_stream(model, reading.times) if reading.is_fixed or is_stateful else model

    @property
    def is_of_last_frame(self):
        """Whether a call gives an output for its last frame only."""
        return any(value.time is None for value in self._reading.outputs)

    def __call__(self, frames):
        if self.is_of_last_frame:
            return np.stack([self._whole(frames[: count + 1])[-1] for count in range(len(frames))])
        return self._whole(frames)

    def _whole(self, frames):
        for layer in self._model._flatten_layers():
            if getattr(layer, "stateful", False):
                layer.reset_state()
        arrays, start = [], 0
        for value in self._reading.inputs:
            slot = value.slots[0]
            width = 1 if slot.kind == INDEX else slot.size
            arrays.append(_argument(value, frames[:, start : start + width]))
            start += width
        structure = getattr(self._model, "_inputs_struct", self._model.inputs[0])
        results = keras.tree.flatten(self._model(keras.tree.pack_sequence_as(structure, arrays), training=False))
        rows = [
            _rows(value, np.asarray(keras.ops.convert_to_numpy(result)), len(frames))
            for value, result in zip(self._reading.outputs, results)
        ]
        return np.concatenate(rows, axis=1)


def _argument(value, frames):
    """An input's array; one without time is that of the last frame."""
    frames = frames.astype(np.int32 if value.slots[0].kind == INDEX else np.float32)
    if value.time is None:
        return frames[-1].reshape(value.shape)
    return np.moveaxis(frames.reshape(len(frames), *value.frame_shape), 0, value.time)


def _rows(value, result, count):
    if value.time is None:
        return np.broadcast_to(result.reshape(1, -1), (count, result.size))
    return np.moveaxis(result, value.time, 0).reshape(count, -1)


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
    if "layer" in inner:
        inner["layer"] = _freed(inner["layer"], times, (*path, inner["layer"]["config"]["name"]))
    return {**config, "config": inner}
