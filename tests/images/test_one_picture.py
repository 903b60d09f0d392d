"""One picture, stored in every supported way, is read to the same pixels."""

import io
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import PIL.Image
import pytest
import tifffile
from tiff_files import PACKED, written

from ivfnb import images

RNG = np.random.default_rng(11)
COLOURS = RNG.integers(0, 256, (200, 3), dtype=np.uint8)  # few enough for a palette
INDICES = RNG.integers(0, 200, (30, 44))
PICTURE = COLOURS[INDICES]
ALPHA = RNG.integers(0, 256, (30, 44, 1), dtype=np.uint8)
DEEP = PICTURE.astype(np.uint16) * 257


def by_pillow(kind: str, mode: str = "RGB", **options: object) -> bytes:
    stream, image = io.BytesIO(), PIL.Image.fromarray(PICTURE)
    if mode == "P":
        image = PIL.Image.fromarray(INDICES.astype(np.uint8), "L")
        image.putpalette(COLOURS.tobytes())
    elif mode == "RGBA":
        image = PIL.Image.fromarray(np.dstack([PICTURE, ALPHA]))
    image.save(stream, kind, **options)
    return stream.getvalue()


def by_opencv(suffix: str, pixels: np.ndarray, *options: int) -> bytes:
    return cv2.imencode(suffix, np.ascontiguousarray(np.concatenate([pixels[..., 2::-1], pixels[..., 3:]], axis=2)), list(options))[
        1
    ].tobytes()


def by_tifffile(pixels: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    pixels = np.moveaxis(pixels, 2, 0) if options.get("planarconfig") == "separate" else pixels
    tifffile.imwrite(stream, pixels, photometric="rgb", **options)
    return stream.getvalue()


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """What a camera stores so that `orientation` shows `pixels`: the inverse, told pixel by pixel."""
    height, width = pixels.shape[:2]
    shape = (width, height) if orientation >= 5 else (height, width)
    result = np.empty((*shape, 3), pixels.dtype)
    for y in range(height):
        for x in range(width):
            down, right = height - 1 - y, width - 1 - x
            row, column = {1: (y, x), 2: (y, right), 3: (down, right), 4: (down, x)}.get(
                orientation, {5: (x, y), 6: (right, y), 7: (right, down), 8: (x, down)}.get(orientation, (0, 0))
            )
            result[row, column] = pixels[y, x]
    return result


def exif(orientation: int) -> PIL.Image.Exif:
    data = PIL.Image.Exif()
    data[0x0112] = orientation
    return data


def ways() -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "png", lambda: by_pillow("PNG")
    yield "png, interlaced or not, by another writer", lambda: by_opencv(".png", PICTURE)
    yield "png with alpha", lambda: by_pillow("PNG", "RGBA")
    yield "png with palette", lambda: by_pillow("PNG", "P")
    yield "png with palette and a transparent colour", lambda: by_pillow("PNG", "P", transparency=3)
    yield "png of 16 bits", lambda: by_opencv(".png", DEEP)
    yield "png of 16 bits with alpha", lambda: by_opencv(".png", np.dstack([DEEP, ALPHA.astype(np.uint16) * 257]))
    yield "bmp", lambda: by_pillow("BMP")
    yield "bmp with palette", lambda: by_pillow("BMP", "P")
    yield "webp", lambda: by_pillow("WEBP", lossless=True)
    yield "webp with alpha", lambda: by_pillow("WEBP", "RGBA", lossless=True, exact=True)
    yield "jpeg 2000", lambda: by_pillow("JPEG2000")
    yield "ppm", lambda: by_pillow("PPM")
    yield "ppm of 16 bits", lambda: by_opencv(".ppm", DEEP)
    yield "ppm that declares its white", lambda: b"P6 # a comment\n44 30\n1020\n" + (PICTURE.astype(np.uint16) * 4).astype(">u2").tobytes()
    yield "gif", lambda: by_pillow("GIF", "P")
    yield "tiff with palette", lambda: by_pillow("TIFF", "P")
    yield "tiff with palette, LZW", lambda: by_pillow("TIFF", "P", compression="tiff_lzw")
    yield "tiff by OpenCV, 16 bits", lambda: by_opencv(".tif", DEEP)
    yield "tiff by OpenCV, with alpha", lambda: by_opencv(".tif", np.dstack([PICTURE, np.full_like(ALPHA, 255)]))
    for pixels in (PICTURE, DEEP, DEEP.astype(">u2")):
        for layout in ("contig", "separate"):
            for tile in (None, (16, 32)):
                name = f"tiff by tifffile, {pixels.dtype.str}, {layout}, {'tiles' if tile else 'strips'}"
                options = {"planarconfig": layout, "tile": tile, "byteorder": ">" if pixels.dtype.str[0] == ">" else "<"}
                yield name, lambda pixels=pixels, options=options: by_tifffile(pixels, **options)
                yield f"{name}, deflate, predictor", lambda p=pixels, o=options: by_tifffile(p, compression="zlib", predictor=2, **o)
    for compression, word in PACKED.items():
        for planar in (False, True):
            for predictor in (False, True):
                for order in "<>":
                    name = f"tiff by hand, {word}, {'planes' if planar else 'interleaved'}, {predictor=}, {order}"
                    yield name, lambda c=compression, p=planar, d=predictor, o=order: written(DEEP, 2, c, p, d, o)
    with_alpha = np.dstack([PICTURE, ALPHA])
    for kind in (0, 2):
        yield f"tiff with a fourth channel of kind {kind}", lambda k=kind: written(with_alpha, 2, tags={338: (3, [k])})
        yield f"tiff in planes with a fourth channel of kind {kind}", lambda k=kind: written(with_alpha, 2, 5, True, tags={338: (3, [k])})
    yield (
        "tiff whose colours are multiplied by an alpha of 1",
        lambda: written(np.dstack([PICTURE, np.full_like(ALPHA, 255)]), 2, tags={338: (3, [1])}),
    )
    yield "tiff, two pages", lambda: by_pillow("TIFF", save_all=True, append_images=[PIL.Image.new("RGB", (5, 5))])
    for way in range(2, 9):
        yield f"tiff, orientation {way}", lambda way=way: written(turned(PICTURE, way), 2, tags={274: (3, [way])})
        yield f"png, orientation {way}", lambda way=way: in_exif("PNG", way)
    yield "webp, orientation 6", lambda: in_exif("WEBP", 6, lossless=True)
    yield "png, orientation 9, which means nothing", lambda: by_pillow("PNG", exif=exif(9))


def in_exif(kind: str, orientation: int, **options: object) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(turned(PICTURE, orientation)).save(stream, kind, exif=exif(orientation), **options)
    return stream.getvalue()


WAYS = dict(ways())


def test_there_are_many_ways():
    assert len(WAYS) >= 40
    assert len({make() for make in WAYS.values()}) >= 70, "and they are different files"


@pytest.mark.parametrize("way", WAYS)
def test_the_picture_is_read_to_the_same_pixels(tmp_path, way):
    (tmp_path / "picture").write_bytes(WAYS[way]())
    found = images.read_color(tmp_path / "picture")
    np.testing.assert_allclose(found, PICTURE, rtol=0, atol=1e-9)
    header = images.read_header(tmp_path / "picture")
    assert (header["width"], header["height"]) == (44, 30)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_is_turned_as_it_asks(tmp_path, orientation):
    """Of even sizes in blocks, so that the turned picture is stored in the same blocks."""
    picture = cv2.resize(PICTURE, (64, 48), interpolation=cv2.INTER_CUBIC)
    stream = io.BytesIO()
    PIL.Image.fromarray(turned(picture, orientation)).save(stream, "JPEG", exif=exif(orientation), quality=95, subsampling=0)
    (tmp_path / "x.jpg").write_bytes(stream.getvalue())
    found = images.read_color(tmp_path / "x.jpg")
    assert found.shape == picture.shape
    assert np.abs(found.astype(int) - picture).mean() < 4, "turned otherwise it is off by 70"


@pytest.mark.parametrize("compression", [1, 5, 8, 32773])
@pytest.mark.parametrize("kind", ["u1", "u2", "i2", "i4", "u4", "f4", "f8"])
def test_grey_tiff_of_every_depth(tmp_path, kind, compression):
    grey = (PICTURE[..., :1].astype(kind) * (100 if kind[1] != "1" else 1)).astype(kind)
    (tmp_path / "x.tif").write_bytes(written(grey, 1, compression))
    if kind in ("u1", "u2"):
        np.testing.assert_array_equal(images.read_gray(tmp_path / "x.tif"), grey[..., 0] / (257 if kind == "u2" else 1))
    else:
        with pytest.raises(images.ImageError, match=rf"x\.tif: found {np.dtype(kind).name} values .* not supported .*--levels"):
            images.read_gray(tmp_path / "x.tif")
        np.testing.assert_allclose(images.read_gray(tmp_path / "x.tif", levels=(0, 25500)), PICTURE[..., 0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("compression", PACKED)
def test_where_white_is_zero_grey_is_turned_over(tmp_path, kind, compression):
    grey = PICTURE[..., :1].astype(kind) * (257 if kind == "u2" else 1)
    (tmp_path / "x.tif").write_bytes(written(np.iinfo(kind).max - grey, 0, compression))
    np.testing.assert_array_equal(images.read_gray(tmp_path / "x.tif"), PICTURE[..., 0])


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt", "raw"])
def test_bilevel_tiff(tmp_path, compression):
    PIL.Image.fromarray(PICTURE[..., 0] > 99).save(tmp_path / "x.tif", compression=None if compression == "raw" else compression)
    np.testing.assert_array_equal(images.read_gray(tmp_path / "x.tif"), np.where(PICTURE[..., 0] > 99, 255, 0))


@pytest.mark.parametrize("grey", [True, False])
def test_jpeg_in_tiff(tmp_path, grey):
    smooth = cv2.GaussianBlur(PICTURE, (0, 0), 3)
    smooth = smooth[..., 0] if grey else smooth
    PIL.Image.fromarray(smooth).save(tmp_path / "x.tif", compression="jpeg", quality=95)
    found = images.read_image(tmp_path / "x.tif")
    assert found.shape == smooth.shape
    assert np.abs(found.astype(int) - smooth).max() <= 12


def test_a_pgm_of_4096_levels_is_read_by_the_white_that_it_declares(tmp_path):
    (tmp_path / "x.pgm").write_bytes(b"P5\n2 1\n4095\n" + np.array([0, 4095], ">u2").tobytes())
    assert images.read_gray(tmp_path / "x.pgm").tolist() == [[0, 255]]
    assert images.read_gray(tmp_path / "x.pgm", levels="full").round(3).tolist() == [[0, 15.934]]
