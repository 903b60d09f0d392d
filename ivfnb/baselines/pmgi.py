"""PMGI: two paths, of gradients and of intensities, that exchange features twice and are merged at the end.

Recipe, parameters and departures stand with the network, in `networks/pmgi.py`.
"""

from ivfnb.baselines.registry import Competitor, Late, Published, Variant, register

register(
    Competitor(
        "PMGI",
        Late("ivfnb.baselines.networks.pmgi"),
        "Zhang, Xu, Xiao, Guo and Ma, Rethinking the image fusion: A fast unified image fusion network based "
        "on proportional maintenance of gradient and intensity, AAAI 34(07):12797-12804, 2020",
        "10.1609/aaai.v34i07.6975",
        row=10,
        variants=(Variant(published=("tno21",)),),
        published={"tno21": Published()},
        fetched=True,
    )
)
