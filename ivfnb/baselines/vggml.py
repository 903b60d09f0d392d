"""VggML: details weighed by what several layers of VGG-19 make of them, the largest of the weighted details taken.

Recipe, parameters and departures stand with the network, in `networks/vggml.py`.
"""

from ivfnb.baselines.registry import Competitor, Late, Published, Variant, register

register(
    Competitor(
        "VggML",
        Late("ivfnb.baselines.networks.vggml"),
        "Li, Wu and Kittler, Infrared and visible image fusion using a deep learning framework, ICPR 2018, pp. 2705-2710",
        "10.1109/ICPR.2018.8546006",
        row=13,
        variants=(Variant(published=("tno21",)),),
        published={"tno21": Published("its authors' run")},
        fetched=True,
    )
)
