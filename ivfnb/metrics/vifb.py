"""What the benchmark VIFB computes by another rule: its thirteen metrics are given per colour channel, then averaged.

Zhang, Ye and Xiao 2020, doi 10.1109/CVPRW50498.2020.00060. The rules are those of its public code, confirmed on all its published values.
"""

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics import further
from ivfnb.metrics.triple import Triple

NAMES = ("CE", "EN", "MI", "PSNR", "AG", "EI", "Qabf", "SD", "SF", "RMSE", "SSIM", "Qcb", "Qcv")
SIDE_BY_SIDE = ("SF",)  # computed on the colour channels set side by side, across whose seams differences are taken as well


def mutual_information(triple: Triple) -> float:
    """MI of VIFB: sum over the sources in nats. (It stretches images to 0..255 first, which changes no mutual information.)"""
    return sum(triple.mutual_information) * float(np.log(2))


def _root_error(source: Image, fused: Image) -> float:
    """Root of the SUM of squared errors, divided by the number of pixels: smaller than the RMSE by the root of that number."""
    return float(np.sqrt(np.sum((source - fused) ** 2)) / source.size)


def rmse(triple: Triple) -> float:
    """RMSE of VIFB: mean over the sources of sqrt(sum of squared errors)/(h*w), which shrinks as the image grows."""
    return further.mean_over_sources(triple, _root_error)


def psnr(triple: Triple) -> float:
    """PSNR of VIFB, dB: 10 log10(255^2/RMSE) with VIFB's RMSE where a mean squared error belongs; infinite for identical images."""
    error = rmse(triple)
    return 10 * float(np.log10(255**2 / error)) if error > 0 else float("inf")


def ssim(triple: Triple) -> float:
    """SSIM of VIFB, -2 to 2: the sum over the sources, not the mean."""
    return 2 * further.ssim(triple)


def standard_deviation(triple: Triple) -> float:
    """SD of VIFB, grey levels: divisor N."""
    return float(triple.fused.levels.std())


REPLACED = {"MI": mutual_information, "RMSE": rmse, "PSNR": psnr, "SSIM": ssim, "SD": standard_deviation}
