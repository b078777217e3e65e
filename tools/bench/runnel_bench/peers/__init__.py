"""One module a peer. Each has

- `TITLE`, its name in the tables, `DISTRIBUTION`, its name on PyPI, and `WEIGHT_TYPES`, those that it has at all;
- `ways(case, weights, weight_type)`: [(name, function that makes a runner)], the ways of calling it that are worth a
  try, of which the fastest counts.

A runner is one stream, or several, whose state it keeps from call to call:

- `call(frames)`: frames [frames, streams, input] in, the hidden states [frames, streams, hidden] out;
- `repeat(count)`: `count` calls with frames that it has bound before, as fast as its peer can be called.

Ways raise `Unavailable` where this machine or this version cannot do something; a table then has a gap, and the
reason stands beside it.
"""

import importlib

#: Peers by their names on the command line.
MODULES = {
    "onnxruntime": "onnx_runtime",
    "openvino": "open_vino",
    "torch": "pytorch",
    "tract": "tract_runtime",
    "litert": "lite_rt",
}

#: Frames that `repeat` goes through; even, so that states that take turns in two buffers end where they began.
RING = 16


class Unavailable(Exception):
    """What a peer cannot do here, in words."""


def load(name):
    """The module of a peer; raises Unavailable where its package cannot be imported."""
    try:
        return importlib.import_module(f"{__name__}.{MODULES[name]}")
    except (ImportError, OSError) as error:
        raise Unavailable(f"{name} cannot be imported: {error}") from error
