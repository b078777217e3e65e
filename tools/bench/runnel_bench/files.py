"""Writing files whole or not at all."""

import os
import tempfile
from pathlib import Path


def write_whole(path, data):
    """Writes bytes or text by way of a temporary file in the same folder: the old file or the new one, never half."""
    path = Path(path)
    data = data.encode() if isinstance(data, str) else data
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
