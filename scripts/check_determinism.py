"""Run the demo several times, one of them with another number of threads, and compare the tables: python scripts/check_determinism.py

Each run has a cache and a folder of results of its own. Runs with the same number of threads must agree in every digit, but for seconds;
with another number every value must agree within the tolerances of tests/golden/tolerances.csv, which are what the tables state. Takes two
minutes of two cores a run. Ends with 1 where something differs.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import compare_tables
import refresh_golden

from ivfnb import paths


def run(folder: Path, threads: int, only: str | None) -> Path:
    """Results of a demo run of its own."""
    environment = {
        **os.environ,
        "IVFNB_RESULTS": str(folder),
        "IVFNB_CACHE": str(folder / "cache"),
        "PYTHONPATH": str(paths.PACKAGE.parent),
    }
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    command = [sys.executable, "-m", "ivfnb", "reproduce", "--profile", "demo", *(("--only", only) if only else ())]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, cwd=paths.PACKAGE.parent)
    return folder / "demo"


def beyond(first: Path, second: Path) -> list[str]:
    """Cells that differ by more than their tolerance."""
    one, other, allowed = refresh_golden.cells(first), refresh_golden.cells(second), refresh_golden.tolerances()
    told = [f"{', '.join(key)}: only in one" for key in sorted(set(one) ^ set(other))]
    both = [key for key in one if key in other and not refresh_golden.alike(key, one[key], other[key], allowed)]
    return told + [f"{', '.join(key)}: {one[key]} and {other[key]}" for key in both]


def main() -> int:
    """Run, compare, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs=2, default=(1, 2), metavar="N", help="of the first two runs, and of the third")
    parser.add_argument("--only", help="notebooks to run, as in `ivfnb reproduce`")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ivfnb-determinism-") as top:
        first, second, third = (run(Path(top, str(n)), given.threads[n // 2], given.only) for n in range(3))
        same, others = compare_tables.differences(first, second), beyond(first, third)
        cells = len(refresh_golden.cells(first))
    print(*same[:20], *others[:20], sep="\n")
    print(f"{len(same)} cells differ between two runs of {given.threads[0]} threads, in any digit")
    print(f"{len(others)} of {cells} cells differ between {given.threads[0]} and {given.threads[1]} threads by more than is stated")
    return int(bool(same or others))


if __name__ == "__main__":
    sys.exit(main())
