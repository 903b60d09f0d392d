"""What image files of every kind are read to, and that what cannot be read is refused by name."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from ivfnb import images
from ivfnb.datasets import DatasetError, dataset

RNG = np.random.default_rng(7)
GRAY = RNG.integers(0, 256, (40, 60), dtype=np.uint8)
RGB = RNG.integers(0, 256, (40, 60, 3), dtype=np.uint8)
LUMA = cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY)
GRAY16 = RNG.integers(0, 65536, (40, 60), dtype=np.uint16)


def encoded(suffix: str, image: np.ndarray) -> bytes:
    return cv2.imencode(suffix, image if image.ndim == 2 else image[..., ::-1])[1].tobytes()


def saved(image: PIL.Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def flipped(stored: bytes, at: int) -> bytes:
    return stored[:at] + bytes([stored[at] ^ 0xFF]) + stored[at + 1 :]


def png_claiming(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


PALETTE = PIL.Image.fromarray(RGB).convert("P")
TURNED = PIL.Image.Exif()
TURNED[0x0112] = 6  # orientation: to be shown turned by 90 degrees
READABLE: dict[str, tuple[bytes, np.ndarray]] = {  # file name -> content, the grey image it is read to
    "grey.png": (encoded(".png", GRAY), GRAY),
    "grey.bmp": (encoded(".bmp", GRAY), GRAY),
    "grey.tif": (encoded(".tif", GRAY), GRAY),
    "colour.png": (encoded(".png", RGB), LUMA),
    "colour.bmp": (encoded(".bmp", RGB), LUMA),
    "equal_channels.png": (encoded(".png", np.repeat(GRAY[..., None], 3, axis=2)), GRAY),
    "png_named.jpg": (encoded(".png", GRAY), GRAY),
    "bmp_named.png": (encoded(".bmp", GRAY), GRAY),
    "grey16.png": (encoded(".png", GRAY16), GRAY16 / 257),
    "grey16.tif": (encoded(".tif", GRAY16), GRAY16 / 257),
    "colour16.png": (encoded(".png", RGB.astype(np.uint16) * 257), RGB @ np.array([0.299, 0.587, 0.114])),
    "rgba.png": (saved(PIL.Image.fromarray(np.dstack([RGB, GRAY])), "PNG"), LUMA),
    "grey_alpha.png": (saved(PIL.Image.merge("LA", [PIL.Image.fromarray(GRAY)] * 2), "PNG"), GRAY),
    "palette.png": (saved(PALETTE, "PNG"), cv2.cvtColor(np.asarray(PALETTE.convert("RGB")), cv2.COLOR_RGB2GRAY)),
    "palette.bmp": (saved(PALETTE, "BMP"), cv2.cvtColor(np.asarray(PALETTE.convert("RGB")), cv2.COLOR_RGB2GRAY)),
    "palette_alpha.png": (saved(PALETTE, "PNG", transparency=3), cv2.cvtColor(np.asarray(PALETTE.convert("RGB")), cv2.COLOR_RGB2GRAY)),
    "bilevel.png": (saved(PIL.Image.fromarray(GRAY > 127), "PNG"), np.where(GRAY > 127, 255, 0)),
    "two_pages.tif": (saved(PIL.Image.fromarray(GRAY), "TIFF", save_all=True, append_images=[PIL.Image.fromarray(LUMA)]), GRAY),
    "turned.png": (saved(PIL.Image.fromarray(GRAY), "PNG", exif=TURNED), np.rot90(GRAY, -1)),
    "one_pixel.png": (encoded(".png", GRAY[:1, :1]), GRAY[:1, :1]),
    "wide.png": (encoded(".png", np.resize(GRAY, (2, 20_000))), np.resize(GRAY, (2, 20_000))),
}
FLOATS = "not supported as grey levels by themselves"
REFUSED: dict[str, tuple[bytes, str]] = {  # file name -> content, what the message says was found
    "zero_bytes.png": (b"", "found 0 bytes"),
    "zero_bytes.jpg": (b"", "found 0 bytes"),
    "text.png": (b"infrared image 1, to be taken\n", "found 30 bytes"),
    "html.jpg": (b"<!DOCTYPE html><title>Sign in</title>", "no whole image"),
    "truncated.jpg": (encoded(".jpg", RGB)[:-200], "no whole image"),
    "half.jpg": (encoded(".jpg", RGB)[:2000], "no whole image"),
    "truncated_progressive.jpg": (saved(PIL.Image.fromarray(RGB), "JPEG", progressive=True)[:-1500], "no whole image"),
    "truncated.png": (encoded(".png", GRAY)[:-300], "no whole image"),
    "without_end.png": (encoded(".png", GRAY)[:-12], "no whole image"),
    "header_only.png": (encoded(".png", GRAY)[:33], "found no image header"),
    "flipped_byte.png": (flipped(encoded(".png", GRAY), 300), "no whole image"),
    "truncated.bmp": (encoded(".bmp", GRAY)[:-100], "no whole image"),
    "truncated.tif": (saved(PIL.Image.fromarray(GRAY), "TIFF")[:-100], "no whole image"),
    "nan.tif": (encoded(".tif", np.where(GRAY > 9, GRAY, np.nan).astype(np.float32)), FLOATS),
    "infinite.tif": (encoded(".tif", np.where(GRAY > 9, GRAY, np.inf).astype(np.float32)), FLOATS),
    "negative.tif": (encoded(".tif", GRAY.astype(np.float32) - 1), FLOATS),
    "kelvin.tif": (encoded(".tif", GRAY.astype(np.float32) + 273), FLOATS),
    "float32.tif": (encoded(".tif", GRAY.astype(np.float32)), FLOATS),
    "float64.tif": (encoded(".tif", GRAY.astype(np.float64)), FLOATS),
    "int32.tif": (saved(PIL.Image.fromarray(GRAY.astype(np.int32)), "TIFF"), FLOATS),
    "cmyk.jpg": (saved(PIL.Image.fromarray(RGB).convert("CMYK"), "JPEG"), "found CMYK colours"),
    "cmyk.tif": (saved(PIL.Image.fromarray(RGB).convert("CMYK"), "TIFF"), "found CMYK colours"),
    "lab.tif": (saved(PIL.Image.new("LAB", (60, 40), (90, 30, 30)), "TIFF"), "found LAB colours"),
    "huge_claim.png": (png_claiming(400_000, 400_000), "huge_claim.png"),
}


@pytest.mark.parametrize("name", READABLE)
def test_readable_files_give_the_documented_grey_levels(tmp_path: Path, name: str):
    stored, expected = READABLE[name]
    (tmp_path / name).write_bytes(stored)
    found = images.read_gray(tmp_path / name)
    assert found.ndim == 2
    assert found.dtype == (np.float64 if "16" in name else np.uint8)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("name", ["grey.jpg", "colour.jpg"])
def test_jpeg_is_read_as_opencv_decodes_it(tmp_path: Path, name: str):
    stored = encoded(".jpg", GRAY if name == "grey.jpg" else RGB)
    (tmp_path / name).write_bytes(stored)
    bgr = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(images.read_gray(tmp_path / name), bgr if bgr.ndim == 2 else cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))


@pytest.mark.parametrize("name", READABLE)
def test_a_pair_of_readable_files_is_read(tmp_path: Path, name: str):
    stored, expected = READABLE[name]
    data = _pair(tmp_path, name, stored, expected.shape)
    np.testing.assert_allclose(data[0].visible, expected, atol=1e-9)


@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused_by_name_alone_and_in_a_set(tmp_path: Path, name: str):
    stored, found = REFUSED[name]
    data = _pair(tmp_path, name, stored, (40, 60))
    with pytest.raises(images.ImageError, match=found) as alone:
        images.read_gray(tmp_path / "vis" / name)
    assert str(tmp_path / "vis" / name) in str(alone.value)
    with pytest.raises(DatasetError, match=found) as in_a_set:
        _ = data[0].visible
    assert str(tmp_path / "vis" / name) in str(in_a_set.value)


@pytest.mark.parametrize("shape", [(40, 61), (60, 40), (1, 1)])
def test_a_pair_of_unequal_sizes_names_both_files_and_sizes(tmp_path: Path, shape: tuple[int, int]):
    data = _pair(tmp_path, "x.png", encoded(".png", np.zeros(shape, np.uint8)), (40, 60))
    with pytest.raises(DatasetError, match=rf"ir/x\.png of 60x40 and .*vis/x\.png of {shape[1]}x{shape[0]} pixels"):
        _ = data[0].visible


def _pair(root: Path, name: str, stored: bytes, shape: tuple[int, ...]):
    (root / "ir").mkdir()
    (root / "vis").mkdir()
    (root / "vis" / name).write_bytes(stored)
    (root / "ir" / f"{Path(name).stem}.png").write_bytes(encoded(".png", np.zeros(shape, np.uint8)))
    return dataset("folder", infrared=root / "ir", visible=root / "vis")


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.symlink_to(path.with_name("gone.png"))])
def test_what_is_no_file_is_named(tmp_path: Path, make: Callable[[Path], object]):
    make(tmp_path / "x.png")
    for read in (images.read_gray, images.read_color, images.read_header):
        with pytest.raises(images.ImageError, match=r"x\.png: found no such file"):
            read(tmp_path / "x.png")


def test_colour_is_rgb_and_a_grey_file_gives_three_equal_channels(tmp_path: Path):
    (tmp_path / "colour.png").write_bytes(encoded(".png", RGB))
    (tmp_path / "grey.png").write_bytes(encoded(".png", GRAY))
    np.testing.assert_array_equal(images.read_color(tmp_path / "colour.png"), RGB)
    np.testing.assert_array_equal(images.read_color(tmp_path / "grey.png"), np.dstack([GRAY] * 3))


@pytest.mark.parametrize(
    ("name", "channels", "bits"),
    [("grey.png", 1, 8), ("colour.png", 3, 8), ("rgba.png", 4, 8), ("grey16.png", 1, 16), ("grey16.tif", 1, 16), ("colour16.png", 3, 16),
     ("palette.bmp", 1, 8), ("bilevel.png", 1, 1), ("png_named.jpg", 1, 8)],
)  # fmt: skip
def test_headers_tell_size_channels_and_bits(tmp_path: Path, name: str, channels: int, bits: int):
    (tmp_path / name).write_bytes(READABLE[name][0])
    header = images.read_header(tmp_path / name)
    assert (header["width"], header["height"], header["channels"], header["bits"]) == (60, 40, channels, bits)


def test_a_header_that_cannot_be_parsed_is_refused_by_name(tmp_path: Path):
    (tmp_path / "x.png").write_bytes(b"no image")
    with pytest.raises(images.ImageError, match=r"x\.png: found no image header"):
        images.read_header(tmp_path / "x.png")


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2"])
@pytest.mark.parametrize("layout", ["contig", "separate"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("extra", [0, 1])
def test_a_tiff_reads_alike_in_every_layout(tmp_path, dtype, layout, tile, extra):
    """Interleaved or in planes, in strips or tiles, of either byte order, with or without alpha: the same pixels."""
    import tifffile

    high = np.iinfo(np.dtype(dtype)).max
    pixels = np.random.default_rng(0).integers(0, high, (40, 50, 3), endpoint=True).astype(dtype)
    alpha = np.full((40, 50, 1), high // 3, dtype)
    stored = np.concatenate([pixels, alpha], axis=2) if extra else pixels
    stored = np.moveaxis(stored, 2, 0) if layout == "separate" else stored
    options = {"extrasamples": ["unassalpha"]} if extra else {}
    file = tmp_path / "image.tif"
    tifffile.imwrite(file, stored, photometric="rgb", planarconfig=layout, tile=tile, **options)
    expected = pixels if dtype == "u1" else pixels / 257.0
    np.testing.assert_array_equal(images.read_color(file), expected)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_a_tiff_whose_white_is_zero_is_turned_over(tmp_path, dtype):
    import tifffile

    high = np.iinfo(np.dtype(dtype)).max
    pixels = np.random.default_rng(0).integers(0, high, (40, 50), endpoint=True).astype(dtype)
    tifffile.imwrite(tmp_path / "image.tif", pixels, photometric="miniswhite")
    expected = high - pixels
    np.testing.assert_array_equal(images.read_gray(tmp_path / "image.tif"), expected if dtype == "u1" else expected / 257.0)
