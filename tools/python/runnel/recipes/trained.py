"""Trained networks as files: .safetensors with all that an export needs, and nothing that runs code.

The tensors are the parameters by torch's names (`programs.0.layers.1.cell.weight_ih_l0`), the constants that normalise
the frames of a program (`normalisation.0.scale`, `normalisation.0.shift`), and sequences for the model to prove itself
by, the frames of each program (`golden.0.0`: the first sequence, the first program). The header's metadata has, under
`runnel.recipe`, JSON with the network, its sizes included, and the model's metadata, and under `runnel.history` the
training curve, an object for each epoch.
"""

import json
import re
from dataclasses import dataclass

import numpy as np

from .. import safetensors
from ..atomic_file import replace
from ..errors import ExportError
from ..model import INDEX, VECTOR, Input
from .fields import Field
from .located_json import parse
from .naming import INPUT
from .networks import read_layer, written_layer
from .normalisation import Normalisation
from .specification import LOSSES, Program, Specification

KEY, HISTORY = "runnel.recipe", "runnel.history"
_VERSION = 1
_LARGEST_SIZE = 1 << 20


@dataclass(frozen=True, eq=False)
class Trained:
    """A network with its parameters, by name.

    normalisations: of each program, or None. golden: for each sequence the frames of each program. metadata: that of
    the model.
    """

    specification: Specification
    normalisations: tuple[Normalisation | None, ...]
    parameters: dict[str, np.ndarray]
    golden: list[tuple[np.ndarray, ...]]
    metadata: dict[str, tuple[str, ...]]


def write_trained(trained, path, history=()):
    """Writes the file, with the records of the training curve.

    It then is the old one or the new one, but never a part. Raises OSError.
    """
    tensors = dict(trained.parameters)
    for place, normalisation in enumerate(trained.normalisations):
        if normalisation is not None:
            tensors[f"normalisation.{place}.scale"] = normalisation.scale
            tensors[f"normalisation.{place}.shift"] = normalisation.shift
    for run, parts in enumerate(trained.golden):
        tensors |= {f"golden.{run}.{place}": frames for place, frames in enumerate(parts)}
    programs = [
        {
            "name": program.name,
            "input": {"kind": program.input.kind, "size": program.input.size},
            "normalise": program.normalises,
            "layers": [written_layer(layer) for layer in program.layers],
        }
        for program in trained.specification.programs
    ]
    network = {"programs": programs, "loss": trained.specification.loss}
    text = json.dumps({"version": _VERSION, "network": network, "metadata": trained.metadata})
    header = {"format": "pt", KEY: text, HISTORY: json.dumps(history)}
    replace(path, safetensors.encode(tensors, header))


def parsed(tensors, text, file):
    """The network of a file's tensors and of its text under KEY. Raises RecipeError and ExportError."""
    root = Field(f"{file}, {KEY}", parse(text.encode(), f"{file}, {KEY}"))
    with root.members("version", "network", "metadata") as members:
        members.required("version").whole(_VERSION, _VERSION)
        specification = _specification(members.required("network"))
        metadata = members.required("metadata").texts_by_key()
    programs, parameters, golden, constants = specification.programs, {}, {}, {}
    for name, values in tensors.items():
        match = re.fullmatch(r"golden\.(\d+)\.(\d+)", name)
        if match:
            golden.setdefault(int(match[1]), {})[int(match[2])] = values
        elif name.startswith("normalisation."):
            constants[name] = values
        else:
            parameters[name] = values
    runs = [_run(file, parts, programs) for _, parts in sorted(golden.items())]
    if not runs:
        raise ExportError(f"{file} has no tensors golden.0.0 and so on; expected the frames that runnel.train keeps")
    return Trained(specification, _normalisations(file, programs, constants), parameters, runs, metadata)


def _specification(field):
    with field.members("programs", "loss") as members:
        programs = []
        for entry in members.required("programs").items():
            with entry.members("name", "input", "normalise", "layers") as parts:
                with parts.required("input").members("kind", "size") as port:
                    kind = port.required("kind").choice(VECTOR, INDEX)
                    size = port.required("size").whole(1, _LARGEST_SIZE)
                layers = tuple(map(read_layer, parts.required("layers").items()))
                normalises = parts.required("normalise").flag()
                name = parts.required("name").text()
                programs.append(Program(name, Input(INPUT, kind, size), normalises, layers))
        specification = Specification(tuple(programs), members.required("loss").choice(*LOSSES))
    fault = specification.fault()
    if fault:
        raise field.error(fault[2], fault[1])
    return specification


def _normalisations(file, programs, constants):
    found = []
    for place, program in enumerate(programs):
        names = [f"normalisation.{place}.{part}" for part in ("scale", "shift")] if program.normalises else []
        for name in names:
            values = constants.get(name)
            if values is None or values.shape != (program.input.size,) or values.dtype != np.float32:
                raise ExportError(f"{file}: {name} is not there as [{program.input.size}] of F32; expected it")
        found.append(Normalisation(*map(constants.pop, names)) if names else None)
    if constants:
        raise ExportError(f"{file} has {', '.join(sorted(constants))}; expected no such tensor")
    return tuple(found)


def _run(file, parts, programs):
    """The frames of each program in one sequence."""
    run = []
    for place, program in enumerate(programs):
        frames = parts.get(place)
        shape = (program.input.size,) if program.input.kind == VECTOR else ()
        if frames is None or not frames.size or frames.shape[1:] != shape or not np.isfinite(frames).all():
            raise ExportError(
                f"{file}: the golden frames of program {program.name} are not there as {['count', *shape]}"
            )
        is_index = frames.dtype.kind == "i" and (frames >= 0).all() and (frames < program.input.size).all()
        if program.input.kind == INDEX and not is_index:
            raise ExportError(
                f"{file}: golden frames of program {program.name} are no indices below {program.input.size}"
            )
        run.append(frames)
    return tuple(run)
