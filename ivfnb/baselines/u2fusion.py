"""U2Fusion: one densely connected network for several kinds of fusion, trained without a ground truth.

Recipe, parameters and departures stand with the network, in `networks/u2fusion.py`.
"""

from ivfnb.baselines.registry import Competitor, Late, Published, Variant, register

register(
    Competitor(
        "U2Fusion",
        Late("ivfnb.baselines.networks.u2fusion"),
        "Xu, Ma, Jiang, Guo and Ling, U2Fusion: A unified unsupervised image fusion network, IEEE "
        "Transactions on Pattern Analysis and Machine Intelligence 44(1):502-518, 2022",
        "10.1109/TPAMI.2020.3012548",
        row=15,
        variants=(
            Variant("", {"order": "infrared first"}, "infrared first", ("tno21",)),
            Variant("visible first", {"order": "visible first"}, published=("vifb21",)),
        ),
        published={"tno21": Published(), "vifb21": Published("VIFB's run")},
        color=Late("ivfnb.baselines.networks.u2fusion", "fuse_color"),
        fetched=True,
    )
)
