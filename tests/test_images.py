"""Writing, resizing and colour; reading has its own file."""

import cv2
import numpy as np
import PIL.Image
import pytest

from ivfnb import images
from ivfnb.datasets import dataset


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_png_round_trip_is_exact(tmp_path, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    path = images.write_image(tmp_path / "sub" / "image.png", image)
    assert np.array_equal(images.read_color(path) if image.ndim == 3 else images.read_gray(path), image)
    assert [item.name for item in path.parent.iterdir()] == ["image.png"], "nothing temporary is left"


def test_floats_are_rounded_and_saturated(tmp_path):
    path = images.write_image(tmp_path / "image.png", np.array([[-3.0, 0.49, 0.5, 254.5, 300.0]]))
    assert images.read_gray(path).tolist() == [[0, 0, 1, 255, 255]]


@pytest.mark.parametrize(
    ("image", "name", "message"),
    [
        (np.zeros((2, 2, 4)), "a.png", r"a\.png: found an array of shape \(2, 2, 4\)"),
        (np.zeros((0, 2)), "a.png", "shape"),
        (np.array([[np.nan, 1.0]]), "a.png", "non-finite"),
        (np.zeros((2, 2)), "a.xyz", r"suffix '\.xyz'"),
    ],
)
def test_write_refuses(tmp_path, image, name, message):
    with pytest.raises(images.ImageError, match=message):
        images.write_image(tmp_path / name, image)
    assert not list(tmp_path.iterdir())


def test_resize_kinds():
    image = np.random.default_rng(1).integers(0, 256, (20, 30), dtype=np.uint8)
    assert np.array_equal(images.resize(image, (10, 10)), cv2.resize(image, (10, 10), interpolation=cv2.INTER_LINEAR))
    assert np.array_equal(images.resize(image, (10, 10), "bicubic"), images.matlab_imresize(image, (10, 10)))
    assert np.array_equal(images.resize(image, (20, 30)), image)
    with pytest.raises(ValueError, match="kind: found 'lanczos'"):
        images.resize(image, (10, 10), "lanczos")


def test_ycbcr_is_invertible_and_keeps_grey():
    image = np.random.default_rng(2).integers(0, 256, (9, 8, 3)).astype(float)
    assert np.abs(images.from_ycbcr(images.to_ycbcr(image)) - image).max() < 1e-9
    gray = np.repeat(image[..., :1], 3, axis=2)
    assert np.allclose(images.to_ycbcr(gray), np.stack([gray[..., 0], np.full((9, 8), 128), np.full((9, 8), 128)], axis=2))
    assert np.abs(images.to_ycbcr(image)[..., 0] - images.to_gray(image.astype(np.uint8))).max() <= 0.51, "luma is OpenCV's, unrounded"


@pytest.mark.parametrize("quality", [10, 75, 95])
def test_through_jpeg_is_another_codecs_file(quality, tmp_path):
    gray = np.random.default_rng(0).normal(128, 30, (45, 61)).cumsum(axis=1) % 256
    PIL.Image.fromarray(images.to_uint8(gray)).save(tmp_path / "stored.jpg", quality=quality)
    stored = np.asarray(PIL.Image.open(tmp_path / "stored.jpg"))
    assert np.abs(images.through_jpeg(gray, quality).astype(int) - stored).max() <= 1


def test_through_jpeg_keeps_the_order_of_colours(tmp_path):
    colour = dataset("sample", color=True)["astronaut"].visible
    PIL.Image.fromarray(colour).save(tmp_path / "stored.jpg", quality=75)
    stored = np.asarray(PIL.Image.open(tmp_path / "stored.jpg"))
    assert np.abs(images.through_jpeg(colour, 75).astype(int) - stored).mean() < 1
    assert np.abs(images.through_jpeg(colour[..., ::-1], 75).astype(int) - stored).mean() > 5
