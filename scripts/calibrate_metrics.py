"""Regenerate data/paper/metric_calibration.csv: every metric against every oracle at hand, with the largest difference found.

    IVFNB_DATA=... python scripts/calibrate_metrics.py

Oracles: the released evaluator's own values (golden/ beside IVFNB_DATA), the values the benchmark VIFB publishes (vifb21/), the means of
the paper's authors' images (archives/), and the slow readable loops of tests/metric_loops.py. Takes about two minutes on two cores.
"""

import csv
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from ivfnb import paths
from ivfnb.datasets import archives
from ivfnb.images import read_color, read_gray
from ivfnb.metrics import METRICS, score

sys.path.insert(0, str(paths.root() / "tests" / "metrics"))
sys.path.insert(0, str(paths.root() / "tests"))
from metric_loops import LOOPS
from test_golden import COLUMNS, TOLERANCES
from test_loops import triple
from test_published import AUTHORS, TOLERANCE

TARGET = paths.root() / "data" / "paper" / "metric_calibration.csv"
FIELDS = ("metric", "convention", "oracle", "values", "largest_relative_difference", "tolerance")
EVALUATOR, VIFB = "released evaluator in GNU Octave", "VIFB, published values"
VIFB_MEANS, AUTHORS_MEANS, LOOP = "VIFB, published means of a method", "authors' images, means by the released evaluator", "slow loop"
NEARLY_ZERO = 1e-6  # references below this are compared absolutely


def row(metric: str, convention: str, oracle: str, pairs: list[tuple[float, float]], tolerance: float) -> dict:
    """Row of the table from pairs of (found, reference)."""
    differences = [abs(found - reference) / (abs(reference) if abs(reference) > NEARLY_ZERO else 1) for found, reference in pairs]
    return dict(zip(FIELDS, (metric, convention, oracle, len(pairs), float(f"{max(differences):.2g}"), tolerance), strict=True))


def evaluator_rows(golden: Path) -> list[dict]:
    """The eleven metrics of eight triples, in both conventions."""
    with open(golden / "metrics" / "expected.csv", newline="") as file:
        expected = list(csv.DictReader(file))
    pairs: dict[tuple[str, str], list] = {}
    for reference in expected:
        images = [read_gray(golden / "metrics" / f"{reference['id']}_{kind}.png") for kind in ("fused", "ir", "vis")]
        found = {convention: score(*images, convention=convention) for convention in ("standard", "as_released")}
        for column in (column for column in reference if column != "id"):
            for convention in found:
                only, name = COLUMNS.get(column, (convention, column))
                if only == convention:
                    pairs.setdefault((name, convention), []).append((found[convention][name], float(reference[column])))
    return [row(name, convention, EVALUATOR, values, TOLERANCES.get(name, 1e-9)) for (name, convention), values in pairs.items()]


def vifb_rows(root: Path) -> list[dict]:
    """VIFB's thirteen metrics: every value, and every method's mean."""
    with open(root / "published_metrics.csv", newline="") as file:
        published = list(csv.DictReader(file))

    def scored(reference: dict) -> dict[str, float]:
        folders = (f"fused/{reference['method']}", "infrared", "visible")
        return score(*(read_color(root / folder / f"{reference['image']}.jpg") for folder in folders), convention="vifb")

    found = Parallel(n_jobs=2)(delayed(scored)(reference) for reference in published)
    methods = sorted({reference["method"] for reference in published})
    rows = []
    for name in found[0]:
        pairs = [(values[name], float(reference[name])) for values, reference in zip(found, published, strict=True)]
        means = [np.mean([p for p, r in zip(pairs, published, strict=True) if r["method"] == method], axis=0) for method in methods]
        rows += [row(name, "vifb", VIFB, pairs, 1e-3), row(name, "vifb", VIFB_MEANS, means, 1e-2)]
    return rows


def authors_rows(root: Path) -> list[dict]:
    """Means over the authors' 21 fused images, with the JPEG sources of their archive."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("21-TNO.rar", "21_pairs_tno.rar"):
            archives.unpack(root / name, Path(folder) / name, 100_000_000)
        files = {file.stem: file for file in Path(folder).rglob("*.jpg")}
        triples = [[read_gray(files[f"{kind}{i}"]) for kind in ("enh_ssr", "IR", "VIS")] for i in range(1, 22)]
    scores = [score(*images, convention="as_released") for images in triples]
    rows = []
    for name, text in AUTHORS.items():
        pair = np.mean([values[name] for values in scores]), float(text)
        rows.append(row(name, "as_released", AUTHORS_MEANS, [pair], float(f"{TOLERANCE[name]:.2g}")))
    return rows


def loop_rows() -> list[dict]:
    """Every metric that has a loop, on small images of several kinds."""
    rows = []
    for name, loop in LOOPS.items():
        metric = METRICS[name]
        side = max(metric.smallest, 12)
        kinds = ("random", "float", "smooth", "few levels", "flat halves", "fused is visible")[: 2 if side > 100 else None]
        triples = [triple(kind, (side, side + 1), seed) for kind in kinds for seed in range(1 if side > 100 else 3)]
        pairs = [(metric(*images) if metric.needs_sources else metric(images[0]), loop(*images)) for images in triples]
        rows.append(row(name, "standard", LOOP, pairs, 1e-10))
    return rows


def main() -> int:
    """Write the table; 1 where a difference is above its tolerance."""
    data = paths.data_root()
    for needed in (data.parent / "golden" / "metrics", data / "archives", data / "vifb21"):
        if not needed.is_dir():
            raise SystemExit(f"found no {needed}, expected IVFNB_DATA to be a data root with every oracle")
    rows = [*evaluator_rows(data.parent / "golden"), *authors_rows(data / "archives"), *vifb_rows(data / "vifb21"), *loop_rows()]
    rows.sort(key=lambda r: (list(METRICS).index(r["metric"]), r["convention"], r["oracle"]))
    beside = TARGET.with_name(f".{TARGET.name}.{os.getpid()}")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with open(beside, "w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    beside.replace(TARGET)
    above = [r for r in rows if r["largest_relative_difference"] > r["tolerance"]]
    for r in above:
        print(f"above its tolerance: {r}", file=sys.stderr)
    print(f"{len(rows)} rows written to {TARGET.relative_to(paths.root())}")
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main())
