"""Files that hold programs of PyTorch, which are not read."""

import zipfile

from ..errors import ExportError

_INSTEAD = (
    "expected a module, or weights alone (runnel.torch.export_weights, runnel.safetensors.export), or an ONNX file "
    "(runnel.onnx.export)"
)


def refusal(path):
    """Why a file is not read, and what is instead."""
    return program_refusal(path) or ExportError(f"{path} is a path; {_INSTEAD}")


def program_refusal(path):
    """Why a file of torch.export.save or of TorchScript is not read, whatever its name; None for other files."""
    try:
        with zipfile.ZipFile(path) as archive:
            paths = archive.namelist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return None
    names = {path.rpartition("/")[2] for path in paths}
    if names & {"model.json", "serialized_exported_program.json"}:
        return ExportError(
            f"{path} is a file of torch.export.save: torch.export.load unpickles parts of it without weights_only, and "
            f"evaluates texts of it as Python, so that it can run any code; {_INSTEAD}, or, if you trust the file, "
            "export(torch.export.load(path))"
        )
    if "constants.pkl" in names or any("/code/" in path for path in paths):
        return ExportError(
            f"{path} is a file of TorchScript: it holds a program of its own, which torch.export cannot trace; "
            f"{_INSTEAD}"
        )
    return None
