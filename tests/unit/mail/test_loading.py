from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))


def test_no_function_loads_the_template_engine_before_it_has_something_to_render() -> None:
    paths = ["functions/" + name for name in FUNCTIONS]
    code = (
        "import importlib.util, sys\n"
        f"for folder in {paths!r}:\n"
        "    spec = importlib.util.spec_from_file_location(folder[10:], folder + '/app.py')\n"
        "    spec.loader.exec_module(importlib.util.module_from_spec(spec))\n"
        "print('jinja2' in sys.modules)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert len(FUNCTIONS) > 40
    assert done.stdout.strip() == "False"
