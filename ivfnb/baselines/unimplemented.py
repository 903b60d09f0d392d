"""The paper's learned competitors of which only published images can be had."""

from ivfnb.baselines.registry import Competitor, Published, register

NETWORK = "its trained network"
for row, name, needs, published in (
    (6, "DenseFuse", NETWORK, {"tno21": Published("addition")}),
    (7, "NestFuse", NETWORK, {"tno21": Published("pair 01 by its authors, else a third party's run")}),
    (8, "DDcGAN", NETWORK, {"tno21": Published("cropped to multiples of 4")}),
    (9, "MEF-GAN", NETWORK, {"tno21": Published("cropped to multiples of 8, a third party's run")}),
    (10, "PMGI", NETWORK, {"tno21": Published()}),
    (11, "CNN", NETWORK, {"tno21": Published("a third party's run")}),
    (13, "VggML", "VGG-19 trained on ImageNet", {"tno21": Published("its authors' run")}),
    (14, "IFCNN", NETWORK, {"tno21": Published("elementwise maximum"), "vifb21": Published("VIFB's run")}),
    (15, "U2Fusion", NETWORK, {"tno21": Published(), "vifb21": Published("VIFB's run")}),
    (16, "ResNet-ZCA", "ResNet-50 trained on ImageNet", {"tno21": Published(), "vifb21": Published("VIFB's run", "ResNet")}),
    (17, "RFN-Nest", NETWORK, {"tno21": Published("its authors' run")}),
):
    register(Competitor(name, None, "", row=row, published=published, needs=needs))
