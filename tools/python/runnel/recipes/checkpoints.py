"""Checkpoints: what a run has come to, in a file of torch.save that is read without running code."""

import hashlib
import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path

import torch

from ..atomic_file import replace
from ..errors import TrainingError

_FORMAT = "runnel checkpoint 1"


def fingerprint(specification, settings, sequences):
    """What tells runs apart: the network, the settings and the data."""
    digest = hashlib.blake2b(json.dumps([asdict(specification), asdict(settings)]).encode(), digest_size=16)
    for sequence in sequences:
        for values in (*sequence.inputs, sequence.targets):
            digest.update(f"{values.dtype}{values.shape}".encode())
            digest.update(values.tobytes())
    return digest.hexdigest()


class Checkpoint:
    """The file of one run, whose fingerprint it carries."""

    def __init__(self, path, mark):
        self.path, self._mark = Path(path), mark

    @property
    def is_there(self):
        return self.path.exists()

    def refuse_others(self):
        """Raises TrainingError if something else than a checkpoint is in the place."""
        if not self.is_there:
            return
        try:
            with zipfile.ZipFile(self.path) as archive:
                is_one = any(name.endswith("/data.pkl") for name in archive.namelist())
        except (OSError, zipfile.BadZipFile):
            is_one = False
        if not is_one:
            raise TrainingError(
                f"{self.path}: is not a checkpoint, and is left as it is; remove it or name another file with "
                "--checkpoint"
            )

    def remove(self):
        self.refuse_others()
        self.path.unlink(missing_ok=True)

    def write(self, run):
        """Replaces the file. Raises OSError."""
        buffer = io.BytesIO()
        torch.save({"format": _FORMAT, "mark": self._mark, "state": run.state()}, buffer)
        replace(self.path, buffer.getvalue())

    def read(self, processes):
        """The state that the first process finds in the file, in all processes. Raises TrainingError and OSError."""
        data = processes.shared(self.path.read_bytes() if processes.is_first and self.is_there else b"")
        if not data:
            raise TrainingError(f"{self.path}: found no checkpoint, expected one to go on from; train without --resume")
        try:
            found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
            mark, state = found["mark"], found["state"] if found["format"] == _FORMAT else None
        except Exception:  # Whatever a damaged file does to torch's reader.
            mark = state = None
        if state is None:
            raise TrainingError(
                f"{self.path}: found a damaged checkpoint, expected a whole one; train again without --resume"
            )
        if mark != self._mark:
            raise TrainingError(
                f"{self.path}: found a checkpoint of another recipe, data or seed, expected one of this recipe as it "
                "is now; train again without --resume"
            )
        return state
