"""Mutual information of the fused image and its sources, from joint histograms of 256x256 bins, and what is made of it.

The joint histogram of a pair is made once, whatever asks for it (`ivfnb.metrics.planes`).
"""

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.planes import entropy_bits, plane
from ivfnb.metrics.registry import metric, variant


@metric(
    "MI",
    direction="higher",
    unit="bit",
    value_range=(0, 16),
    reference="Qu, Zhang and Yan 2002, doi 10.1049/el:20020212",
    conventions=("vifb",),
)
def mutual_information(fused: Image, infrared: Image, visible: Image) -> float:
    """Mutual information (MI): what F tells of the infrared image plus what it tells of the visible one; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        Bits, 0 to 16; twice the entropy where all three images are equal.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    From joint histograms of 256x256 bins. The released evaluator gives twice the entropy of F instead
    (`mutual_information_released`), VIFB the same sum in nats (`mutual_information_vifb`).

    References
    ----------
    Qu, Zhang and Yan 2002, doi 10.1049/el:20020212

    Examples
    --------
    >>> import numpy as np
    >>> columns = np.array([[0, 9], [0, 9]])
    >>> mutual_information(columns, columns, columns.T)
    1.0
    """
    return sum(plane(source).shared_bits(plane(fused)) for source in (infrared, visible))


@variant("MI", convention="as_released")
def mutual_information_released(fused: Image, infrared: Image, visible: Image) -> float:
    """ "MI" as released: twice the entropy of F, whatever the sources, since the evaluator mistakes rows for records.

    Parameters and errors are those of `mutual_information`.

    Examples
    --------
    >>> import numpy as np
    >>> columns = np.array([[0, 9], [0, 9]])
    >>> mutual_information_released(columns, columns, columns.T)
    2.0
    """
    return 2 * plane(fused).entropy


@variant("MI", convention="vifb")
def mutual_information_vifb(fused: Image, infrared: Image, visible: Image) -> float:
    """MI of the benchmark VIFB: in nats. (It stretches images to 0..255 first, which changes no mutual information.)

    Parameters and errors are those of `mutual_information`.

    Examples
    --------
    >>> import numpy as np
    >>> columns = np.array([[0, 9], [0, 9]])
    >>> mutual_information_vifb(columns, columns, columns.T)
    0.693...
    """
    return mutual_information(fused, infrared, visible) * float(np.log(2))


@metric(
    "NMI",
    direction="higher",
    unit="1",
    value_range=(0, 2),
    reference="Hossny, Nahavandi and Creighton 2008, doi 10.1049/el:20081754",
)
def nmi(fused: Image, infrared: Image, visible: Image) -> float:
    """Normalised mutual information (NMI): mutual information relative to the entropies; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        0 to 2; 2 where all three images are equal and not constant.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Sum over the sources X of 2*MI(X, F)/(H(X) + H(F)); 0 for a source where both are constant.

    References
    ----------
    Hossny, Nahavandi and Creighton 2008, doi 10.1049/el:20081754

    Examples
    --------
    >>> import numpy as np
    >>> columns = np.array([[0, 9], [0, 9]])
    >>> nmi(columns, columns, columns.T)
    1.0
    """
    result = 0.0
    for source in (infrared, visible):
        total = plane(source).entropy + plane(fused).entropy
        result += 2 * plane(source).shared_bits(plane(fused)) / total if total > 0 else 0.0
    return result


@metric(
    "Qncie",
    direction="higher",
    unit="1",
    value_range=(0, 1),
    reference="Wang, Shen and Zhang 2005, doi 10.1016/j.physd.2004.11.001",
)
def qncie(fused: Image, infrared: Image, visible: Image) -> float:
    """Nonlinear correlation information entropy (Qncie) of infrared, visible and fused image; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        1 - log256(3) = 0.80 (independent images) to 1.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    1 plus the entropy-like sum of r/3 log256(r/3) over the eigenvalues r of the matrix of their mutual informations in units of log 256,
    with ones on the diagonal.

    References
    ----------
    Wang, Shen and Zhang 2005, doi 10.1016/j.physd.2004.11.001

    Examples
    --------
    >>> import numpy as np
    >>> columns = np.array([[0, 9], [0, 9]])
    >>> qncie(columns, columns, columns.T)
    0.802...
    """
    pairs = (infrared, visible), (infrared, fused), (visible, fused)
    between, infrared_fused, visible_fused = (plane(first).shared_bits(plane(second)) / 8 for first, second in pairs)
    matrix = [[1, between, infrared_fused], [between, 1, visible_fused], [infrared_fused, visible_fused, 1]]
    return 1 - entropy_bits(np.linalg.eigvalsh(matrix) / 3) / 8
