"""RFN-Nest: NestFuse's auto-encoder with learned residual blocks that fuse the features.

Recipe, parameters and departures stand with the network, in `networks/rfn_nest.py`.
"""

from ivfnb.baselines.registry import Competitor, Late, Published, Variant, register

register(
    Competitor(
        "RFN-Nest",
        Late("ivfnb.baselines.networks.rfn_nest"),
        "Li, Wu and Kittler, RFN-Nest: An end-to-end residual fusion network for infrared and visible images, "
        "Information Fusion 73:72-86, 2021",
        "10.1016/j.inffus.2021.02.023",
        row=17,
        variants=(
            Variant("", {"weights": "authors"}, published=("tno21",)),
            Variant("retrained", {"weights": "own"}, "retrained here", weights="rfn_nest.safetensors"),
        ),
        published={"tno21": Published("its authors' run")},
        cost="slow",
        fetched=True,
    )
)
