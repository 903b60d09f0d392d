"""Files to arrays and back, and the few resizing rules the field's codes differ in.

A grey image is a 2-D array of grey levels 0..255; a colour image is h x w x 3, RGB.
"""

from ivfnb.images.arrays import Image, ImageError, from_ycbcr, plain, to_gray, to_uint8, to_ycbcr
from ivfnb.images.ranges import ImageWarning, Levels, LevelsWarning, as_levels, by_role, is_coloured, levels, warn_of_colours, without_doubt
from ivfnb.images.resizing import matlab_imresize, resize
from ivfnb.images.storage import decode, read_color, read_gray, read_header, read_image, read_infrared, through_jpeg, write_image

__all__ = [
    "Image",
    "ImageError",
    "ImageWarning",
    "Levels",
    "LevelsWarning",
    "as_levels",
    "by_role",
    "decode",
    "from_ycbcr",
    "is_coloured",
    "levels",
    "matlab_imresize",
    "plain",
    "read_color",
    "read_gray",
    "read_header",
    "read_image",
    "read_infrared",
    "resize",
    "through_jpeg",
    "to_gray",
    "to_uint8",
    "to_ycbcr",
    "warn_of_colours",
    "without_doubt",
    "write_image",
]
