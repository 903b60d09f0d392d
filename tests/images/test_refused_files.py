"""Files that are refused by name, or warned of: kinds that are not supported, damage, sizes, radiometric pictures, false colours."""

import io
import resource
import struct
import zlib

import cv2
import numpy as np
import PIL.Image
import pytest
import tifffile
from tiff_files import written

from ivfnb import images

RNG = np.random.default_rng(5)
GREY = cv2.GaussianBlur(RNG.integers(0, 256, (96, 128), dtype=np.uint8), (0, 0), 2)
RGB = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]])


def by_tifffile(pixels: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def by_pillow(image: np.ndarray, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(image).save(stream, kind, **options)
    return stream.getvalue()


FIVE = np.dstack([RGB, GREY, GREY])
UNSUPPORTED = {  # what the message says -> the file
    "4-bit samples": lambda: written(GREY[:, :64, None], 1, bits=4),
    "12-bit samples": lambda: written(GREY[:, :96, None].astype(np.uint16), 1, bits=12),
    "LZMA compression": lambda: written(GREY[..., None], 1, tags={259: (3, [34925])}),
    "ZSTD compression": lambda: written(RGB, 2, tags={259: (3, [50000])}),
    "float16 values": lambda: by_tifffile(GREY.astype(np.float16)),
    "5 bands (4 of them beside grey)": lambda: written(FIVE, 1),
    "5 bands (2 of them beside colours)": lambda: by_tifffile(FIVE, photometric="rgb", extrasamples=[0, 0]),
    "3 bands (2 of them beside grey)": lambda: written(RGB, 1),
    "uint32 values": lambda: by_tifffile(GREY.astype(np.uint32)),
    "int8 values": lambda: by_tifffile((GREY // 2).astype(np.int8)),
    "int16 values": lambda: by_tifffile(GREY.astype(np.int16)),
    "uint64 values": lambda: by_tifffile(GREY.astype(np.uint64)),
    "complex64 samples": lambda: by_tifffile(GREY.astype(np.complex64)),
    "float32 values": lambda: by_tifffile(GREY.astype(np.float32)),
    "white as zero with float32": lambda: written(GREY[..., None].astype(np.float32), 0),
    "CMYK colours": lambda: by_tifffile(FIVE[..., :4], photometric="separated"),
    "LAB colours": lambda: by_tifffile(RGB, photometric="cielab"),
    "colours multiplied by their alpha": lambda: by_tifffile(FIVE[..., :4], photometric="rgb", extrasamples=["assocalpha"]),
    "a volume": lambda: by_tifffile(np.stack([GREY] * 8), volumetric=True, tile=(4, 16, 16), photometric="minisblack"),
    "a palette of 16-bit": lambda: written(GREY[..., None].astype(np.uint16), 3),
    "a thumbnail in front": lambda: by_tifffile(GREY, subfiletype=1),
    "a raw FLIR file": lambda: b"FFF\0" + bytes(600),
    "fewer than 256 levels": lambda: b"P2\n2 1\n100\n0 50\n",
    "no whole image of a kind read here": lambda: by_pillow(RGB, "TGA"),
}


@pytest.mark.parametrize("what", UNSUPPORTED)
def test_what_is_not_supported_is_named(tmp_path, what):
    (tmp_path / "x.tif").write_bytes(UNSUPPORTED[what]())
    with pytest.raises(images.ImageError) as refused:
        images.read_gray(tmp_path / "x.tif")
    assert str(refused.value).startswith(f"{tmp_path / 'x.tif'}: found ")
    assert what in str(refused.value)
    assert "expected" in str(refused.value)


# --- damage ---


def jpeg(image: np.ndarray = RGB, **options: object) -> bytes:
    return by_pillow(image, "JPEG", quality=95, **options)


def zeroed(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes(512) + content[at + 512 :]


def exchanged(content: bytes) -> bytes:
    """Two sectors of 512 bytes change places."""
    at = len(content) // 3
    return content[:at] + content[at + 1024 : at + 1536] + content[at + 512 : at + 1024] + content[at : at + 512] + content[at + 1536 :]


@pytest.mark.parametrize("damage", [zeroed, exchanged])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 2}], ids=["baseline", "progressive", "restarts"])
@pytest.mark.parametrize("grey", [True, False])
def test_a_jpeg_in_which_the_decoder_reports_damage_is_warned_of(tmp_path, damage, options, grey):
    content = jpeg(GREY if grey else RGB, **options)
    (tmp_path / "whole.jpg").write_bytes(content)
    (tmp_path / "damaged.jpg").write_bytes(damage(content))
    whole = images.read_image(tmp_path / "whole.jpg")
    try:
        with pytest.warns(images.ImageWarning, match=r"damaged\.jpg: found damaged data \(the decoder says: Corrupt JPEG data"):
            found = images.read_image(tmp_path / "damaged.jpg")
    except images.ImageError as error:
        assert "damaged.jpg: found" in str(error)  # noqa: PT017  # either is right: what counts is that it is not silent
    else:
        assert found.shape == whole.shape
        assert (found != whole).mean() > 0.01


def test_a_whole_jpeg_is_not_warned_of(tmp_path, recwarn):
    (tmp_path / "x.jpg").write_bytes(jpeg())
    images.read_image(tmp_path / "x.jpg")
    assert not recwarn.list


@pytest.mark.parametrize("damage", [zeroed, exchanged, lambda content: content[:-900], lambda content: content[:-1]])
@pytest.mark.parametrize("suffix", [".png", "lzw.tif", "deflate.tif"])
def test_damage_of_lossless_files_is_refused(tmp_path, damage, suffix):
    noise = RNG.integers(0, 256, (96, 128, 3), dtype=np.uint8)
    content = cv2.imencode(".png", noise)[1].tobytes() if suffix == ".png" else written(noise, 2, 5 if "lzw" in suffix else 8, rows=96)
    broken = damage(content)
    (tmp_path / f"x{suffix}").write_bytes(broken)
    if suffix == "lzw.tif" and damage in (zeroed, exchanged):
        pytest.skip("LZW has no checksum: such damage is other pixels")
    with pytest.raises(images.ImageError, match=r"x.*: found .*no whole image"):
        images.read_image(tmp_path / f"x{suffix}")


# --- size ---


def png_claiming(width: int, height: int, bits: int = 16, colour: int = 2) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    row = bytes(1 + width * 3 * bits // 8)
    packer, packed = zlib.compressobj(1), b""
    for _ in range(height):
        packed += packer.compress(row)
    packed += packer.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_declared_pixels_are_bounded_and_the_bound_can_be_set(tmp_path, monkeypatch):
    (tmp_path / "x.png").write_bytes(png_claiming(100, 90))
    (tmp_path / "x.tif").write_bytes(by_tifffile(GREY[:90, :100]))
    assert images.read_gray(tmp_path / "x.png").shape == (90, 100)
    for said, bound in (("8_999", "8999"), ("1", "1")):
        monkeypatch.setenv("IVFNB_MAX_PIXELS", said)
        for name in ("x.png", "x.tif"):
            for read in (images.read_gray, images.read_header):
                with pytest.raises(images.ImageError, match=rf"{name}: found 100x90 pixels declared, expected at most {bound} "):
                    read(tmp_path / name)
    monkeypatch.setenv("IVFNB_MAX_PIXELS", "many")
    with pytest.raises(ValueError, match="IVFNB_MAX_PIXELS: found 'many', expected a whole number"):
        images.read_gray(tmp_path / "x.png")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    """16,000x16,000 pixels of 16-bit colour in a small file would take 7.9 GB."""
    header = struct.pack(">IIBBBBB", 16_000, 16_000, 16, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    data = zlib.compress(bytes(2_000_000))
    body = struct.pack(">I", len(data)) + b"IDAT" + data + struct.pack(">I", zlib.crc32(b"IDAT" + data))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + body)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(images.ImageError, match=r"bomb\.png: found 16000x16000 pixels declared, expected at most 80000000"):
        images.read_gray(tmp_path / "bomb.png")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "KiB"


def test_a_strip_that_unpacks_to_more_than_it_should_stays_small(tmp_path):
    content = written(np.zeros((2000, 2000, 1), np.uint8), 1, 8, rows=2000)
    (tmp_path / "x.tif").write_bytes(content.replace(struct.pack("<HHII", 257, 4, 1, 2000), struct.pack("<HHII", 257, 4, 1, 2)))
    assert images.read_gray(tmp_path / "x.tif").shape == (2, 2000)


# --- what a camera writes ---


def with_segment(content: bytes, marker: int, data: bytes) -> bytes:
    return content[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data + content[2:]


@pytest.mark.parametrize(
    ("segments", "said"),
    [
        ([(0xE1, b"FLIR\0\x01\0\x05" + bytes(400))], "a radiometric FLIR JPEG; to fuse temperatures export 16-bit TIFF"),
        ([(0xE3, bytes(900)), (0xE1, b"Exif\0\0DJI ZH20T")], "a radiometric DJI JPEG; to fuse temperatures export TIFF"),
    ],
)
def test_radiometric_jpegs_say_what_they_are(tmp_path, segments, said):
    content = jpeg(GREY)
    for marker, data in segments:
        content = with_segment(content, marker, data)
    (tmp_path / "x_T.jpg").write_bytes(content)
    with pytest.warns(images.LevelsWarning) as warned:
        found = images.read_infrared(tmp_path / "x_T.jpg")
    assert [said in str(each.message) and "x_T.jpg" in str(each.message) for each in warned] == [True]
    assert np.abs(found.astype(int) - GREY).mean() < 2


@pytest.mark.parametrize("colours", ["COLORMAP_JET", "COLORMAP_INFERNO", "COLORMAP_HOT"])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_false_colours_are_warned_of(tmp_path, colours, suffix):
    cv2.imwrite(str(tmp_path / f"ir{suffix}"), cv2.applyColorMap(GREY, getattr(cv2, colours)))
    with pytest.warns(images.LevelsWarning, match=rf"ir\{suffix}: found a coloured infrared image .* its luma is not temperature"):
        images.read_infrared(tmp_path / f"ir{suffix}")


def test_a_coloured_overlay_is_warned_of_and_a_grey_picture_in_colour_is_not(tmp_path, recwarn):
    picture = np.dstack([GREY] * 3)
    cv2.imwrite(str(tmp_path / "grey.jpg"), picture)
    images.read_infrared(tmp_path / "grey.jpg")
    assert not recwarn.list
    picture[:8, :30] = (0, 0, 255)
    cv2.imwrite(str(tmp_path / "overlay.jpg"), picture)
    with pytest.warns(images.LevelsWarning, match="overlay"):
        images.read_infrared(tmp_path / "overlay.jpg")


def test_pages_of_one_size_are_warned_of(tmp_path, recwarn):
    (tmp_path / "x.tif").write_bytes(by_tifffile(np.stack([GREY, GREY[::-1]]), photometric="minisblack"))
    with pytest.warns(images.ImageWarning, match=r"x\.tif: found several pages of 128x96 pixels, of which the first is read"):
        np.testing.assert_array_equal(images.read_gray(tmp_path / "x.tif"), GREY)
