"""What the tests of `fuse` and `score` share: small pairs cut from the sample, commands run, folders looked at."""

import hashlib
from pathlib import Path

from ivfnb.commands import main
from ivfnb.datasets import dataset
from ivfnb.images import write_image


def cut(id: str = "camera", size: int = 48, corner: int = 40) -> tuple:
    """Infrared and visible image of a sample pair, a square of it."""
    pair = dataset("sample", color=True)[id]
    part = slice(corner, corner + size), slice(corner, corner + size)
    return pair.infrared[part], pair.visible[part]


def put_pair(infrared: Path, visible: Path, id: str = "camera", size: int = 48) -> tuple[Path, Path]:
    """Both images of a pair as files."""
    first, second = cut(id, size)
    return write_image(infrared, first), write_image(visible, second)


def command(*words: object) -> int:
    """Exit code of a command."""
    return main([str(word) for word in words])


def fuse(infrared: Path, visible: Path, output: Path, *more: object) -> int:
    """Exit code of `fuse` by the quickest method, unless another is named."""
    how = () if {"--method", "--protocol", "--set"} & set(map(str, more)) else ("--method", "Mean")
    return command("fuse", "--infrared", infrared, "--visible", visible, "--output", output, *how, *more)


def content(folder: Path) -> dict[str, str]:
    """Everything below a folder, hidden files included: hash of each file, or what else it is."""
    found = {}
    for path in sorted(folder.rglob("*")):
        found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    return found
