"""The command runnel-export: from a file of another tool to a .runnel file."""

import argparse
import csv
import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from .architecture import described
from .checking import TOLERANCE, checked, random_frames
from .errors import ExportError, RunnelError
from .format import write
from .reference import Session

DESCRIPTION = """\
Exports a trained model to a .runnel file.

SOURCE is one of
  MODEL.onnx           ONNX; needs the packages onnx and onnxruntime
  MODEL.keras          Keras 3; needs keras and a backend
  WEIGHTS.pt           a state_dict of PyTorch, with --architecture; needs torch
  WEIGHTS.safetensors  weights with PyTorch's names, with --architecture
  TRAINED.safetensors  what 'python -m runnel.train' wrote; needs torch
  MODEL.json           RTNeural, AIDA-X, GuitarML or Proteus
  MODEL.nam            Neural Amp Modeler, architecture LSTM
A PyTorch module with a forward of its own is exported in Python: runnel.torch.export(module, example, path).
Files of torch.export.save (.pt2) and of TorchScript are refused: to read the first can run any code, and the second
cannot be traced.
"""
EPILOGUE = """\
Silero VAD, on 512 samples at 16 kHz with the 64 before them. The rate chooses a branch of its graph, its state is that
of no cell, and the graph leaves the size of a frame open:
  runnel-export silero_vad.onnx vad.runnel --input sr=16000 --state state=stateN --shape input=1x576

The source and the export run on the same frames, and nothing is written if their predictions differ by more than the
tolerance; the file keeps some of these frames, with which the runtime proves itself on the machine that loads it. A
model with a stride over time answers some of the frames only, and one with layers in both directions runs over whole
sequences and not step by step; 'runnel info' says so. Where
no framework runs the source here (safetensors, .pt, .json, .nam), the kept predictions are those of the reference in
double precision.
"""


def main(arguments=None):
    """Runs the command. Gives its exit code."""
    options = _parser().parse_args(arguments)
    try:
        model, note = _exported(options)
        if options.name:
            model = replace(model, metadata={**model.metadata, "name": (options.name,)})
        write(model, options.output)
    except (RunnelError, OSError) as error:
        print(f"runnel-export: {error}", file=sys.stderr)
        return 1
    print(_summary(model, options.output, note))
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        "runnel-export", description=DESCRIPTION, epilog=EPILOGUE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", metavar="SOURCE", type=Path)
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="the .runnel file; it is replaced if it is there")
    parser.add_argument(
        "--architecture",
        metavar="FILE",
        type=Path,
        help="what network the weights are of: JSON, which 'pydoc runnel.architecture' describes",
    )
    parser.add_argument("--time", metavar="AXIS", type=int, help="of ONNX: the axis of time, where no layer says it")
    for option, form, text in (
        ("--state", "IN=OUT", "an input that is a state of no cell, and the output that follows it: state=stateN"),
        ("--input", "NAME=VALUE", "an input that is a constant, a number or a JSON list: sr=16000"),
        ("--shape", "NAME=SIZES", "the shape of an input whose sizes the graph leaves open: input=1x576"),
    ):
        text = f"of ONNX: {text}; may be repeated"
        parser.add_argument(option, metavar=form, action="append", default=[], help=text)
    parser.add_argument("--frames", metavar="FILE", type=Path, help="frames to compare with, a row each: CSV")
    parser.add_argument(
        "--tolerance", metavar="X", type=float, default=TOLERANCE, help="the largest difference; %(default)s"
    )
    parser.add_argument(
        "--no-check", dest="check", action="store_false", help="do not compare; the file keeps no frames"
    )
    parser.add_argument("--name", help="the name that the file gives the model")
    return parser


def _exported(options):
    """The model of the source, and a note on how it was checked."""
    if not options.source.is_file():
        raise ExportError(f"there is no file {options.source}")
    suffix = options.source.suffix.lower()
    if suffix not in _READERS:
        raise ExportError(f"{options.source} ends with {suffix or 'nothing'}; expected {', '.join(_EXPORTED)}")
    if options.architecture is not None and suffix not in (".safetensors", ".pt", ".pth"):
        raise ExportError(f"{options.source} says what its network is; expected no --architecture")
    if suffix != ".onnx" and (options.time is not None or options.state or options.input or options.shape):
        raise ExportError(f"{options.source} takes no --time, no --state, no --shape and no --input: they are of ONNX")
    frames = None if options.frames is None else _frames(options.frames)
    return _READERS[suffix](options, frames)


def _framework(module):
    """A source that its own framework runs, too."""

    def read(options, frames):
        exporter = _imported(module)
        named = {}
        if module == "onnx":
            named = {
                "time": options.time,
                "states": _named("--state", options.state, str, "IN=OUT"),
                "inputs": _named("--input", options.input, json.loads, "NAME=VALUE, with a number or a JSON list"),
                "shapes": _named("--shape", options.shape, _shape, "NAME=SIZES, such as x=1x576"),
            }
        named |= {"frames": frames, "check": options.check, "tolerance": options.tolerance}
        model = exporter.export(options.source, **named)
        return model, "compared with its source" if options.check else "not compared"

    return read


def _named(option, texts, value, form):
    """What an option that may be repeated says of each name; `value` makes it of the text behind the sign."""
    values = {}
    for text in texts:
        name, _, rest = text.partition("=")
        if not name or not rest:
            raise ExportError(f"{option} {text}; expected {form}")
        if name in values:
            raise ExportError(f"{option} {text}; {name} has been given before")
        try:
            values[name] = value(rest)
        except (ValueError, RecursionError):
            raise ExportError(f"{option} {text}; expected {form}") from None
    return values


def _shape(text):
    return tuple(int(size) for size in text.split("x"))


def _imported(name):
    try:
        return importlib.import_module(f"runnel.{name}")
    except ModuleNotFoundError as error:
        extra = name.partition(".")[0]
        raise ExportError(f"the package {error.name} is missing: pip install 'runnel[{extra}]'") from None


def _described(export):
    """A source that no framework runs here."""

    def read(options, frames):
        model = export(options)
        if not options.check:
            return model, "not compared"
        if frames is None:
            frames = random_frames(model.programs[0], 16)
        # The runtime will have to meet what the reference gives.
        return checked(model, Session(model).run, frames, options.tolerance), "frames of the reference"

    return read


def _weights(module):
    """Weights alone. A file of something else is refused for that, and not for want of an architecture."""

    def export(options):
        tensors = _imported(module).read(options.source)
        if options.architecture is None:
            raise ExportError(f"{options.source} says nothing of its network: give --architecture")
        return described(tensors, options.source, options.architecture)

    return export


def _safetensors(options, frames):
    """What runnel.train wrote, which says what it is; otherwise weights alone."""
    exporting = _imported("recipes.exporting")
    if not exporting.is_trained(_imported("safetensors").read_all(options.source)[1]):
        return _described(_weights("safetensors"))(options, frames)
    if options.architecture is not None or frames is not None:
        raise ExportError(
            f"{options.source} has its network and its frames with it; expected no --architecture, --frames"
        )
    if options.check:
        _imported("torch")
    model = exporting.export(options.source, options.check, options.tolerance)
    return model, "compared with its source" if options.check else "not compared"


def _json(options):
    """RTNeural and GuitarML, which the keys tell apart."""
    try:
        keys = set(json.loads(options.source.read_bytes()))
    except (ValueError, TypeError, RecursionError) as error:
        raise ExportError(f"{options.source} is not a JSON object: {error}") from None
    return _imported("guitarml" if "state_dict" in keys else "rtneural").export(options.source)


_READERS = {
    ".onnx": _framework("onnx"),
    ".keras": _framework("keras"),
    ".pt2": _framework("torch"),  # which refuses it, and says why
    ".pt": _described(_weights("torch.weights")),
    ".pth": _described(_weights("torch.weights")),
    ".safetensors": _safetensors,
    ".json": _described(_json),
    ".nam": _described(lambda options: _imported("nam").export(options.source)),
}
_EXPORTED = [suffix for suffix in _READERS if suffix != ".pt2"]


def _frames(path):
    """The rows of a CSV file of numbers; a first row of names is left out."""
    rows = []
    with path.open(newline="") as file:
        for line, row in enumerate(csv.reader(file), 1):
            try:
                rows.append([float(field) for field in row])
            except ValueError:
                if line > 1:
                    raise ExportError(f"{path}: line {line} holds what is no number") from None
    if not rows or len({len(row) for row in rows}) != 1 or not np.isfinite(rows).all():
        raise ExportError(f"{path}: expected rows of as many finite numbers each")
    return np.array(rows, np.float32)


def _summary(model, path, note):
    parts = []
    for program in model.programs:
        inputs = ", ".join(f"{port.name} [{port.size}]" for port in program.inputs)
        name = f"{program.name}: " if len(model.programs) > 1 else ""
        parts.append(" → ".join([f"{name}{inputs}", *(operation.name for operation in program.operations)]))
    elements = sum(tensor.data.size for tensor in model.tensors)
    return f"{path}: {'; '.join(parts)}; {elements:,} weights; {note}, tolerance {model.tolerance:.1e}"


if __name__ == "__main__":
    sys.exit(main())
