"""From a module to a .runnel file."""

import os
import warnings
from collections import Counter, defaultdict
from functools import reduce
from operator import or_

import numpy as np
import torch
from torch.utils import _pytree as trees

from ..checking import TOLERANCE, checked, checked_count, golden_count, random_frames
from ..errors import ExportError
from ..format import write
from ..graphs import Source, time_axes, traced
from .files import refusal
from .graph import TorchReader, convolved_length, graph_inputs, is_over_sequences
from .operations import MOVES


def export(
    module,
    example_input=None,
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
      frame to frame. The example needs two frames or more, so that the axis of time shows, and more where convolutions
      take many; `time` says which axis it is where the module has no recurrent layer. Without it, a module with
      convolutions needs `states={}`, which says that all of its input is one frame.
    - Convolutions and pooling over time see the frames up to the last one only, which may be padded on the left, or on
      both sides where what comes of the end is cut off again. One that looks ahead is refused. With a stride, padding
      at the end does not matter where the example has so many frames that no window reaches into it.
    - With a stride, or where the first frames have no result, the model does not answer every frame: the prediction of
      a frame is the result that the frame completes, and the other frames have none. Results of `forward` all have to
      be known at the same frames.
    - With layers that run backward (bidirectional=True), the model runs over whole sequences only, and a step is
      refused. The result of the last frame alone is the last row of a prediction; the rows before it say nothing.
    - A `forward` over one frame takes states besides, and gives them back, as cells do: they become states of the
      session, which start from zeros. States of no cell have to be named in `states`: the names of their parameters,
      with the number of the result that follows each.

    A `forward` that loops over the frames of a sequence, with cells or with steps of its own, is refused: torch.export
    unrolls the loop. What is exported then is the module of one step. `states={}` says that the sequence is one frame.

    The module may be a torch.export.ExportedProgram, too, which has its example input with it. One of sequences is
    compared on as many frames as it takes. Files of torch.export.save and of TorchScript are refused.

    Results are the parts of the prediction, but for states. Where `forward` gives only the last frame's result, a step
    gives what that result would be if its frame were the last.

    - frames: [count, frame size] on which the module and the export are compared; random ones otherwise.
    - check: whether they are compared. Without, the file has no golden frames.

    Raises ExportError, naming the operation, its place in the module, and why it cannot be exported, and CheckError if
    the export does not give the module's numbers. Nothing is written then.
    """
    if isinstance(module, (str, os.PathLike)):
        raise refusal(os.fspath(module))
    if isinstance(module, torch.export.ExportedProgram):
        if example_input is not None:
            raise ExportError("an exported program has an example input with it; expected none besides")
        model = _exported(module, module.module(), time, states, frames, check, tolerance, metadata, is_fixed=True)
    else:
        model = _of_module(module, example_input, time, states, frames, check, tolerance, metadata)
    if path is not None:
        write(model, path)
    return model


def _of_module(module, example_input, time, states, *options):
    inputs = example_input if isinstance(example_input, tuple) else (example_input,)
    if not all(isinstance(leaf, torch.Tensor) for leaf in trees.tree_leaves(inputs)):
        raise ExportError("the example input is no tensor, and no tuple of tensors")
    # A tensor that is given twice would be one input.
    inputs = trees.tree_map(torch.clone, inputs)
    training = module.training
    module.eval()
    try:
        return _exported(_traced(module, inputs), module, time, states, *options)
    finally:
        module.train(training)


def _traced(module, inputs):
    try:
        with torch.no_grad(), warnings.catch_warnings():
            # What recurrent layers keep of their weights is assigned anew, to the same.
            warnings.filterwarnings("ignore", message="The tensor attributes .*_flat_weights")
            return torch.export.export(module, inputs)
    except Exception as error:  # Whatever a module does while it is traced.
        raise ExportError(f"torch.export cannot trace the module: {error}") from error


def _exported(source, module, time, states, frames, check, tolerance, metadata, is_fixed=False):
    """The model of an exported program, whose forward is that of the module; a fixed one takes one number of frames."""
    ports = graph_inputs(source)
    if any(isinstance(size, torch.SymInt) for port in ports for size in port.shape):
        raise ExportError("the program has sizes that may be any; expected one without dynamic shapes")
    if states is None:
        _refuse_loop(source)
        if time is None:
            _refuse_convolution(source, ports)
    axes = time_axes(ports[0].shape, is_over_sequences(source)) if time is None else [time]
    program = traced(lambda axis, names: TorchReader(source, ports, axis, names, states).read(), axes)
    model = program.model({"provenance": [f"torch {torch.__version__}"], **(metadata or {})})
    if not check:
        return model
    length = program.inputs[0].shape[program.time] if is_fixed and program.time is not None else None
    if frames is None:
        frames = random_frames(model.programs[0], length or checked_count(program.clock, program.reach))
    frames = np.asarray(frames, np.float32)
    if length is not None:
        program.refuse_fixed(length, "the module itself")
        if len(frames) != length:
            raise ExportError(f"{len(frames)} frames; expected {length}, as many as the program takes")
    called = _called(module, source.call_spec.in_spec)
    is_whole = length is not None and program.builder.takes_whole_sequences
    golden = length if is_whole else golden_count(program.clock)
    return checked(model, Source(program, called), frames, tolerance, golden)


def _refuse_convolution(source, ports):
    """Refuses a module without states whose convolutions may be those over time."""
    length = None if is_over_sequences(source) else convolved_length(source)
    if length is not None and len(ports) == 1:
        shape = ports[0].shape
        # Padding may have made it another length.
        axis = shape.index(length if length in shape else max(shape))
        raise ExportError(
            f"no recurrent layer says which axis of the input {list(shape)} is time, and there are convolutions; "
            f"expected time={axis} if they go along that axis and its elements are frames, or states={{}} if all are "
            "one frame"
        )


def _called(module, structure):
    """The module as a function of lists of arrays. The structure is that of its arguments and of the named ones."""

    def call(arrays):
        leaves = [torch.from_numpy(array.copy()) for array in arrays]
        arguments, named = trees.tree_unflatten(leaves, structure)
        with torch.no_grad():
            return [value.numpy() for value in trees.tree_leaves(module(*arguments, **named))]

    return call


# Loops over frames


def _refuse_loop(program):
    """Refuses a forward that takes the rows of its first input one by one, each with what the ones before it gave."""
    nodes = list(program.graph.nodes)
    users = set(program.graph_signature.user_inputs)
    first = next((node for node in nodes if node.op == "placeholder" and node.name in users), None)
    counts = set() if first is None else _rows_taken(first)
    chain = _longest_chain(nodes, users) if counts else 0
    loops = [count for count in counts if count <= chain]
    if loops:
        raise ExportError(
            f"forward loops over {max(loops)} rows of its input, and torch.export unrolls the loop; a step sees one "
            "frame. Expected the module of one step, which takes a frame with the states and gives its result with the "
            "states that follow: export(step, (frame, state), states={'state': 1}), where states names those of no "
            "cell; states={} says that all rows are one frame"
        )


def _rows_taken(node):
    """How many rows are taken one by one, of a tensor or of a move of it, where all are that an axis has."""
    shape, counts, taken = node.meta["val"].shape, set(), defaultdict(set)
    for user in node.users:
        name, rest = str(user.target), user.args[1:]
        if name not in MOVES:
            continue
        axis = rest[0] % max(1, len(shape)) if rest and isinstance(rest[0], int) else 0
        if name == "aten.unbind.int":
            counts.add(shape[axis])
            continue
        if name == "aten.select.int" or name == "aten.slice.Tensor" and user.meta["val"].shape[axis] == 1 < shape[axis]:
            taken[axis].add(rest[1] % shape[axis])
        if isinstance(user.meta["val"], torch.Tensor):
            counts |= _rows_taken(user)
    counts.update(len(rows) for axis, rows in taken.items() if len(rows) == shape[axis])
    return {count for count in counts if count > 1}


def _longest_chain(nodes, inputs):
    """How often one parameter is used by what comes of its earlier uses."""
    sources = {}  # the parameters that a constant comes of
    depths = {}  # how often each parameter has been used, on the longest way to a node that is no constant
    for node in nodes:
        before = node.all_input_nodes
        used = set().union(*(sources[other] for other in before if other in sources))
        if node.op == "placeholder" and node.name not in inputs:
            sources[node] = {node}
        elif node.op != "placeholder" and all(other in sources for other in before):
            sources[node] = used
        else:
            depths[node] = reduce(or_, (depths[other] for other in before if other in depths), Counter())
            depths[node] = depths[node] + Counter(used)
    return max((count for depth in depths.values() for count in depth.values()), default=0)
