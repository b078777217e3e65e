"""Trains a recipe in PyTorch, on one process or many: python -m runnel.train, or torchrun -m runnel.train."""

import argparse
import os
import signal
import sys
from pathlib import Path

from .errors import Interrupted, RunnelError

DESCRIPTION = """\
Trains a network as a recipe.json says (models/README.md lists its keys), in PyTorch, and writes a .safetensors file
with the network and all that its export needs. 'runnel-export MODEL.safetensors MODEL.runnel' makes the model of it.
"""
EPILOGUE = """\
Many processes share each minibatch; the gradients are those of the whole minibatch, whatever their number:
  torchrun --nproc-per-node 8 -m runnel.train recipe.json --output model.safetensors
They use gloo on CPUs, and nccl on GPUs, one for each process. All machines need the recipe and its data.

Ctrl-C keeps a checkpoint, from which --resume goes on. A run that dies leaves the old file or the new one, never a part
of one.
"""


def main(arguments=None):
    """Runs the command. Gives its exit code."""
    options = _parser().parse_args(arguments)
    try:
        _job(options).run()
    except (RunnelError, OSError) as error:
        # What one process of a machine finds wrong, all of them do.
        if os.environ.get("LOCAL_RANK", "0") == "0":
            print(f"runnel.train: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, Interrupted) else 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT  # before the first minibatch there is nothing to keep
    return 0


def _job(options):
    """What the options ask for."""
    try:
        from .recipes.job import Job
    except ModuleNotFoundError as error:
        raise RunnelError(f"the package {error.name} is missing: pip install 'runnel[torch]'") from None
    return Job(options)


def _parser():
    parser = argparse.ArgumentParser(
        "runnel.train", description=DESCRIPTION, epilog=EPILOGUE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", metavar="RECIPE", type=Path, help="a recipe.json; its paths are relative to it")
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        required=True,
        help="the .safetensors file; it is replaced if it is there",
    )
    parser.add_argument("--epochs", metavar="N", type=_whole(1), help="another number of epochs than the recipe's")
    parser.add_argument("--seed", metavar="N", type=_whole(0), help="another seed than the recipe's")
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="cuda where there is one, otherwise cpu"
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=Path,
        help="where the run saves itself; beside the output, until it is done",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.add_argument("--quiet", action="store_true", help="no progress, only the result")
    return parser


def _whole(least):
    def read(text):
        if not text.isdecimal() or not least <= int(text) <= 1 << 53:
            raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number from {least}")
        return int(text)

    return read


if __name__ == "__main__":
    sys.exit(main())
