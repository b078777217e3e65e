"""Loads .keras files, after everything that they would make has been found to be known."""

import json
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

import keras

from ..errors import ExportError
from ..json_source import parse_json
from . import layers

MAX_CONFIG_BYTES = 1 << 26
MAX_WEIGHTS_BYTES = 1 << 33
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_HDF5 = b"\x89HDF\r\n\x1a\n"

_FUNCTION = "it holds a function of its own, which is neither run nor exported"
_DATA = {"__keras_tensor__", "__tensor__", "__numpy__", "__slice__", "__ellipsis__"}
# The modules of what is a part of a layer.
_OF_PARTS = ("keras", "keras.initializers", "keras.regularizers", "keras.constraints")


def _classes(module):
    return {name for name in dir(module) if isinstance(getattr(module, name), type)}


# The classes that a configuration may name, by their module.
_KNOWN = {
    None: _DATA,
    "keras": {"Sequential", "DTypePolicy"},
    "keras.src.models.functional": {"Functional"},
    "keras.layers": layers.NAMES,
    "keras.initializers": _classes(keras.initializers),
    "keras.regularizers": _classes(keras.regularizers),
    "keras.constraints": _classes(keras.constraints),
    **{module: set(operations) for module, operations in layers.OPERATIONS.items()},
}


def load(path):
    """The model of a .keras file. Nothing that the file carries is run. Raises ExportError."""
    path = Path(path)
    with path.open("rb") as file:
        if path.suffix.lower() in (".h5", ".hdf5") or file.read(len(_HDF5)) == _HDF5:
            raise ExportError(
                f"{path.name} is a legacy HDF5 file, which can carry code; load it with Keras where it is trusted, and "
                "save it as .keras"
            )
        try:
            with zipfile.ZipFile(file) as archive:
                return _loaded(archive, path.name)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise ExportError(f"{path.name} is not a .keras file: {error}") from None


def _loaded(archive, file):
    _require_member(archive, file, _WEIGHTS, MAX_WEIGHTS_BYTES)
    config = _config(archive, file)
    # Keras sees what has been checked, and nothing else of the file.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        with zipfile.ZipFile(path, "w") as checked:
            checked.writestr(_CONFIG, json.dumps(config))
            with archive.open(_WEIGHTS) as source, checked.open(_WEIGHTS, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target)
        try:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Whatever Keras finds wrong with a file.
            text = str(error).partition("\n")[0]
            raise ExportError(f"{file}: Keras {keras.__version__} cannot load it: {text}") from error


def _config(archive, file):
    """The configuration, without what is for training."""
    _require_member(archive, file, _CONFIG, MAX_CONFIG_BYTES)
    root = parse_json(archive.read(_CONFIG), f"{file}: {_CONFIG}")
    try:
        config = _without_training(root.value)
        _require_known(config, _CONFIG)
    except ExportError as error:
        raise ExportError(f"{file}: {error}") from None
    except RecursionError:
        raise ExportError(f"{file}: {_CONFIG} is nested too deeply") from None
    return config


def _require_member(archive, file, name, most):
    if name not in archive.namelist():
        raise ExportError(f"{file} has no {name}; expected a file that Keras 3 has saved")
    member = archive.getinfo(name)
    if member.file_size > most:
        raise ExportError(f"{file}: {name} has {member.file_size} bytes; expected at most {most}")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ExportError(f"{file}: {name} is compressed by method {member.compress_type}; expected none, or deflate")


def _without_training(value):
    if isinstance(value, list):
        return [_without_training(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_training(item) for key, item in value.items() if key != "compile_config"}
    return value


def _require_known(value, place):
    """Refuses classes that are not known, and functions; place: the layer that the value is part of."""
    if isinstance(value, list):
        for item in value:
            _require_known(item, place)
    elif isinstance(value, dict):
        if "class_name" in value:
            place = _known(value, place)
        for key, item in value.items():
            if key.endswith("activation") and isinstance(item, dict) and "class_name" not in item:
                raise ExportError(f"{place}: {_FUNCTION}")
            _require_known(item, place)


def _known(value, place):
    """The place of what belongs to an object of a known class: that of its layer."""
    kind, module, registered = value["class_name"], value.get("module"), value.get("registered_name")
    if kind in ("__lambda__", "function"):
        raise ExportError(f"{place}: {_FUNCTION}")
    if not isinstance(kind, str) or not isinstance(module, str | None):
        raise ExportError(f"{place}: a class and a module that are no strings")
    config = value.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    is_layer = name is not None and kind not in _DATA and module not in _OF_PARTS
    where = f"layer {name!r} ({kind})" if is_layer else f"{place}: {kind}"
    if kind not in _KNOWN.get(module, ()):
        raise ExportError(f"{where}: {layers.reason(kind, module or '')}")
    if registered not in (None, kind):
        raise ExportError(f"{where}: {layers.reason(kind, registered)}, registered as {registered!r}")
    return where if is_layer else place
