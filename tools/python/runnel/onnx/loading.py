"""Loads and checks ONNX models; reads nothing outside of a model's own folder."""

from pathlib import Path, PurePosixPath, PureWindowsPath

import onnx
import onnx.inliner
from google.protobuf.message import DecodeError, EncodeError

from ..errors import ExportError
from ..validation import MAX_FILE

MIN_OPSET = 7
MAX_NODES = 1 << 16
_DOMAINS = ("", "ai.onnx")


def load(model_or_path):
    """A copy of the model with all of its weights inside, or the model of a file. Raises ExportError and OSError."""
    if isinstance(model_or_path, onnx.ModelProto):
        model, folder = onnx.ModelProto(), None
        model.CopyFrom(model_or_path)
    else:
        path = Path(model_or_path)
        model, folder = _parsed(path), path.parent
    _inlined_weights(model, folder)
    try:
        onnx.checker.check_model(model, full_check=True)
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"not a valid ONNX model: {error}") from error
    except (EncodeError, ValueError) as error:
        raise ExportError(f"onnx cannot check the model: {error}") from error
    if opset(model) < MIN_OPSET:
        raise ExportError(f"opset {opset(model)}; expected {MIN_OPSET} or later")
    if len(model.graph.node) > MAX_NODES:
        raise ExportError(f"{len(model.graph.node)} nodes; expected at most {MAX_NODES}")
    return model


def opset(model):
    """The version of ONNX's own operators that the model uses."""
    return max((entry.version for entry in model.opset_import if entry.domain in _DOMAINS), default=0)


def is_standard(node):
    """Whether a node's operator is one of ONNX's own."""
    return node.domain in _DOMAINS


def _parsed(path):
    if path.stat().st_size > MAX_FILE:
        raise ExportError(f"{path} has {path.stat().st_size} bytes; expected at most {MAX_FILE}")
    try:
        return onnx.load_model_from_string(path.read_bytes())
    except DecodeError as error:
        raise ExportError(f"{path} is not an ONNX file: {error}") from error


def _inlined_weights(model, folder):
    """Moves the numbers that stand in other files into the model."""
    total = 0
    for tensor in _tensors(model.graph, [function.node for function in model.functions]):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        if folder is None:
            raise ExportError(f"tensor {tensor.name!r} stands in another file; expected the path of the model's file")
        data = _external(tensor, folder, MAX_FILE - total)
        total += len(data)
        tensor.raw_data = data
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]


def _external(tensor, folder, limit):
    """The bytes of a tensor that stand in another file of the folder."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    where = f"tensor {tensor.name!r} in the file {location!r}"
    kinds = (PurePosixPath(location), PureWindowsPath(location))
    if not location or any(kind.anchor or ".." in kind.parts for kind in kinds):
        raise ExportError(f"{where}: expected a relative path within the model's folder")
    path = folder / location
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ExportError(f"{where}: a link leads out of the model's folder")
    if not path.is_file():
        raise ExportError(f"{where}: there is no such file")
    size = path.stat().st_size
    try:
        offset = int(entries.get("offset", 0))
        length = int(entries.get("length", size - offset))
    except ValueError as error:
        raise ExportError(f"{where}: {error}") from error
    if offset < 0 or length < 0 or offset + length > size:
        raise ExportError(f"{where}: bytes {offset} to {offset + length} of {size}")
    if length > limit:
        raise ExportError(f"{where}: {length} bytes are more than the {limit} that are left of a model's limit")
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


def _tensors(graph, bodies=()):
    """All tensors of the graph, of bodies of nodes, and of the graphs within them."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in (node for body in (graph.node, *bodies) for node in body):
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)
