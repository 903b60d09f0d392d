"""What lies in the repository: no image of other people's data, nothing that could run when it is read, no file larger than it need be."""

import hashlib
import re
import subprocess

import pytest

from ivfnb import paths

IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".jp2", ".pgm", ".ppm", ".pnm", ".avif", ".heic", ".hdr")
PICKLED = (".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib", ".npy", ".mat", ".h5", ".hdf5", ".keras")
STARTS = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"GIF8": "GIF", b"BM": "BMP"}
RUN = (r"\bpickle\.loads?\(", r"allow_pickle\s*=\s*True", r"\byaml\.(?:unsafe_|full_)?load\(", r"\bjoblib\.load\(", r"\bread_pickle\(")
EMBEDDED = re.compile(rb'data:image/(?!svg)|"image/(?:png|jpeg)"\s*:\s*"[A-Za-z0-9+/]{40}')


@pytest.fixture(scope="module")
def tracked():
    """Files that git knows."""
    if not (paths.root() / ".git").exists():
        pytest.skip("no checkout: what git tracks is not known")
    told = subprocess.run(["git", "ls-files", "-z"], cwd=paths.root(), capture_output=True, text=True, check=True).stdout
    return [paths.root() / name for name in told.split("\0") if name and (paths.root() / name).is_file()]


@pytest.fixture(scope="module")
def known():
    """Hash, or *, of each image that belongs here, by its path."""
    lines = (paths.root() / "tests" / "images.txt").read_text().splitlines()
    return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))}


def test_no_image_but_the_known_ones(tracked, known):
    found = {path.relative_to(paths.root()).as_posix() for path in tracked if path.suffix.lower() in IMAGES}
    assert found == set(known), "an image that is new, or gone: tests/images.txt lists those that may be here, and why"


def test_photographs_are_those_that_were_cleared(known):
    for name, digest in known.items():
        if digest != "*":
            assert hashlib.sha256((paths.root() / name).read_bytes()).hexdigest() == digest, name
        else:
            assert name.startswith(("results/paper/figures/", "docs/")), f"{name}: only drawings need no hash"


def test_no_image_under_another_name(tracked, known):
    hidden = []
    for path in tracked:
        name = path.relative_to(paths.root()).as_posix()
        start = path.read_bytes()[:4]
        if name not in known and any(start.startswith(mark) for mark in STARTS if len(mark) > 2):
            hidden.append(name)
    assert not hidden


def test_no_image_inside_a_text(tracked):
    """Notebooks are committed without pictures, pages without embedded ones."""
    texts = [path for path in tracked if path.suffix in (".ipynb", ".html", ".md", ".svg", ".json", ".csv")]
    assert not [path.name for path in texts if EMBEDDED.search(path.read_bytes())]


def test_nothing_that_runs_when_it_is_read(tracked):
    assert not [path.name for path in tracked if path.suffix.lower() in PICKLED]


def test_no_code_that_would_run_a_file():
    """Pickles are never loaded, YAML only plainly, torch's files as weights alone."""
    wrong = []
    for path in [*paths.PACKAGE.rglob("*.py"), *(paths.root() / "scripts").glob("*.py")]:
        text = path.read_text(encoding="utf-8")
        for pattern in RUN:
            wrong += [f"{path.name}: {found[0]}" for found in re.finditer(pattern, text)]
        wrong += [f"{path.name}: torch.load" for call in re.findall(r"torch\.load\(([^\n]*)", text) if "weights_only=True" not in call]
        wrong += [f"{path.name}: shell=True" for _ in re.finditer(r"shell\s*=\s*True", text)]
    assert not wrong
