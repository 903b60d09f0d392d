"""Metrics of fused images: the paper's eleven and more, each by its published definition, in the conventions in use.

Each metric is a function of arrays, such as `spatial_frequency(fused)` or `qabf(fused, infrared, visible)`; `METRICS` says what is known
of it, and `score` computes any of them for one fused image and its sources. `register` adds one, from any package (see `metric`).
"""

from ivfnb.metrics.contrast import average_gradient, definition, spatial_frequency, standard_deviation, standard_deviation_vifb
from ivfnb.metrics.correlations import correlation_coefficient, scd, scd_released
from ivfnb.metrics.edges import edge_intensity, nabf, qabf
from ivfnb.metrics.entropies import cross_entropy, entropy
from ivfnb.metrics.errors import psnr, psnr_vifb, rmse, rmse_vifb
from ivfnb.metrics.features import fmi_dct, fmi_pixel, fmi_wavelet
from ivfnb.metrics.fidelity import vif, viff
from ivfnb.metrics.mutual import mutual_information, mutual_information_released, mutual_information_vifb, nmi, qncie
from ivfnb.metrics.perception import qcb, qcv
from ivfnb.metrics.registry import CONVENTIONS, ELEVEN, METRICS, Metric, added, variant
from ivfnb.metrics.registry import metric as register
from ivfnb.metrics.scoring import score
from ivfnb.metrics.structure import ms_ssim, qy, ssim, ssim_vifb

__all__ = [
    "CONVENTIONS",
    "ELEVEN",
    "METRICS",
    "Metric",
    "added",
    "average_gradient",
    "correlation_coefficient",
    "cross_entropy",
    "definition",
    "edge_intensity",
    "entropy",
    "fmi_dct",
    "fmi_pixel",
    "fmi_wavelet",
    "ms_ssim",
    "mutual_information",
    "mutual_information_released",
    "mutual_information_vifb",
    "nabf",
    "nmi",
    "psnr",
    "psnr_vifb",
    "qabf",
    "qcb",
    "qcv",
    "qncie",
    "qy",
    "register",
    "rmse",
    "rmse_vifb",
    "scd",
    "scd_released",
    "score",
    "spatial_frequency",
    "ssim",
    "ssim_vifb",
    "standard_deviation",
    "standard_deviation_vifb",
    "variant",
    "vif",
    "viff",
]
