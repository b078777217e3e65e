"""Reads .runnel files, and refuses whatever is not exactly one."""

import struct
from pathlib import Path

import numpy as np

from .. import validation as rules
from ..errors import FormatError, ModelError
from ..model import STORAGE, GoldenRun, Input, Model, Operation, Output, Program, State, Tensor
from ..operations import NAMES
from . import layout
from .crc32c import crc32c

_KINDS = {number: kind for kind, number in layout.PORT_KINDS.items()}
_NUMBERS = {code: name for name, code in layout.ATTRIBUTE_NUMBERS.items()}
_TYPES = {number: name for name, number in layout.TENSOR_TYPES.items()}


def read(path):
    """The model in a file. Raises FormatError, which names the file, and OSError."""
    data = Path(path).read_bytes()
    try:
        return decode(data)
    except ModelError as error:
        raise FormatError(f"{path}: {error}") from None


def decode(data):
    """The model of a file's bytes. Raises FormatError or ModelError."""
    programs, tensors, weights, metadata, golden = _sections(bytes(data))

    part = _Part(programs, "programs")
    states = part.list(rules.MAX_STATES, "states", _state)
    found = part.list(rules.MAX_PROGRAMS, "programs", _program)
    part.finish()

    part = _Part(tensors, "tensors")
    heads = part.list(rules.MAX_TENSORS, "tensors", _tensor_head)
    part.finish()

    part = _Part(weights, "weights")
    filled = tuple(_tensor(part, *head) for head in heads)
    part.finish()

    part = _Part(metadata, "metadata")
    entries = part.list(rules.MAX_ENTRIES, "entries of metadata", _entry)
    part.finish()
    keys = [key.encode() for key, _ in entries]
    _require(all(a < b for a, b in zip(keys, keys[1:])), "keys of metadata are not in ascending order, each once")

    model = Model(states, found, filled, dict(entries))
    rules.validate(model)
    sizes = [rules.program_sizes(model, program) for program in found]

    part = _Part(golden, "golden frames")
    (tolerance,) = part.numbers("<f")
    runs = part.list(rules.MAX_RUNS, "golden runs", lambda part: _run(part, sizes))
    part.finish()
    model = Model(states, found, filled, dict(entries), tolerance, runs)
    rules.validate(model)
    return model


def _sections(data):
    """The five sections, after all checks of the file's frame, in the order that Format.md gives."""
    if data[:8] != layout.SIGNATURE[: len(data)]:
        raise FormatError("this is not a .runnel file: the first 8 bytes are others")
    _require(len(data) >= layout.HEADER_BYTES, f"the file is truncated: {len(data)} bytes, less than a header")
    version, count, length, features = struct.unpack_from("<IIQQ", data, 8)
    _require(version == layout.VERSION, f"the file is of version {version}; expected {layout.VERSION}")
    _require(features == 0, f"the file needs features that this reader does not have: {features:#x}")
    _require(count == layout.SECTIONS, f"the file has {count} sections; expected {layout.SECTIONS}")
    _require(length == len(data), f"the file says that it has {length} bytes, and has {len(data)}")
    _require(layout.SECTIONS_START <= length <= rules.MAX_FILE, f"a file cannot have {length} bytes")
    covered = data[: layout.CRC_PLACE] + data[layout.HEADER_BYTES : layout.SECTIONS_START]
    (checksum,) = struct.unpack_from("<I", data, layout.CRC_PLACE)
    _require(crc32c(covered) == checksum, "the header's checksum is wrong: the file is damaged")
    _require(not any(data[32 : layout.CRC_PLACE]), "reserved bytes of the header are not zero")
    table_end = layout.HEADER_BYTES + 16 * layout.SECTIONS
    entries = list(struct.iter_unpack("<IIQ", data[layout.HEADER_BYTES : table_end]))
    _require([entry[0] for entry in entries] == [1, 2, 3, 4, 5], "the sections are not the five of version 1")
    padded = sum(size + layout.padding(size) for _, _, size in entries)
    _require(layout.SECTIONS_START + padded == length, "the sections do not add up to the file")
    _require(not any(data[table_end : layout.SECTIONS_START]), "reserved bytes of the section table are not zero")
    sections, start = [], layout.SECTIONS_START
    for kind, checksum, size in entries:
        section = data[start : start + size]
        start += size + layout.padding(size)
        _require(not any(data[start - layout.padding(size) : start]), f"padding behind section {kind} is not zero")
        _require(crc32c(section) == checksum, f"the checksum of section {kind} is wrong: the file is damaged")
        sections.append(section)
    return sections


class _Part:
    """A section's bytes, and how far they have been read."""

    def __init__(self, data, name):
        self.data, self.name, self.place = data, name, 0

    def take(self, count):
        left = len(self.data) - self.place
        _require(count <= left, f"the {self.name} end early: {count} bytes are needed, and {left} are left")
        self.place += count
        return self.data[self.place - count : self.place]

    def numbers(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def string(self):
        (count,) = self.numbers("<I")
        _require(count <= rules.MAX_STRING, f"a string of {count} bytes in the {self.name}")
        try:
            return self.take(count).decode()
        except UnicodeDecodeError:
            raise FormatError(f"a string in the {self.name} is not UTF-8") from None

    def list(self, most, what, element):
        (count,) = self.numbers("<I")
        left = len(self.data) - self.place
        _require(count <= most, f"{count} {what}; expected {most} at most")
        _require(count <= left, f"{count} {what} cannot be in the {left} bytes that are left")
        return tuple(element(self) for _ in range(count))

    def array(self, dtype, shape):
        count = int(np.prod(shape, dtype=np.int64))
        return np.frombuffer(self.take(count * dtype.itemsize), dtype).reshape(shape)

    def align(self):
        _require(not any(self.take(layout.padding(self.place))), f"padding in the {self.name} is not zero")

    def finish(self):
        left = len(self.data) - self.place
        _require(left == 0, f"{left} bytes are left over behind the {self.name}")


def _state(part):
    name = part.string()
    size, initial = part.numbers("<II")
    return State(name, size, None if initial == layout.NOTHING else initial)


def _program(part):
    return Program(
        part.string(),
        part.list(rules.MAX_PORTS, "inputs", _input),
        part.list(rules.MAX_OPERATIONS, "operations", _operation),
        part.list(rules.MAX_PORTS, "outputs", lambda part: Output(part.string(), *part.numbers("<I"))),
    )


def _input(part):
    name = part.string()
    kind, size = part.numbers("<II")
    _require(kind in _KINDS, f"input {name!r} is of the unknown kind {kind}")
    return Input(name, _KINDS[kind], size)


def _operation(part):
    code, operands, tensors, states, attributes, reserved = part.numbers("<H4BH")
    _require(code in NAMES, f"there is no operation with the code {code}")
    _require(reserved == 0, "reserved bytes of an operation are not zero")
    numbers = [part.numbers(f"<{count}I") for count in (operands, tensors, states)]
    found = [part.numbers("<HH") for _ in range(attributes)]
    codes = [code for code, _ in found]
    _require(codes == sorted(set(codes)), "attributes are not in ascending order, each once")
    named = {}
    for attribute in found:
        if attribute == (layout.ATTRIBUTE_ACCURACY, 1):
            named["accuracy"] = "fast"
        elif attribute == (layout.ATTRIBUTE_INPUT_BITS, 8):
            named["input_bits"] = 8
        elif attribute[0] in _NUMBERS and attribute[1] > 1:
            named[_NUMBERS[attribute[0]]] = attribute[1]
        else:
            raise FormatError(f"there is no attribute {attribute[0]} with the value {attribute[1]}")
    return Operation(NAMES[code], *numbers, **named)


def _tensor_head(part):
    name = part.string()
    kind, scaling, rank, reserved = part.numbers("<4B")
    _require(kind in _TYPES, f"tensor {name!r} is of the unknown type {kind}")
    _require(scaling == (1 if _TYPES[kind] == "int8" else 0), f"tensor {name!r} has the scaling {scaling}")
    _require(1 <= rank <= rules.MAX_RANK, f"tensor {name!r} has {rank} dimensions")
    _require(reserved == 0, f"a reserved byte of tensor {name!r} is not zero")
    shape = part.numbers(f"<{rank}I")
    _require(all(1 <= size <= rules.MAX_DIMENSION for size in shape), f"tensor {name!r} has the shape {list(shape)}")
    return name, _TYPES[kind], shape


def _tensor(part, name, kind, shape):
    scales = None
    if kind == "int8":
        part.align()
        scales = part.array(STORAGE["f32"], shape[:1])
    part.align()
    return Tensor(name, kind, part.array(STORAGE[kind], shape), scales)


def _entry(part):
    key = part.string()
    return key, part.list(rules.MAX_VALUES, "values of metadata", lambda part: part.string())


def _run(part, sizes):
    program, flags, count = part.numbers("<III")
    _require(program < len(sizes), f"a golden run names program {program}")
    _require(flags in (0, 1), f"a golden run has the flags {flags}")
    frames = part.array(STORAGE["f32"], (count, sizes[program][0]))
    return GoldenRun(program, flags == 1, frames, part.array(STORAGE["f32"], (count, sizes[program][1])))


def _require(condition, text):
    if not condition:
        raise FormatError(text)
