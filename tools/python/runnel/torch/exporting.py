"""From a module to a .runnel file."""

import warnings

import numpy as np
import torch
from torch.utils import _pytree as trees

from ..checking import CHECKED_FRAMES, TOLERANCE, checked, random_frames
from ..errors import ExportError
from ..format import write
from ..graphs import Source, time_axes, traced
from .graph import TorchReader, graph_inputs, is_over_sequences


def export(
    module,
    example_input,
    path=None,
    *,
    time=None,
    states=None,
    frames=None,
    check=True,
    tolerance=TOLERANCE,
    metadata=None,
):
    """Exports a module, writes it to `path` if one is given, and gives the model.

    The module's `forward` is traced with `example_input`, a tensor or a tuple of them, with a batch of 1.

    - A `forward` over sequences, such as [1, time, features], becomes a step over its frames. Its recurrent layers
      start from what `forward` gives them, zeros as a rule, when a stream is reset, and carry their states on from
      frame to frame. The example needs two frames or more, so that the axis of time shows; `time` says which axis
      it is where the module has no recurrent layer.
    - A `forward` over one frame takes states besides, and gives them back, as cells do: they become states of the
      session, which start from zeros. States of no cell have to be named in `states`: the names of their parameters,
      with the number of the result that follows each.

    Results are the parts of the prediction, but for states. Where `forward` gives only the last frame's result, a step
    gives what that result would be if its frame were the last.

    - frames: [count, frame size] on which the module and the export are compared; random ones otherwise.
    - check: whether they are compared. Without, the file has no golden frames.

    Raises ExportError, naming the operation, its place in the module, and why it cannot be exported, and CheckError if
    the export does not give the module's numbers. Nothing is written then.
    """
    inputs = example_input if isinstance(example_input, tuple) else (example_input,)
    # A tensor that is given twice would be one input.
    inputs = trees.tree_map(torch.clone, inputs)
    training = module.training
    module.eval()
    try:
        program = _traced(module, inputs, time, states)
        model = program.model({"provenance": [f"torch {torch.__version__}"], **(metadata or {})})
        if check:
            if frames is None:
                frames = random_frames(model.programs[0], CHECKED_FRAMES)
            source = Source(program, _called(module, trees.tree_structure(inputs)))
            model = checked(model, source, np.asarray(frames, np.float32), tolerance)
    finally:
        module.train(training)
    if path is not None:
        write(model, path)
    return model


def _traced(module, inputs, time, states):
    try:
        with torch.no_grad(), warnings.catch_warnings():
            # What recurrent layers keep of their weights is assigned anew, to the same.
            warnings.filterwarnings("ignore", message="The tensor attributes .*_flat_weights")
            program = torch.export.export(module, inputs)
    except Exception as error:  # Whatever a module does while it is traced.
        raise ExportError(f"torch.export cannot trace the module: {error}") from error
    ports = graph_inputs(program)
    axes = time_axes(ports[0].shape, is_over_sequences(program)) if time is None else [time]
    return traced(lambda axis, names: TorchReader(program, ports, axis, names, states).read(), axes)


def _called(module, structure):
    """The module as a function of lists of arrays."""

    def call(arrays):
        arguments = trees.tree_unflatten([torch.from_numpy(array.copy()) for array in arrays], structure)
        with torch.no_grad():
            return [value.numpy() for value in trees.tree_leaves(module(*arguments))]

    return call
