"""The page on exporting: its Python code does what it says."""

import re
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed: the page's code is not run")

PAGE = Path(__file__).parents[3] / "Sources" / "Runnel" / "Runnel.docc" / "Exporting.md"


def test_the_code_of_the_page_writes_a_file_that_the_tool_verifies(tmp_path, monkeypatch, run_tool):
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, PAGE.name, "exec"), {})
    (path,) = tmp_path.glob("*.runnel")
    assert run_tool("verify", path).returncode == 0
