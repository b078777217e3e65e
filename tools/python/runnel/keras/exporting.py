"""From a Keras model to a .runnel file."""

import keras
import numpy as np

from ..checking import TOLERANCE, checked, golden_count, random_frames
from ..folding import folded
from ..format import write
from .files import load
from .graph import read
from .running import Source


def export(model_or_path, path=None, *, frames=None, check=True, tolerance=TOLERANCE, metadata=None):
    """Exports a Sequential or functional model, writes it to `path` if one is given, and gives the model.

    The model is a Keras model, or the path of a `.keras` file, of which no code is run: a file with a Lambda or with
    custom classes is refused.

    - The model becomes a step over its frames: what stands along axis 1 of [batch, time, features], and of the indices
      [batch, time] of an Embedding. Several inputs stand side by side in a frame, in the model's order. Recurrent
      layers start from zeros when a stream is reset, and carry their states on from frame to frame, whether or not
      they are stateful.
    - Where a layer gives only the last frame's result (return_sequences=False), a step gives what that result would be
      if its frame were the last. An input without time, [batch, features], is given anew with each frame.
    - Convolutions and pooling over time see the frames until now, padded on the left (`causal`) or not at all. With
      strides, without padding or behind a Cropping1D, the model does not answer each frame: a step gives no prediction
      where the model has no frame.
    - A model with a Bidirectional layer is one of whole sequences, which are given at once; a step refuses it.
    - What only training has is left out: dropout, noise.

    - frames: [count, frame size] on which the model and the export are compared; random ones otherwise.
    - check: whether they are compared. Without, the file has no golden frames.

    Raises ExportError, naming the layer, its class, and why it cannot be exported, and CheckError if the export does
    not give the model's numbers. Nothing is written then.
    """
    model = model_or_path if isinstance(model_or_path, keras.Model) else load(model_or_path)
    reading = read(model)
    result = folded(reading.builder.model({"provenance": [f"keras {keras.__version__}"], **(metadata or {})}))
    if check:
        source = Source(model, reading)
        if frames is None:
            frames = random_frames(result.programs[0], reading.checked_count)
        result = checked(result, source, np.asarray(frames, np.float32), tolerance, golden_count(reading.clock))
    if path is not None:
        write(result, path)
    return result
