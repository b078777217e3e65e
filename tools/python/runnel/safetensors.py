"""Models whose weights are in a .safetensors file, with PyTorch's names and layouts."""

import json
import math
import os
from pathlib import Path

import numpy as np

from .architecture import described
from .errors import ExportError
from .json_source import parse_json

MAX_HEADER = 100_000_000
_MAX_RANK = 16
_MAX_ELEMENTS = 1 << 40

# BF16 becomes float32; the 8-bit floats are refused.
_DTYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "F16": "<f2",
    "BF16": "<u2",
    "U32": "<u4",
    "I32": "<i4",
    "F32": "<f4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
}
_NAMES = {dtype.lstrip("<"): name for name, dtype in _DTYPES.items() if name != "BF16"}


def read(path):
    """The tensors of a .safetensors file by name. Raises ExportError for a file that is not whole and valid."""
    return read_all(path)[0]


def read_all(path):
    """The tensors of a .safetensors file by name, and its metadata, texts by key. Raises as `read` does."""
    path = Path(path)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(MAX_HEADER, size - 8):
            raise ExportError(
                f"{path.name} has {size} bytes and a header of {length}; expected 8, a header of 2 to {MAX_HEADER}, "
                "and no less than both"
            )
        header = file.read(length)
        data = file.read()
    if not header.startswith(b"{"):
        raise ExportError(f"{path.name}: the header starts with {header[:1]}; expected {{")
    entries = parse_json(header, f"{path.name}, header").members()
    metadata = entries.pop("__metadata__").members() if "__metadata__" in entries else {}
    return _tensors(entries, data, path.name), {key: value.text() for key, value in metadata.items()}


def encode(tensors, metadata):
    """The bytes of a .safetensors file: arrays by name, of the types that `read` knows, and texts by key."""
    header, parts, end = {"__metadata__": metadata}, [], 0
    for name, values in tensors.items():
        parts.append(np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes())
        span = [end, end + len(parts[-1])]
        header[name] = {
            "dtype": _NAMES[values.dtype.str.lstrip("<|")],
            "shape": list(values.shape),
            "data_offsets": span,
        }
        end = span[1]
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def export(weights_path, architecture_path):
    """The model that an architecture makes of the weights: a JSON file, as `architecture` describes it."""
    return described(read(weights_path), weights_path, architecture_path)


def _tensors(entries, data, file):
    """The tensors of a header's entries, whose data stand one behind the other and fill the rest of the file."""
    spans = [(*_span(entry, len(data)), name) for name, entry in entries.items()]
    tensors, end = {}, 0
    for start, stop, name in sorted(spans):
        if start != end:
            raise ExportError(f"{file}: the data of {name!r} start at {start}; expected {end}, without overlap or gap")
        tensors[name], end = _values(entries[name].members(), data[start:stop]), stop
    if end != len(data):
        raise ExportError(f"{file} has {len(data)} bytes of data; expected {end}, which its tensors take")
    return tensors


def _span(entry, available):
    """Where the data of an entry start and stop."""
    fields = entry.fields(["dtype", "shape", "data_offsets"])
    dtype = np.dtype(_DTYPES[fields["dtype"].choice(*_DTYPES)])
    sizes = [size.whole(0, _MAX_ELEMENTS) for size in fields["shape"].items()]
    if len(sizes) > _MAX_RANK or math.prod(max(size, 1) for size in sizes) > _MAX_ELEMENTS:
        raise fields["shape"].error(f"is {sizes}; expected up to {_MAX_RANK} dimensions and {_MAX_ELEMENTS} elements")
    length = math.prod(sizes) * dtype.itemsize
    offsets = [offset.whole(0, available) for offset in fields["data_offsets"].items()]
    if len(offsets) != 2 or offsets[1] - offsets[0] != length:
        raise fields["data_offsets"].error(f"is {offsets}; expected two, with {length} bytes between them")
    return offsets


def _values(fields, data):
    values = np.frombuffer(data, _DTYPES[fields["dtype"].value]).reshape(fields["shape"].value)
    if fields["dtype"].value == "BF16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values
