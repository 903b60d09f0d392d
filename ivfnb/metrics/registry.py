"""The registry of metrics: what each one is, in which direction it is better, and what replaces it in another convention."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ivfnb.images import Image
from ivfnb.metrics import features, further, paper, perception, vif, vifb
from ivfnb.metrics.triple import SMALLEST, Triple, check_image

JAGALINGAM = "Jagalingam and Hegde 2015, doi 10.1016/j.aqpro.2015.02.019"


@dataclass(frozen=True)
class Metric:
    """One metric. Called with images it checks them and gives a float; `function` takes a `Triple` already checked."""

    name: str
    function: Callable[[Triple], float]
    unit: str
    direction: str  # "higher" or "lower" is better
    needs_sources: bool
    reference: str  # author, year and DOI
    value_range: tuple[float, float]
    paper: bool = False  # among the paper's eleven
    smallest: int = SMALLEST  # side in pixels of the smallest image it is defined on

    def __call__(self, fused: Image, infrared: Image | None = None, visible: Image | None = None) -> float:
        """Value for grey images of one shape in the standard convention; ValueError for bad input (`score` takes colour as well)."""
        given = {"fused": fused, "infrared": infrared, "visible": visible} if self.needs_sources else {"fused": fused}
        return self.function(make_triple(given, self.smallest, f" for {self.name}"))

    @property
    def arrow(self) -> str:
        """Arrow for table headings: up where higher is better."""
        return "↑" if self.direction == "higher" else "↓"


def make_triple(given: dict[str, Image | None], smallest: int, why: str) -> Triple:
    """Triple of checked grey images; ValueError naming the argument that is missing, of another shape than `fused`, or colour."""
    images = {}
    for name, image in given.items():
        if image is None:
            raise ValueError(f"{name}: found None, expected an image{why}")
        images[name] = check_image(name, image, smallest=smallest, why=why)
        if images[name].ndim != 2:
            raise ValueError(f"{name}: found shape {images[name].shape}, expected a grey image (h, w)")
        if images[name].shape != images["fused"].shape:
            raise ValueError(f"{name}: found shape {images[name].shape}, expected that of fused, {images['fused'].shape}")
    return Triple(**images)


INFINITE = float("inf")
_PAPER = [
    # The levels of a 3x3 Sobel gradient reach 4*255 per axis; both axes cannot reach it at once.
    Metric("EI", paper.edge_intensity, "grey levels", "higher", False, JAGALINGAM, (0, 1443), True),
    Metric(
        "CE",
        paper.cross_entropy,
        "bit",
        "lower",
        True,
        "Bulanon, Burks and Alchanatis 2009, doi 10.1016/j.biosystemseng.2009.02.009",
        (-INFINITE, INFINITE),
        True,
    ),
    Metric(
        "SF", paper.spatial_frequency, "grey levels", "higher", False, "Eskicioglu and Fisher 1995, doi 10.1109/26.477498", (0, 361), True
    ),
    Metric("EN", paper.entropy, "bit", "higher", False, "Roberts, van Aardt and Ahmed 2008, doi 10.1117/1.2945910", (0, 8), True),
    Metric("Qabf", paper.qabf, "1", "higher", True, "Xydeas and Petrovic 2000, doi 10.1049/el:20000267", (0, 1), True),
    Metric("SCD", paper.scd, "1", "higher", True, "Aslantas and Bendes 2015, doi 10.1016/j.aeue.2015.09.004", (-2, 2), True),
    Metric("Nabf", paper.nabf, "1", "lower", True, "Kumar 2013, doi 10.1007/s11760-012-0361-x", (0, 1), True),
    Metric("MI", paper.mutual_information, "bit", "higher", True, "Qu, Zhang and Yan 2002, doi 10.1049/el:20020212", (0, 16), True),
    Metric("SD", paper.standard_deviation, "grey levels", "higher", False, JAGALINGAM, (0, 148), True),
    Metric("DF", paper.definition, "grey levels", "higher", False, JAGALINGAM, (0, 255), True),
    Metric(
        "VIFF",
        vif.viff,
        "1",
        "higher",
        True,
        "Han, Cai, Cao and Xu 2013, doi 10.1016/j.inffus.2011.08.002",
        (0, INFINITE),
        True,
        vif.SMALLEST,
    ),
]
_FMI = "Haghighat, Aghagolzadeh and Seyedarabi 2011, doi 10.1016/j.compeleceng.2011.07.012"
_FURTHER = [
    Metric("AG", further.average_gradient, "grey levels", "higher", False, "Cui et al. 2015, doi 10.1016/j.optcom.2014.12.032", (0, 1020)),
    Metric("PSNR", further.psnr, "dB", "higher", True, JAGALINGAM, (0, INFINITE)),
    Metric("RMSE", further.rmse, "grey levels", "lower", True, JAGALINGAM, (0, 255)),
    Metric(
        "SSIM", further.ssim, "1", "higher", True, "Wang et al. 2004, doi 10.1109/TIP.2003.819861", (-1, 1), smallest=further.SSIM_SMALLEST
    ),
    Metric(
        "MS-SSIM",
        further.ms_ssim,
        "1",
        "higher",
        True,
        "Wang, Simoncelli and Bovik 2003, doi 10.1109/ACSSC.2003.1292216",
        (0, 1),
        smallest=further.MS_SSIM_SMALLEST,
    ),
    Metric("VIF", vif.vif, "1", "higher", True, "Sheikh and Bovik 2006, doi 10.1109/TIP.2005.859378", (0, INFINITE), smallest=vif.SMALLEST),
    Metric("CC", further.cc, "1", "higher", True, JAGALINGAM, (-1, 1)),
    Metric("NMI", further.nmi, "1", "higher", True, "Hossny, Nahavandi and Creighton 2008, doi 10.1049/el:20081754", (0, 2)),
    Metric("FMI_pixel", features.fmi_pixel, "1", "higher", True, _FMI, (-INFINITE, INFINITE), smallest=features.SIDE),
    Metric("FMI_w", features.fmi_wavelet, "1", "higher", True, _FMI, (-INFINITE, INFINITE)),
    Metric("FMI_dct", features.fmi_dct, "1", "higher", True, _FMI, (-INFINITE, INFINITE), smallest=features.SIDE),
    Metric("Qcb", perception.qcb, "1", "higher", True, "Chen and Blum 2009, doi 10.1016/j.imavis.2007.12.002", (0, 1)),
    Metric(
        "Qcv",
        perception.qcv,
        "grey levels squared",
        "lower",
        True,
        "Chen and Varshney 2007, doi 10.1016/j.inffus.2005.10.001",
        (0, INFINITE),
    ),
    Metric(
        "Qy",
        further.qy,
        "1",
        "higher",
        True,
        "Yang et al. 2008 as in Liu et al. 2012, doi 10.1109/TPAMI.2011.109",
        (-1, 1),
        smallest=further.QY_SMALLEST,
    ),
    Metric("Qncie", further.qncie, "1", "higher", True, "Wang, Shen and Zhang 2005, doi 10.1016/j.physd.2004.11.001", (0, 1)),
]
METRICS: dict[str, Metric] = {metric.name: metric for metric in [*_PAPER, *_FURTHER]}
PAPER = tuple(metric.name for metric in _PAPER)


@dataclass(frozen=True)
class Convention:
    """What a convention computes otherwise than the standard one; how `score` prepares the images stands there."""

    names: tuple[str, ...]  # metrics given unless others are asked for
    replaced: dict[str, Callable[[Triple], float]] = field(default_factory=dict)
    channels: str = "luma"  # what colour images are scored on, unless said otherwise
    side_by_side: tuple[str, ...] = ()  # metrics of which "mean" is that of the colour channels set side by side
    only_names: bool = False  # whether other metrics than `names` have no meaning in it


CONVENTIONS: dict[str, Convention] = {
    "standard": Convention(PAPER),
    "as_released": Convention(PAPER, {"SCD": paper.scd_saturated, "MI": paper.mutual_information_released}),
    "vifb": Convention(vifb.NAMES, vifb.REPLACED, "mean", vifb.SIDE_BY_SIDE, only_names=True),
}
