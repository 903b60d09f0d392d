"""Where comparison methods register: each file of this folder describes its method once, and other distributions can add theirs.

A method of another distribution is found through the entry point group `ivfnb.methods`, whose value is a module that calls `register`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy as np

from ivfnb import files, images, paths
from ivfnb.baselines.common import weights
from ivfnb.baselines.description import Competitor, Late, Published, Variant
from ivfnb.images import Image

__all__ = ["BASELINES", "COMPETITORS", "Baseline", "Competitor", "Late", "Published", "Variant", "register", "rows_of_paper"]
HERE = ("description", "registry")  # modules of this folder that hold no method


@dataclass(frozen=True)
class Baseline:
    """A comparison method in one of its variants, as `BASELINES` has it by name."""

    competitor: Competitor
    variant: Variant

    @property
    def name(self) -> str:
        """The paper's name for the method, with what differs in brackets."""
        return f"{self.competitor.name} ({self.variant.name})" if self.variant.name else self.competitor.name

    @property
    def citation(self) -> str:
        """Publication of the method."""
        return self.competitor.citation

    @property
    def doi(self) -> str:
        """Its DOI, where it has one."""
        return self.competitor.doi

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Keyword arguments of the method's function."""
        return self.variant.parameters

    @property
    def published(self) -> dict[str, str]:
        """Name of the published images that were made in this very variant, by set of pairs."""
        return {of_set: self.competitor.label(of_set) for of_set in self.variant.published}

    @property
    def weights_file(self) -> Path | None:
        """File in data/weights/ that the method learned here; None where it learned nothing, or takes the authors' weights."""
        name = self.variant.weights or self.competitor.weights
        return paths.root() / "data" / "weights" / name if name else None

    @property
    def fetched(self) -> bool:
        """Whether it runs on weights that `ivfnb fetch weights/<name>` brings."""
        return self.competitor.fetched and not self.variant.weights

    def lacks(self) -> str:
        """What is missing to run the method here, and how to get it; "" where nothing is."""
        if isinstance(self.competitor.function, Late) and find_spec("torch") is None:
            return "torch: pip install 'ivfnb[network]'"
        if self.fetched and not weights.is_at_hand(self.competitor.name):
            return f"its authors' weights: ivfnb fetch {weights.PREFIX}{self.competitor.name}"
        if self.weights_file is not None and not self.weights_file.is_file():
            return f"{self.weights_file.name}, which lies in data/weights/ of the repository"
        return ""

    def fingerprint(self) -> dict[str, str]:
        """Hash of every file that the method learned, by name; empty where it learned nothing."""
        own = [self.weights_file] if self.weights_file else []
        return {path.name: files.digest(path) for path in [*own, *(weights.files(self.competitor.name).values() if self.fetched else [])]}

    def fuse(self, infrared: Image, visible: Image, **changed: Any) -> Image:
        """Fuse a registered pair.

        Parameters
        ----------
        infrared, visible : arrays (h, w), levels 0..255, of one size of at least 2x2
        changed : replaces `parameters`

        Returns
        -------
        array (h, w), float64
            Levels 0..255, not rounded.

        Raises
        ------
        ImageError
            For images that are not grey, not in range or not of one size.
        ValueError
            For a parameter out of its range.

        Examples
        --------
        >>> import numpy as np
        >>> BASELINES["Maximum"].fuse(np.array([[0, 9], [5, 5]]), np.array([[3, 3], [5, 5]]))
        array([[3., 9.],
               [5., 5.]])
        """
        assert self.competitor.function is not None  # BASELINES holds none without
        return self.competitor.function(infrared, visible, **{**self.variant.parameters, **changed})

    def image(self, infrared: Image, visible: Image) -> Image:
        """Fused image to look at, uint8: (h, w), or (h, w, 3) RGB where the visible image is coloured.

        Of a coloured image the luma (ITU-R BT.601, rounded) is fused and the chroma carried over, as `ivfnb.fuse` does it.
        """
        fused = self.fuse(infrared, images.to_gray(visible))
        if np.ndim(visible) == 2:
            return images.to_uint8(fused)
        return images.to_uint8(images.from_ycbcr(np.dstack([fused, images.to_ycbcr(visible)[..., 1:]])))


_REGISTERED: dict[str, Competitor] = {}


def register(competitor: Competitor) -> Competitor:
    """Make a comparison method known by its name, and give it back. ValueError where the name, or the paper's row, is taken already."""
    if (other := _REGISTERED.get(competitor.name)) is not None:
        raise ValueError(f"{competitor.name}: found a method of this name already ({other.citation}), expected a new name")
    if competitor.row is not None and competitor.row in {known.row for known in _REGISTERED.values()}:
        raise ValueError(f"{competitor.name}: found row {competitor.row} of the paper taken already, expected another or None")
    _REGISTERED[competitor.name] = competitor
    return competitor


class _Competitors(Mapping[str, Competitor]):
    """Every method by name: references, the paper's in its order, then others as they came; looked for at the first look."""

    @cached_property
    def _found(self) -> dict[str, Competitor]:
        for module in sorted(each.name for each in iter_modules([str(Path(__file__).parent)]) if not each.ispkg):
            if module not in HERE:
                import_module(f"ivfnb.baselines.{module}")
        own = list(_REGISTERED.values())
        paths.additions("ivfnb.methods")
        added = [each for each in _REGISTERED.values() if each not in own]
        return {each.name: each for each in [*sorted(own, key=lambda each: (not each.reference, each.row or 0)), *added]}

    def __getitem__(self, name: str) -> Competitor:
        return {**self._found, **_REGISTERED}[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._found, **_REGISTERED})

    def __len__(self) -> int:
        return len({**self._found, **_REGISTERED})


class _Baselines(Mapping[str, Baseline]):
    """Every method that can be run, in each of its variants, by name."""

    def _all(self) -> dict[str, Baseline]:
        runnable = (each for each in COMPETITORS.values() if each.function is not None)
        found = (Baseline(each, variant) for each in runnable for variant in each.variants)
        return {baseline.name: baseline for baseline in found}

    def __getitem__(self, name: str) -> Baseline:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


COMPETITORS: Mapping[str, Competitor] = _Competitors()
BASELINES: Mapping[str, Baseline] = _Baselines()


def rows_of_paper() -> list[Competitor]:
    """The paper's 17 competitors, in its order."""
    return sorted((each for each in COMPETITORS.values() if each.row is not None), key=lambda each: each.row or 0)
