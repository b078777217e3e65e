"""From an ONNX model to a .runnel file."""

import numpy as np

from ..checking import TOLERANCE, checked, checked_count, golden_count, random_frames
from ..errors import ExportError, ModelError
from ..format import encode, write
from ..graphs import Source, traced
from .graph import Axis, Graph
from .loading import load, opset
from .running import runner, typed, with_any_length


def export(
    model,
    path=None,
    *,
    time=None,
    states=None,
    inputs=None,
    shapes=None,
    frames=None,
    check=True,
    tolerance=TOLERANCE,
    metadata=None,
):
    """Exports an ONNX model, writes it to `path` if one is given, and gives the exported model.

    model: an onnx.ModelProto, or the path of an .onnx file. Sizes of inputs that may be any are 1, as that of a batch
    has to be, but for time.

    - A graph with recurrent layers over sequences becomes a step over their frames. Its layers start from what the
      graph gives them, zeros as a rule, when a stream is reset, and carry their states on from frame to frame. The
      layers say which axis of the input is time; `time` says it where there are none, or where a sequence has one
      frame.
    - Convolutions and pooling over time see the frames up to the last one only, which may be padded on the left, or on
      both sides where what comes of the end is cut off again. One that looks ahead is refused. With a stride, padding
      at the end does not matter where no window of a sequence of some length reaches into it.
    - With a stride, or where the first frames have no result, the model does not answer every frame: the prediction of
      a frame is the result that the frame completes, and the other frames have none. Outputs all have to be known at
      the same frames.
    - With layers of the direction `reverse` or `bidirectional`, the model runs over whole sequences only, and a step is
      refused. The result of the last frame alone is the last row of a prediction; the rows before it say nothing.
    - A state that is an input and an output of the graph becomes a state of the session, which starts from zeros. It
      has to be that of an RNN, LSTM or GRU node, or to be named in `states`: names of inputs, with that of the output
      which follows each. Other inputs are parts of the frame.

    - `inputs` gives inputs a value for good, by name, such as {"sr": 16000}: they are constants then, as one has to be
      that chooses a branch or a shape. `shapes` gives inputs a shape, such as {"input": (1, 576)}, where the graph
      leaves it open.

    Outputs are the parts of the prediction, but for states. Where the graph gives only the last frame's result, a step
    gives what that result would be if its frame were the last.

    - frames: [count, frame size] on which the model and the export are compared; random ones otherwise.
    - check: whether they are compared. Without, the file has no golden frames.

    External data is read from the folder of the model's file only. Raises ExportError, naming the node and why it
    cannot be exported, and CheckError if the export does not give the model's numbers. Nothing is written then.
    """
    source = load(model)
    graph = Graph(source, states, inputs, shapes)
    program = _traced(graph, graph.axes(time))
    exported = _model(program, {"provenance": [_provenance(source)], **(metadata or {})})
    length = _fixed_length(graph, program)
    if check:
        if frames is None:
            frames = random_frames(exported.programs[0], length or checked_count(program.clock, program.reach))
        frames = np.asarray(frames, np.float32)
        if length is not None:
            frames = _whole_sequence(program, frames, length)
        golden = length if length and program.builder.takes_whole_sequences else golden_count(program.clock)
        call = _called(source, graph, program, length)
        exported = checked(exported, Source(program, call), frames, tolerance, golden)
    if path is not None:
        write(exported, path)
    return exported


def _traced(graph, axes):
    """The program of a step; what is refused of a single frame may be so for a size that the graph leaves open."""
    try:
        return traced(graph.read, axes)
    except ExportError as error:
        port = next((port for port in graph.ports if port.sizes.count(None) > 1), None)
        if axes != [None] or port is None:
            raise
        raise ExportError(
            f"{error}; the graph leaves sizes of the input {port.name} open, {list(port.sizes)}, and they were taken "
            f"for 1: shapes={{{port.name!r}: …}} gives others"
        ) from error


def _model(program, metadata):
    try:
        return program.model(metadata)
    except ModelError as error:
        raise ExportError(f"the export is no valid model: {error}") from error


def _provenance(source):
    producer = " ".join(part for part in (source.producer_name, source.producer_version) if part)
    return f"ONNX, opset {opset(source)}" + (f", {producer}" if producer else "")


def _fixed_length(graph, program):
    """The number of frames without which the graph is another program; None if it takes any."""
    if program.time is None:
        return None
    first = program.inputs[0]
    number = next(number for number, port in enumerate(graph.ports) if port.name == first.name)
    length = first.shape[program.time]
    states = {program.inputs[place].name for place in program.state_inputs}
    try:
        other = graph.read(Axis(number, program.time, length + graph.stride), states)
        if encode(other.model({})) == encode(program.model({})):
            return None
        refusal = "it is another program for another number"
    except ExportError as error:
        refusal = str(error)
    if graph.ports[number].sizes[program.time] != length:
        raise ExportError(f"what the graph computes depends on the number of frames: {refusal}")
    return length


def _whole_sequence(program, frames, length):
    """The frames of one sequence of the graph, which has to give a result for each of them."""
    program.refuse_fixed(length, "an axis of time of any size")
    if len(frames) < length:
        raise ExportError(f"{len(frames)} frames; expected {length}, as many as the graph takes")
    return frames[:length]


def _called(source, graph, program, length):
    """The model as a function of lists of arrays, which are its inputs in the program's order."""
    names = [port.name for port in program.inputs]
    if program.time is not None and length is None:
        source = with_any_length(source, names[0], program.time)
    run = runner(source)
    types = {port.name: port.element_type for port in graph.ports}
    return lambda arrays: run(graph.fixed | {name: typed(array, types[name]) for name, array in zip(names, arrays)})
