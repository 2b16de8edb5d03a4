"""How long each function takes to start, beside a bare one that only creates a DynamoDB client.

Each measurement is a process of its own that imports a function's `app` and creates the client,
which is what a cold start and its first request do; the interpreter's own start is left out. The
targets take turns, so that a slow moment of the machine hits all of them alike, and the median of
the repetitions counts. Times depend on the machine: read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BARE = "(bare)"
RUNTIME = "(runtime)"  # what Lambda's own runtime holds, and holds compiled

_MEASURED = """
import json, sys, time
name = sys.argv[1]
start = time.perf_counter()
if name in ("(bare)", "(runtime)"):
    import botocore.session
    if name == "(runtime)":
        import boto3
    imported = time.perf_counter()
    botocore.session.get_session().create_client("dynamodb")
else:
    import app
    imported = time.perf_counter()
    from grapevine import runtime
    runtime.dynamodb()
ready = time.perf_counter()
print(json.dumps([(imported - start) * 1000, (ready - start) * 1000]))
"""


def measure(name: str, environment: dict[str, str]) -> tuple[float, float]:
    """Milliseconds until `app` is imported, and until the client is there too."""
    finished = subprocess.run(
        [sys.executable, "-c", _MEASURED, name],
        env=environment | {"PYTHONPATH": str(ROOT / "functions" / name)},
        check=True,
        capture_output=True,
        text=True,
    )
    imported, ready = json.loads(finished.stdout)
    return imported, ready


def measure_all(
    names: list[str], repetitions: int, *, compiled: bool
) -> dict[str, tuple[float, float]]:
    """The medians by name. Without `compiled` every process compiles the layers' code anew."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "POWERTOOLS_SERVICE_NAME": "grapevine",
            "TABLE_NAME": "bench",
            "PYTHONPYCACHEPREFIX": cache,
        }
        for name in names if compiled else [BARE, RUNTIME]:
            measure(name, environment)
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        for _ in range(repetitions):
            for name in names:
                taken[name].append(measure(name, environment))
    return {
        name: (
            statistics.median(imported for imported, _ in times),
            statistics.median(ready for _, ready in times),
        )
        for name, times in taken.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("functions", nargs="*", help="folders in functions/; all by default")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument(
        "--uncompiled", action="store_true", help="as if the layers had no .pyc files"
    )
    arguments = parser.parse_args()
    every = sorted(folder.parent.name for folder in (ROOT / "functions").glob("*/app.py"))
    names = [BARE, *(arguments.functions or every)]

    medians = measure_all(names, arguments.repetitions, compiled=not arguments.uncompiled)

    bare = medians[BARE][1]
    print(f"Python {sys.version.split()[0]}, median of {arguments.repetitions}\n")
    print("| function | import ms | with client ms | ratio to bare |")
    print("|---|---:|---:|---:|")
    for name, (imported, ready) in medians.items():
        print(f"| {name} | {imported:.0f} | {ready:.0f} | {ready / bare:.2f} |")


if __name__ == "__main__":
    main()
