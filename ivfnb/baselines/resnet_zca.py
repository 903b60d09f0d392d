"""ResNet-ZCA: the sources weighed by whitened features of ResNet-50, whose weights the user provides.

Recipe, parameters and departures stand with the network, in `networks/resnet_zca.py`.
"""

from ivfnb.baselines.registry import Competitor, Late, Published, register

register(
    Competitor(
        "ResNet-ZCA",
        Late("ivfnb.baselines.networks.resnet_zca"),
        "Li, Wu and Durrani, Infrared and visible image fusion with ResNet and zero-phase component analysis, "
        "Infrared Physics and Technology 102:103039, 2019",
        "10.1016/j.infrared.2019.103039",
        row=16,
        published={"tno21": Published(), "vifb21": Published("VIFB's run", "ResNet")},
        fetched=True,
    )
)
