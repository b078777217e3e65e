import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = REPOSITORY / "Sources" / "Runnel" / "Runnel.docc" / "Format.md"
sys.path.insert(0, str(REPOSITORY / "tools" / "python"))


@pytest.fixture(scope="session")
def tool():
    """The path of the command-line tool."""
    named = os.environ.get("RUNNEL")
    path = Path(named) if named else REPOSITORY / ".build" / "release" / "runnel"
    if not path.is_file():
        pytest.skip(f"there is no {path}: set RUNNEL to the runnel program, or run 'swift build -c release'")
    return path.resolve()


@pytest.fixture(scope="session")
def run_tool(tool):
    """Runs the tool to its end; the result has returncode, stdout and stderr as text."""

    def run(*arguments, stdin=None):
        command = [tool, *map(str, arguments)]
        return subprocess.run(command, input=stdin or "", capture_output=True, text=True, timeout=60)

    return run
