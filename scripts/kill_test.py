"""Kill long steps at random moments and run them again: python scripts/kill_test.py [STEP ...] [--times N] [--seed S]

Each step (fuse, evaluate, train, fetch, reproduce) runs once undisturbed, then `--times` times anew: killed by SIGKILL with all its
processes at a random moment, and run again to its end. What must hold: the results are those of the undisturbed run; of the files that were
finished when it was killed at most a tenth is made again; nothing half-written is left. Ends with 1 where one of them does not hold.
"""

import argparse
import atexit
import hashlib
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ivfnb import files, images, paths

MAIN = "import sys\nfrom ivfnb import commands\nsys.exit(commands.main({arguments!r}))"
EVALUATE = """
from pathlib import Path
from ivfnb import evaluation
from ivfnb.datasets import dataset
from ivfnb.fusion import Protocol
pairs = dataset("folder", infrared=Path("infrared"), visible=Path("visible"))
methods = [evaluation.by_protocol("ours", Protocol(stride=16)), evaluation.by_baseline("Mean"), evaluation.by_baseline("CBF")]
evaluation.evaluate(pairs, methods, ["EN", "SCD", "Qabf"]).drop(columns="seconds").to_csv("scores.csv", index=False)
"""
TRAIN = """
from pathlib import Path
import torch
from ivfnb.classifier import patches, training
files = sorted(Path("visible").glob("*.png"))
config = training.TrainConfig(batch_size=16, epochs=2, precision="float32", threads=1, checkpoint_seconds=0, seed=3)
history = training.train(config, patches.samples_of(files, 160, 0), folder="training")
torch.save(history.net.state_dict(), "final.pt.part")
Path("final.pt.part").rename("final.pt")
"""
FETCH = """
import sys
from pathlib import Path
from ivfnb.datasets.fetch import fetch
fetch("some", Path("data"), manifest=Path("manifest.yaml"))
"""
NOTEBOOK = """
import ivfnb.files as files, time
from pathlib import Path
results = Path("{results}") / profile
for i in range(n):
    time.sleep(0.1)
    files.write_text(results / "tables" / f"{stem}_{{i}}.csv", f"{{i}}, {{n}}")
"""


@dataclass(frozen=True)
class Step:
    """A step in a folder of its own.

    Parameters
    ----------
    code : str
        What runs, in that folder.
    prepare : function
        Lays out what it reads.
    results : tuple of str
        Patterns of the files that must be those of an undisturbed run.
    finished : tuple of str
        Patterns of the files that, once there, must not be made again.
    """

    code: str
    prepare: Callable[[Path], None]
    results: tuple[str, ...]
    finished: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


def pairs(folder: Path, count: int = 12, size: int = 96) -> None:
    """Pairs of small images."""
    noise = np.random.default_rng(0)
    for number in range(count):
        for role in ("infrared", "visible"):
            images.write_image(folder / role / f"{number:03d}.png", noise.integers(0, 256, (size, size), dtype=np.uint8))


def notebooks(folder: Path) -> None:
    """Three notebooks that write a table a moment."""
    import nbformat

    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    for stem in ("01_first", "02_second", "03_third"):
        work = NOTEBOOK.format(results=folder / "results", stem=stem)
        cells = [nbformat.v4.new_code_cell(source) for source in ('profile = "demo"\nn = 8  # tables', work)]
        cells[0].metadata["tags"] = ["parameters"]
        (folder / "notebooks" / "profiles").mkdir(parents=True, exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / "notebooks" / f"{stem}.ipynb")
    (folder / "notebooks" / "profiles" / "demo.yaml").write_text("{}\n")


class Slow(http.server.SimpleHTTPRequestHandler):
    """Serves one folder, a piece at a time."""

    folder = Path()

    def do_GET(self) -> None:
        content = (self.folder / Path(self.path).name).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            for start in range(0, len(content), 20_000):
                self.wfile.write(content[start : start + 20_000])
                time.sleep(0.02)
        except ConnectionError:
            return

    def log_message(self, *_: object) -> None:
        """Nothing."""


def served(folder: Path) -> None:
    """A set of ten pinned files, on a server of this process."""
    source = folder / "server"
    source.mkdir()
    rng, pins = np.random.default_rng(1), []
    if not Slow.folder.is_dir() or Slow.folder == Path():
        Slow.folder = Path(tempfile.mkdtemp(prefix="ivfnb-kill-server-"))
        atexit.register(shutil.rmtree, Slow.folder, ignore_errors=True)
        for number in range(10):
            (Slow.folder / f"{number:02d}.png").write_bytes(rng.bytes(100_000))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
        Slow.port = server.server_port  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    for file in sorted(Slow.folder.iterdir()):
        digest, url = hashlib.sha256(file.read_bytes()).hexdigest(), f"http://127.0.0.1:{Slow.port}/{file.name}"  # type: ignore[attr-defined]
        pins.append({"path": f"some/{file.name}", "bytes": 100_000, "sha256": digest, "url": url})
    (folder / "manifest.yaml").write_text(json.dumps(manifest(pins)))


def manifest(pins: list[dict]) -> dict:
    """A manifest of one set of weights."""
    about = {"title": "Some", "licence": "CC0", "citation": "Nobody, 2026", "homepage": "https://example.org", "kind": "weights"}
    listed = [{"file": Path(p["path"]).name, "url": p["url"], "bytes": p["bytes"], "digest": f"sha256:{p['sha256']}"} for p in pins]
    return {"sets": {"some": {**about, "folders": {"weights": "some"}, "files": listed}}}


FUSE = ["fuse", "--infrared", "infrared", "--visible", "visible", "--output", "fused", "--method", "CBF"]
STEPS = {
    "fuse": Step(MAIN.format(arguments=FUSE), pairs, ("fused/*.png",), ("fused/*.png",)),
    "evaluate": Step(EVALUATE, pairs, ("scores.csv",), ("cache/scores/**/*.json", "cache/fused/**/*.png", "cache/windows/**/*.npz")),
    "train": Step(TRAIN, pairs, ("final.pt", "training/*.csv")),
    "fetch": Step(FETCH, served, ("data/some/*",), ("data/some/*",)),
    "reproduce": Step(
        "from pathlib import Path\nfrom ivfnb import paths\npaths.root = Path.cwd\n" + MAIN.format(arguments=["reproduce"]),
        notebooks,
        ("results/demo/tables/*.csv",),
        ("results/demo/notebooks/*.html",),
    ),
}


def marks(folder: Path, patterns: tuple[str, ...]) -> dict[str, tuple[int, int, str]]:
    """Inode, time and hash of visible files, by their path below a folder."""
    found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file() and not path.name.startswith(".")}
    return {str(p.relative_to(folder)): (p.stat().st_ino, p.stat().st_mtime_ns, files.digest(p)) for p in sorted(found)}


def there(folder: Path, step: Step) -> bool:
    """Whether any file is finished."""
    return any(not path.name.startswith(".") for pattern in (*step.finished, *step.results) for path in folder.glob(pattern))


def started(step: Step, folder: Path) -> subprocess.Popen:
    """The step at work in a folder."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(paths.PACKAGE.parent)}
    environment |= {"IVFNB_CACHE": str(folder / "cache"), "IVFNB_RESULTS": str(folder / "results"), "TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir(exist_ok=True)
    quiet = (folder / "said.txt").open("ab")
    return subprocess.Popen(
        [sys.executable, "-c", step.code], cwd=folder, env=environment, stdout=quiet, stderr=quiet, start_new_session=True
    )


def whole(step: Step, folder: Path) -> tuple[float, float]:
    """Run a step to its end; the seconds until the first file was finished, and from there on. RuntimeError where it fails."""
    begun, process, first = time.monotonic(), started(step, folder), 0.0
    while process.poll() is None:
        first = first or (time.monotonic() - begun if there(folder, step) else 0.0)
        time.sleep(0.01)
    if process.returncode:
        raise RuntimeError(f"{folder}: found exit code {process.returncode}: {(folder / 'said.txt').read_text()[-500:]}")
    return first, time.monotonic() - begun - first


def killed(step: Step, folder: Path, after: float) -> bool:
    """Kill a step so many seconds after its first finished file, below 0 after its start; whether it was at work."""
    process, begun = started(step, folder), time.monotonic()
    while after >= 0 and process.poll() is None and not there(folder, step):
        begun = time.monotonic()
        time.sleep(0.01)
    try:
        process.wait(max(0.0, abs(after) - (time.monotonic() - begun)))
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(1.5)  # a kernel follows its parent within a second
        return True


def faults(step: Step, folder: Path, expected: dict[str, str], before: dict[str, tuple[int, int, str]]) -> list[str]:
    """What does not hold after a step was killed and run again."""
    after, results = marks(folder, step.finished), {name: mark[2] for name, mark in marks(folder, step.results).items()}
    told = [f"{name}: other than undisturbed" for name in sorted(expected) if results.get(name) != expected[name]]
    told += [f"{name}: not there undisturbed" for name in sorted(set(results) - set(expected))]
    again = [name for name, mark in before.items() if after.get(name) != mark]
    if len(again) > max(1, len(before) // 10):
        told.append(f"{len(again)} of {len(before)} finished files made again, such as {again[0]}")
    hidden = [path for path in folder.rglob(".*") if path.is_file() and path.name != ".lock" and ".locks" not in path.parts]
    return told + [f"{path.relative_to(folder)}: left behind" for path in hidden if time.time() - path.stat().st_mtime > 60]


def tested(name: str, times: int, seed: int) -> list[str]:
    """Faults of a step that is killed so many times, each time in a fresh folder."""
    step, rng, told, at_work, kept = STEPS[name], random.Random(f"{seed} {name}"), list[str](), 0, list[int]()
    with tempfile.TemporaryDirectory(prefix="ivfnb-kill-") as top:
        calm = Path(top, "calm")
        calm.mkdir()
        step.prepare(calm)
        first, rest = whole(step, calm)
        expected = {path: mark[2] for path, mark in marks(calm, step.results).items()}
        if not expected:
            raise RuntimeError(f"{name}: found no results of an undisturbed run, expected {', '.join(step.results)}")
        for number in range(times):
            folder = Path(top, str(number))
            folder.mkdir()
            step.prepare(folder)
            moment = rng.uniform(0, 0.95) * rest if number % 3 else -rng.uniform(0.2, 1) * first  # a third before there is anything
            at_work += killed(step, folder, moment)
            before = marks(folder, step.finished)
            kept.append(len(before))
            whole(step, folder)
            told += [f"{name}, kill {number}: {fault}" for fault in faults(step, folder, expected, before)]
            shutil.rmtree(folder)
    print(f"{name}: {times} runs, {at_work} killed at work, finished files at that moment {kept}, {len(told)} faults", flush=True)
    return told


def main() -> int:
    """Test the steps that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", nargs="*", help=f"some of {', '.join(STEPS)} (default: all)")
    parser.add_argument("--times", type=int, default=10, help="kills of each step (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if unknown := set(given.step) - set(STEPS):
        parser.error(f"found {unknown.pop()}, expected some of {', '.join(STEPS)}")
    told = [fault for name in given.step or STEPS for fault in tested(name, given.times, given.seed)]
    print(*told, sep="\n")
    return int(bool(told))


if __name__ == "__main__":
    sys.exit(main())
