"""Files to arrays and back, and the few resizing rules the field's codes differ in.

A grey image is a 2-D array of grey levels 0..255; a colour image is h x w x 3, RGB.
"""

from ivfnb.images import pages
from ivfnb.images.arrays import Image, ImageError, bands, from_ycbcr, plain, to_gray, to_uint8, to_ycbcr
from ivfnb.images.checks import as_levels, levels
from ivfnb.images.doubts import ImageWarning, LevelsWarning, is_coloured, warn_of_colours, warn_of_unit, without_doubt
from ivfnb.images.headers import header_of, read_header
from ivfnb.images.ranges import Levels, by_role
from ivfnb.images.reading import decode, read_color, read_gray, read_image, read_infrared
from ivfnb.images.resizing import matlab_imresize, resize
from ivfnb.images.storage import through_jpeg
from ivfnb.images.writing import LossyWarning, check_format, read_text, write_image

pages.keep()

__all__ = [
    "Image",
    "ImageError",
    "ImageWarning",
    "Levels",
    "LevelsWarning",
    "LossyWarning",
    "as_levels",
    "bands",
    "by_role",
    "check_format",
    "decode",
    "from_ycbcr",
    "header_of",
    "is_coloured",
    "levels",
    "matlab_imresize",
    "plain",
    "read_color",
    "read_gray",
    "read_header",
    "read_image",
    "read_infrared",
    "read_text",
    "resize",
    "through_jpeg",
    "to_gray",
    "to_uint8",
    "to_ycbcr",
    "warn_of_colours",
    "warn_of_unit",
    "without_doubt",
    "write_image",
]
