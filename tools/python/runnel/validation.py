"""The rules that every model keeps, before it is written and after it has been read."""

import numpy as np

from .errors import ModelError
from .model import INDEX, STORAGE, VECTOR
from .operations import RULES, result_size

# The largest of everything, as in Format.md.
MAX_FILE = 1 << 31
MAX_STRING = 65_535
MAX_PROGRAMS = 16
MAX_PORTS = 64
MAX_OPERATIONS = 4_096
MAX_OPERANDS = 64
MAX_STATES = 1_024
MAX_TENSORS = 4_096
MAX_RANK = 2
MAX_DIMENSION = 65_536
MAX_ELEMENTS = 1 << 28
MAX_WORKING = 1 << 22
MAX_ENTRIES = 1_024
MAX_VALUES = 65_536
MAX_RUNS = 1_024


@np.errstate(over="ignore", invalid="ignore")  # what becomes infinite in 32 bits is refused
def validate(model):
    """Raises ModelError for the first rule that the model breaks."""
    _limit(len(model.tensors), 0, MAX_TENSORS, "tensors")
    for tensor in model.tensors:
        _tensor(tensor)
    _limit(len(model.states), 0, MAX_STATES, "states")
    _limit(sum(state.size for state in model.states), 0, MAX_WORKING, "elements of all states")
    for state in model.states:
        _state(state, model.tensors)
    _limit(len(model.programs), 1, MAX_PROGRAMS, "programs")
    names = [program.name for program in model.programs]
    _require(len(set(names)) == len(names), f"two programs have the same name: {names}")
    sizes = [program_sizes(model, program) for program in model.programs]
    _metadata(model.metadata)
    _golden(model, sizes)


def program_sizes(model, program):
    """The sizes of a program's frame and prediction, after checking all of it."""
    where = f"program {program.name!r}"
    _string(program.name, where)
    _limit(len(program.inputs), 1, MAX_PORTS, f"inputs of {where}")
    _limit(len(program.operations), 0, MAX_OPERATIONS, f"operations of {where}")
    _limit(len(program.outputs), 1, MAX_PORTS, f"outputs of {where}")
    slots = []
    for port in program.inputs:
        _string(port.name, f"the name of an input of {where}")
        _require(port.kind in (VECTOR, INDEX), f"input {port.name!r} of {where} is of the kind {port.kind!r}")
        _limit(port.size, 1, MAX_DIMENSION, f"elements of input {port.name!r} of {where}")
        slots.append((port.kind, port.size))
    frame_size = program.frame_size
    _limit(frame_size, 1, MAX_DIMENSION, f"elements of the frame of {where}")
    working, changed = frame_size, set()
    for place, operation in enumerate(program.operations):
        here = f"{where}, operation {place}"
        _limit(len(operation.operands), 0, MAX_OPERANDS, f"operands of {here}")
        _require(operation.name in RULES, f"{here}: there is no operation {operation.name!r}")
        try:
            size = result_size(operation, slots, model.tensors, model.states)
        except ModelError as error:
            raise ModelError(f"{where}, operation {place}: {error}") from None
        for state in operation.written_states:
            _require(state not in changed, f"{here} changes state {state}, which is changed already")
            changed.add(state)
        _limit(size, 1, MAX_DIMENSION, f"elements of the result of {here}")
        working += size
        slots.append((VECTOR, size))
    _limit(working, 1, MAX_WORKING, f"elements of all slots of {where}")
    if program.takes_whole_sequences:
        _whole_sequences(program, where)
    prediction_size = 0
    for port in program.outputs:
        _string(port.name, f"the name of an output of {where}")
        _require(0 <= port.slot < len(slots), f"output {port.name!r} of {where} names slot {port.slot}")
        _require(slots[port.slot][0] == VECTOR, f"output {port.name!r} of {where} is an index")
        prediction_size += slots[port.slot][1]
    _limit(prediction_size, 1, MAX_DIMENSION, f"elements of the prediction of {where}")
    return frame_size, prediction_size


def _whole_sequences(program, where):
    """The rules of a program with a `reverse`, which divides its operations into stages."""
    stage, recalled, changed = 0, {}, {}
    for place, operation in enumerate(program.operations):
        stage += operation.name == "reverse"
        here = f"{where}, operation {place}"
        _require(operation.name != "every", f"{here}: no step of a program with reverse can end early, at every")
        for state in operation.states:
            (recalled if operation.name == "recall" else changed).setdefault(state, set()).add(stage)
    for state in recalled.keys() & changed.keys():
        is_apart = recalled[state] != changed[state]
        _require(not is_apart, f"{where}: a reverse stands between recall and what changes state {state}")


def _tensor(tensor):
    where = f"tensor {tensor.name!r}"
    _string(tensor.name, "the name of a tensor")
    _require(tensor.type in STORAGE, f"{where} is of the type {tensor.type!r}; expected one of {', '.join(STORAGE)}")
    _require(tensor.data.dtype == STORAGE[tensor.type], f"{where} holds {tensor.data.dtype}, not {tensor.type}")
    _limit(tensor.data.ndim, 1, MAX_RANK, f"dimensions of {where}")
    for size in tensor.shape:
        _limit(size, 1, MAX_DIMENSION, f"elements along a dimension of {where}")
    _limit(tensor.data.size, 1, MAX_ELEMENTS, f"elements of {where}")
    _require((tensor.scales is not None) == (tensor.type == "int8"), f"{where}: scales go with int8, and only with it")
    if tensor.scales is not None:
        _require(tensor.scales.dtype == STORAGE["f32"], f"{where} has scales of {tensor.scales.dtype}, not float32")
        _require(tensor.scales.shape == tensor.shape[:1], f"{where} has not one scale for each row")
        largest = tensor.scales * np.float32(128)
        _require(
            bool(np.isfinite(largest).all() and (tensor.scales >= 0).all()),
            f"{where} has a negative or too large scale",
        )
    else:
        bad = np.flatnonzero(~np.isfinite(tensor.doubles()).ravel())
        _require(not len(bad), f"{where} is not finite at element {bad[0] if len(bad) else 0}")


def _state(state, tensors):
    where = f"state {state.name!r}"
    _string(state.name, "the name of a state")
    _limit(state.size, 1, MAX_DIMENSION, f"elements of {where}")
    if state.initial is None:
        return
    _require(0 <= state.initial < len(tensors), f"{where} starts from tensor {state.initial}, which is not there")
    tensor = tensors[state.initial]
    _require(
        tensor.type == "f32" and tensor.shape == (state.size,),
        f"{where} starts from {tensor.name!r}, which is not [{state.size}] of f32",
    )


def _metadata(metadata):
    _limit(len(metadata), 0, MAX_ENTRIES, "entries of metadata")
    for key, values in metadata.items():
        _string(key, "a key of metadata")
        _require(
            bool(key) and all("!" <= character <= "~" for character in key),
            f"the key {key!r} of metadata is not one or more characters from ! to ~",
        )
        _require(not isinstance(values, str), f"metadata {key!r} is not a list of texts")
        _limit(len(values), 0, MAX_VALUES, f"values of metadata {key!r}")
        for value in values:
            _string(value, f"a value of metadata {key!r}")


def _golden(model, sizes):
    _limit(len(model.golden), 0, MAX_RUNS, "golden runs")
    tolerance = np.float32(model.tolerance)
    _require(
        bool(np.isfinite(tolerance)) and (tolerance > 0 or not model.golden and tolerance == 0),
        f"the tolerance {model.tolerance} of golden frames is not a positive number",
    )
    for place, run in enumerate(model.golden):
        where = f"golden run {place}"
        _require(0 <= run.program < len(model.programs), f"{where} names program {run.program}")
        for what, values, size in zip(("frames", "predictions"), (run.frames, run.predictions), sizes[run.program]):
            _require(
                values.ndim == 2 and len(values) >= 1 and values.shape == (len(run.frames), size),
                f"{where} has {what} of the shape {list(values.shape)}; expected [count, {size}], count at least 1",
            )
            _require(bool(np.isfinite(values.astype(np.float32)).all()), f"{where} has {what} that are not finite")
        _indices(model.programs[run.program], run.frames, where)


def _indices(program, frames, where):
    start = 0
    for port in program.inputs:
        if port.kind == INDEX:
            values = frames[:, start]
            _require(
                bool(((values == np.floor(values)) & (values >= 0) & (values < port.size)).all()),
                f"{where} has an index of {port.name!r} that is not a whole number from 0 to {port.size - 1}",
            )
        start += port.width


def _string(value, where):
    try:
        length = len(value.encode())
    except UnicodeEncodeError:
        raise ModelError(f"{where} is not Unicode: {value!r}") from None
    _limit(length, 0, MAX_STRING, f"bytes of {where}")


def _limit(value, least, most, what):
    if not least <= value <= most:
        raise ModelError(f"{value} {what}; expected {least} to {most}")


def _require(condition, text):
    if not condition:
        raise ModelError(text)
