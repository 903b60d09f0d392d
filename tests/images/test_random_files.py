"""Two thousand random image files, with IVFNB_FUZZ=10000 so many others: each is read equal to its array, or refused by name."""

import io
import os
import tempfile
import warnings
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from tiff_files import written

from ivfnb import images
from ivfnb.datasets import DatasetError, ImagePair

KINDS = ("png", "bmp", "tif", "tif by hand", "tif by hand", "webp", "ppm", "jp2", "gif", "jpg", "other")
DAMAGES = ("none", "none", "none", "none", "cut", "zeros", "bit", "head", "empty")


def pixels(draw, kind: str) -> np.ndarray:
    """(h, w, bands) of a depth that the kind of file can hold."""
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    bands = draw(st.sampled_from([1, 3, 3, 4] if kind in ("png", "tif by hand") else [1, 3]))
    depths = {"png": ["u1", "u2"], "tif": ["u1", "u2", "f4", "f8"], "ppm": ["u1", "u2"]}
    in_tiff = ["u1", "u2", "i1", "i2", "i4", "u4", "u8", "f2", "f4", "f8"]
    depth = draw(st.sampled_from(in_tiff if kind == "tif by hand" else depths.get(kind, ["u1"])))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    high = 65536 if depth == "u2" else 128 if depth == "i1" else 256
    return random.integers(0, high, (height, width, bands)).astype(depth)


def by_hand(draw, image: np.ndarray) -> tuple[bytes, bool, bool]:
    """TIFF file, whether its kind is supported, and whether its white is zero."""
    bands = image.shape[2]
    photometric = draw(st.sampled_from([2] if bands == 3 else [1, 2, 2] if bands == 4 else [0, 1, 1, 5, 8]))
    compression = draw(st.sampled_from([1, 5, 8, 32773, 1, 5, 8, 32773, 34925, 50000]))
    packed = compression if compression < 34925 else 1
    tags = {259: (3, [compression])} | ({338: (3, [draw(st.sampled_from([0, 2]))])} if bands == 4 else {})
    options = {"planar": draw(st.booleans()), "order": draw(st.sampled_from("<>")), "rows": draw(st.integers(1, 12))}
    content = written(image, photometric, packed, predictor=draw(st.booleans()) and image.dtype.kind in "ui", tags=tags, **options)
    supported = photometric in ({1: (0, 1), 3: (2,), 4: (2,)}[bands]) and packed == compression
    return content, supported and image.dtype.str[1:] in ("u1", "u2"), photometric == 0


def stored(draw, kind: str, image: np.ndarray) -> bytes:
    """The file that holds the image."""
    if kind == "other":
        return draw(st.binary(max_size=200)) if draw(st.booleans()) else b"II*\0" + draw(st.binary(max_size=200))
    if kind in ("webp", "gif", "jp2"):
        stream, mode = io.BytesIO(), {"gif": "P"}.get(kind)
        options = {"webp": {"lossless": True}, "jp2": {"num_resolutions": 1}}.get(kind, {})
        shown = PIL.Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
        shown.convert(mode or shown.mode).save(stream, {"jp2": "JPEG2000"}.get(kind, kind), **options)
        return stream.getvalue()
    bgr = np.ascontiguousarray(np.concatenate([image[..., 2::-1], image[..., 3:]], axis=2)) if image.shape[2] > 1 else image
    suffix = "pgm" if kind == "ppm" and image.shape[2] == 1 else kind
    return cv2.imencode(f".{suffix}", bgr)[1].tobytes()


def damaged(draw, content: bytes, damage: str) -> bytes:
    if damage == "cut":
        return content[: draw(st.integers(0, max(0, len(content) - 1)))]
    if damage == "empty":
        return b""
    if not content or damage == "none":
        return content
    at = draw(st.integers(0, len(content) - 1))
    if damage == "head":
        at = min(at, 60)
    if damage == "bit" or damage == "head":
        return content[:at] + bytes([content[at] ^ (1 << draw(st.integers(0, 7)))]) + content[at + 1 :]
    return content[:at] + bytes(min(9, len(content) - at)) + content[at + 9 :]


@st.composite
def random_files(draw) -> tuple[bytes, str, np.ndarray | None]:
    """Content, damage, and the levels that it is read to: None where it is to be refused, or where only the decoder knows."""
    kind, damage = draw(st.sampled_from(KINDS)), draw(st.sampled_from(DAMAGES))
    image = pixels(draw, kind)
    if kind == "tif by hand":
        content, supported, inverted = by_hand(draw, image)
        shown = np.iinfo(image.dtype).max - image if inverted and supported else image
    else:
        content, shown, supported = stored(draw, kind, image), image, kind != "other" and image.dtype.kind == "u"
    if kind == "gif":
        with PIL.Image.open(io.BytesIO(content)) as palette:
            shown = np.asarray(palette.convert("RGB"))
    levels = shown / 257 if shown.dtype == np.uint16 else shown
    levels = levels[..., :3] if levels.shape[2] >= 3 else np.repeat(levels, 3, axis=2)
    if kind == "jpg":
        return damaged(draw, content, damage), "lossy" if damage == "none" else damage, levels
    return damaged(draw, content, damage), damage, levels if supported else None


EXAMPLES = int(os.environ.get("IVFNB_FUZZ", "2000"))
COUNT = {"read": 0, "refused": 0}
FOLDER = tempfile.TemporaryDirectory()


@seed(20240 if EXAMPLES == 2000 else None)
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(random_files())
def test_a_random_file_is_read_or_refused_by_name(drawn):
    content, damage, levels = drawn
    path = Path(FOLDER.name) / "a picture.xyz"
    path.write_bytes(content)
    found: np.ndarray | None = None
    refused = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", images.ImageWarning)
            found = images.read_color(path)
    except images.ImageError as error:
        refused = str(error)
    COUNT["read" if found is not None else "refused"] += 1
    if found is None:
        assert refused.startswith(f"{path}: found ")
        assert levels is None or damage not in ("none", "lossy"), refused
        return
    assert found.ndim == 3
    assert found.dtype in (np.uint8, np.float64)
    assert found.min() >= 0
    assert found.max() <= 255
    if damage == "none":
        assert levels is not None, "a kind that is not supported"
        np.testing.assert_allclose(found, levels, rtol=0, atol=1e-9)
    elif damage == "lossy":
        assert found.shape == levels.shape


def test_the_random_files_were_of_both_sorts():
    if not sum(COUNT.values()):
        pytest.skip("the random files were not read in this process")
    assert min(COUNT.values()) > 0.2 * EXAMPLES, COUNT


def test_a_set_names_the_file_too(tmp_path):
    (tmp_path / "ir.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "vis.png").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"ir\.png: found"):
        _ = ImagePair("x", tmp_path / "ir.png", tmp_path / "vis.png").visible
