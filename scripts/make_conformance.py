"""Make the conformance kit for metrics, `data/conformance/`: python scripts/make_conformance.py [--check]

Eight small triples, most of them crops of the sample pairs fused by classical methods, with all metrics in the three conventions.
`--check` writes nothing and ends with 1 where images or values are other than the kit's.
"""

import sys

import numpy as np

from ivfnb import files, paths
from ivfnb.baselines import BASELINES
from ivfnb.datasets import dataset
from ivfnb.images import Image, ImageError, from_ycbcr, matlab_imresize, read_color, read_gray, to_gray, to_uint8, to_ycbcr, write_image
from ivfnb.metrics import CONVENTIONS, METRICS, conformance, score

FOLDER = paths.root() / "data" / "conformance"
RELATIVE, ABSOLUTE = 1e-6, 1e-9
# On flat and saturated areas the definitions of these divide rounding errors by constants of 1e-10.
LOOSE = {"VIFF": 1e-4, "VIF": 1e-4, "Qy": 1e-4}
# Left out: on flat windows the rounding errors of a wavelet or cosine transform decide these.
UNSURE = {"constant": ("FMI_w", "FMI_dct"), "saturated": ("FMI_w", "FMI_dct")}
DIGITS = 12


def crop(name: str, top: int, left: int, height: int, width: int) -> tuple[Image, Image]:
    """Infrared and coloured visible part of a sample pair."""
    pair = dataset("sample", color=True)[name]
    part = np.s_[top : top + height, left : left + width]
    return pair.infrared[part], pair.visible[part]


def fused_by(method: str, infrared: Image, visible: Image) -> Image:
    """Fused image of a classical method, grey levels rounded."""
    return to_uint8(BASELINES[method].fuse(infrared, visible))


def triples() -> dict[str, tuple[str, Image, Image, Image]]:
    """What it is for, fused, infrared and visible image of each triple, by name."""
    made = {}
    infrared, visible = crop("sentinel2", 60, 60, 176, 176)
    visible = to_gray(visible)
    made["real"] = "A registered real pair and the mean of its sources.", fused_by("Mean", infrared, visible), infrared, visible
    infrared, visible = crop("camera", 40, 90, 168, 192)
    what = "Another width than height, and a fused image sharper than either source."
    made["pyramid"] = what, fused_by("Laplacian pyramid", infrared, to_gray(visible)), infrared, to_gray(visible)
    infrared, visible = crop("chelsea", 60, 90, 163, 181)
    visible = to_gray(visible)
    made["odd"] = "Odd sides: halving, padding and blocks at the border show.", fused_by("Maximum", infrared, visible), infrared, visible
    infrared, visible = crop("coffee", 70, 100, 120, 168)
    visible = to_gray(visible)
    small = matlab_imresize(fused_by("Mean", infrared, visible), (72, 72))
    made["resized"] = "A fused image of another size than its sources, as the released evaluator accepts it.", small, infrared, visible
    flat = [np.full((48, 56), level, np.uint8) for level in (65, 90, 40)]
    made["constant"] = "Three constant images: every division by a variance or an edge is one by zero.", *flat
    infrared, visible = crop("astronaut", 20, 120, 96, 112)
    hard = [np.clip((image.astype(float) - np.median(image)) * 9 + 128, 0, 255).astype(np.uint8) for image in (infrared, to_gray(visible))]
    made["saturated"] = "Most levels of the sources are 0 or 255, in large flat areas.", fused_by("Laplacian pyramid", *hard), *hard
    _, visible = crop("coffee", 120, 200, 64, 80)
    same = to_gray(visible)
    made["identical"] = "Sources and fused image are one image, so that most values are known without computing.", same, same, same
    infrared, visible = crop("astronaut", 20, 120, 96, 96)
    bright = BASELINES["Mean"].fuse(infrared, to_gray(visible))
    colored = to_uint8(from_ycbcr(np.dstack([bright, to_ycbcr(visible)[..., 1:]])))
    made["colour"] = (
        "Visible and fused image are RGB: luma counts, but in VIFB's rules the mean of the channels.",
        colored,
        infrared,
        visible,
    )
    return {name: (what, *(np.ascontiguousarray(image) for image in images)) for name, (what, *images) in made.items()}


def values(triple: str, convention: str, fused: Image, infrared: Image, visible: Image) -> dict[str, float | str]:
    """Every metric of a convention that has a value for these images; only the released evaluator takes sources of another size."""
    found: dict[str, float | str] = {}
    if fused.shape[:2] != infrared.shape[:2] and convention != "as_released":
        return found
    known = CONVENTIONS[convention].names if CONVENTIONS[convention].only_names else tuple(METRICS)
    for name in (each for each in known if each not in UNSURE.get(triple, ())):
        try:
            value = score(fused, infrared, visible, [name], convention)[name]
        except ImageError:
            continue  # too small for it
        found[name] = "Infinity" if np.isinf(value) else float(f"{value:.{DIGITS}g}")
    return found


def kit() -> tuple[dict, dict[str, tuple[Image, Image, Image]]]:
    """Content of `expected.json`, and the images."""
    made = triples()
    told = {
        "format": 1,
        "metrics": {
            name: {"direction": each.direction, "unit": each.unit, "relative": LOOSE.get(name, RELATIVE), "absolute": ABSOLUTE}
            for name, each in METRICS.items()
            if each.function.__module__.startswith("ivfnb.")
        },
        "triples": {
            name: {
                "what": what,
                "color": images[0].ndim == 3,
                "values": {convention: values(name, convention, *images) for convention in CONVENTIONS},
            }
            for name, (what, *images) in made.items()
        },
    }
    return told, {name: tuple(images) for name, (_, *images) in made.items()}


def differences(told: dict, images: dict[str, tuple[Image, Image, Image]]) -> list[str]:
    """What the kit in the repository has otherwise than `kit()`, one line each."""
    kept = files.read_json(FOLDER / "expected.json")
    found = [f"{key} differs" for key in ("format", "metrics") if kept[key] != told[key]]
    found += [f"triples: found {list(kept['triples'])}, expected {list(told['triples'])}"] * (
        list(kept["triples"]) != list(told["triples"])
    )
    for name, each in told["triples"].items():
        there = kept["triples"].get(name, {"values": {}})
        for convention, row in each["values"].items():
            other = there["values"].get(convention, {})
            if row.keys() != other.keys():
                found.append(f"{name}, {convention}: found {list(other)}, expected {list(row)}")
            for metric in row.keys() & other.keys():
                # A hundredth of what is allowed: other processors round otherwise.
                allowed = LOOSE.get(metric, RELATIVE) / 100, ABSOLUTE
                if not conformance.agrees(float(row[metric]), float(other[metric]), allowed):
                    found.append(f"{name}, {convention}, {metric}: found {other[metric]}, expected {row[metric]}")
        for role, image in zip(conformance.ROLES, images[name], strict=True):
            read = read_color if image.ndim == 3 else read_gray
            if not np.array_equal(read(FOLDER / name / f"{role}.png"), image):
                found.append(f"{name}/{role}.png differs")
    return found


def main() -> int:
    """Write the kit, or compare it."""
    told, images = kit()
    if "--check" in sys.argv[1:]:
        print(*(found := differences(told, images)), sep="\n")
        return int(bool(found))
    for name, triple in images.items():
        for role, image in zip(conformance.ROLES, triple, strict=True):
            write_image(FOLDER / name / f"{role}.png", image)
    files.write_json(FOLDER / "expected.json", told, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
