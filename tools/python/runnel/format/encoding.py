"""Writes .runnel files."""

import struct

import numpy as np

from ..atomic_file import replace
from ..errors import ModelError
from ..operations import RULES
from ..validation import MAX_FILE, validate
from . import layout
from .crc32c import crc32c


def write(model, path):
    """Writes the model to a file, which then is the old one or the new one, but never a part.

    Raises ModelError, before anything is written, if the model breaks a rule, and OSError.
    """
    replace(path, encode(model))


def encode(model):
    """The bytes of the model's one encoding."""
    validate(model)
    sections = [
        _list(model.states, _state) + _list(model.programs, _program),
        _list(model.tensors, _tensor),
        _weights(model.tensors),
        _list(sorted(model.metadata.items(), key=lambda entry: entry[0].encode()), _entry),
        struct.pack("<f", model.tolerance) + _list(model.golden, _run),
    ]
    body = b"".join(section + bytes(layout.padding(len(section))) for section in sections)
    length = layout.SECTIONS_START + len(body)
    if length > MAX_FILE:
        raise ModelError(f"the file would take {length} bytes; expected {MAX_FILE} at most")
    header = layout.SIGNATURE + struct.pack("<IIQQ", layout.VERSION, layout.SECTIONS, length, 0)
    header = header.ljust(layout.CRC_PLACE, b"\0")
    table = b"".join(
        struct.pack("<IIQ", kind, crc32c(section), len(section)) for kind, section in enumerate(sections, 1)
    )
    table = table.ljust(layout.SECTIONS_START - layout.HEADER_BYTES, b"\0")
    return header + struct.pack("<I", crc32c(header + table)) + table + body


def _list(elements, encoded):
    return struct.pack("<I", len(elements)) + b"".join(encoded(element) for element in elements)


def _string(value):
    data = value.encode()
    return struct.pack("<I", len(data)) + data


def _state(state):
    initial = layout.NOTHING if state.initial is None else state.initial
    return _string(state.name) + struct.pack("<II", state.size, initial)


def _program(program):
    return (
        _string(program.name)
        + _list(program.inputs, lambda port: _string(port.name) + _pair(layout.PORT_KINDS[port.kind], port.size))
        + _list(program.operations, _operation)
        + _list(program.outputs, lambda port: _string(port.name) + struct.pack("<I", port.slot))
    )


def _pair(first, second):
    return struct.pack("<II", first, second)


def _operation(operation):
    attributes = []
    if operation.accuracy == "fast":
        attributes.append((layout.ATTRIBUTE_ACCURACY, 1))
    if operation.input_bits != 16:
        attributes.append((layout.ATTRIBUTE_INPUT_BITS, operation.input_bits))
    for name, code in layout.ATTRIBUTE_NUMBERS.items():
        if getattr(operation, name) != 1:
            attributes.append((code, getattr(operation, name)))
    numbers = operation.operands + operation.tensors + operation.states
    counts = [len(operation.operands), len(operation.tensors), len(operation.states), len(attributes)]
    return (
        struct.pack("<H4Bxx", RULES[operation.name].code, *counts)
        + struct.pack(f"<{len(numbers)}I", *numbers)
        + b"".join(struct.pack("<HH", *attribute) for attribute in attributes)
    )


def _tensor(tensor):
    scaling = 0 if tensor.scales is None else 1
    return _string(tensor.name) + struct.pack(
        f"<4B{tensor.data.ndim}I", layout.TENSOR_TYPES[tensor.type], scaling, tensor.data.ndim, 0, *tensor.shape
    )


def _weights(tensors):
    data = bytearray()
    for tensor in tensors:
        for part in (tensor.scales, tensor.data):
            if part is not None:
                data += bytes(layout.padding(len(data)))
                data += np.ascontiguousarray(part, part.dtype.newbyteorder("<")).tobytes()
    return bytes(data)


def _entry(entry):
    key, values = entry
    return _string(key) + _list(values, _string)


def _run(run):
    header = struct.pack("<III", run.program, 1 if run.resets else 0, len(run.frames))
    return header + run.frames.astype("<f4").tobytes() + run.predictions.astype("<f4").tobytes()
