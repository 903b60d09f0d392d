"""The networks written plainly, whole images at once, with nothing shared with the package: what its streams must equal."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Values = dict[str, np.ndarray]


def kernel(values: Values, name: str) -> Tensor:
    return torch.from_numpy(values[name]).permute(3, 2, 0, 1).double()


def vector(values: Values, name: str) -> Tensor:
    return torch.from_numpy(values[name]).double()


def image(*planes: np.ndarray) -> Tensor:
    return torch.from_numpy(np.stack(planes)).double()[None]


def mirrored(features: Tensor, values: Values, scope: str, stride: int = 1) -> Tensor:
    padded = functional.pad(features, (1, 1, 1, 1), mode="reflect")
    return functional.conv2d(padded, kernel(values, f"{scope}/kernel"), vector(values, f"{scope}/bias"), stride)


def normalised(features: Tensor, epsilon: float) -> Tensor:
    average, variance = features.mean((2, 3), keepdim=True), features.var((2, 3), keepdim=True, unbiased=False)
    return (features - average) / (variance + epsilon).sqrt()


def leaky(features: Tensor) -> Tensor:
    return functional.leaky_relu(features, 0.2)


def densefuse(infrared: np.ndarray, visible: np.ndarray, values: Values) -> np.ndarray:
    total = 0
    for plane in (infrared, visible):
        code = mirrored(image(plane), values, "encoder/conv1_1").relu()
        for number in (1, 2, 3):
            code = torch.cat((mirrored(code, values, f"encoder/dense_block_conv{number}").relu(), code), 1)
        total = total + code
    for number in (1, 2, 3):
        total = mirrored(total, values, f"decoder/conv2_{number}").relu()
    return mirrored(total, values, "decoder/conv2_4")[0, 0].numpy()


def u2fusion(first: np.ndarray, second: np.ndarray, values: Values) -> np.ndarray:
    code = leaky(mirrored(image(first, second) / 255, values, "Generator/encoder/conv1_1"))
    for number in range(1, 6):
        code = torch.cat((leaky(mirrored(code, values, f"Generator/encoder/dense_block_conv{number}")), code), 1)
    for number in (1, 2, 3):
        code = leaky(mirrored(code, values, f"Generator_1/decoder/conv2_{number}"))
    return (mirrored(code, values, "Generator_1/decoder/conv2_4").tanh() / 2 + 0.5)[0, 0].numpy()


def pmgi(infrared: np.ndarray, visible: np.ndarray, values: Values) -> np.ndarray:
    def layer(features: Tensor, name: str) -> Tensor:
        weight = kernel(values, f"fusion_model/layer{name}/w{name}")
        return functional.conv2d(features, weight, vector(values, f"fusion_model/layer{name}/b{name}"), padding=weight.shape[-1] // 2)

    def active(features: Tensor, name: str) -> Tensor:
        return leaky(normalised(layer(features, name), 1.001e-5))

    ir, vis = ((plane - 127.5) / 127.5 for plane in (infrared.astype(float), visible.astype(float)))
    a1, b1 = active(image(ir, ir, vis), "1"), active(image(vis, vis, ir), "1_vi")
    a2, b2 = active(a1, "2"), active(b1, "2_vi")
    both = torch.cat((a2, b2), 1)
    a3 = active(torch.cat((a1, a2, active(both, "2_3")), 1), "3")
    b3 = active(torch.cat((b1, b2, active(both, "2_3_vi")), 1), "3_vi")
    both = torch.cat((a3, b3), 1)
    a4 = active(torch.cat((a1, a2, a3, active(both, "3_4")), 1), "4")
    b4 = active(torch.cat((b1, b2, b3, active(both, "3_4_vi")), 1), "4_vi")
    return layer(torch.cat((a1, b1, a2, b2, a3, b3, a4, b4), 1), "5").tanh()[0, 0].numpy()


def batch_norm(features: Tensor, values: Values, scope: str, own: bool) -> Tensor:
    gamma, beta, average, variance = (
        vector(values, f"{scope}/batch_normalization/{name}").view(1, -1, 1, 1)
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    return (normalised(features, 1e-3) if own else (features - average) / (variance + 1e-3).sqrt()) * gamma + beta


def ddcgan(infrared: np.ndarray, visible: np.ndarray, values: Values) -> np.ndarray:
    code = image(visible, infrared) / 255
    for number, name in enumerate(("conv1_1", *(f"dense_block_conv{number}" for number in range(1, 5)))):
        new = batch_norm(mirrored(code, values, f"Generator/encoder/{name}"), values, f"Generator/encoder/b{number}", own=True).relu()
        code = torch.cat((new, code), 1) if number else new
    code = mirrored(code, values, "Generator_1/decoder/conv2_1").relu()
    for number, name in enumerate(("conv2_1", "conv2_1_1", "conv2_2", "conv2_3")):
        code = batch_norm(mirrored(code, values, f"Generator_1/decoder/{name}"), values, f"Generator/decoder/b{number}", own=True).relu()
    return (mirrored(code, values, "Generator_1/decoder/conv2_4").tanh() / 2 + 0.5)[0, 0].numpy()


def mefgan(over: np.ndarray, under: np.ndarray, values: Values) -> np.ndarray:
    values = dict(values)
    for name in [name for name in values if name.endswith("/u")]:  # spectral norm of the kernel that belongs to u
        layer = name.removesuffix("/u").removeprefix("Generator/")
        layer = layer.removesuffix("/b") if layer.endswith("/b") else layer.rpartition("/")[0]
        (which,) = (key for key in values if key.endswith(f"/{layer}/kernel"))
        matrix = values[which].astype(float).reshape(-1, values[which].shape[-1])
        left = matrix @ values[name][0]
        left /= np.linalg.norm(left)
        values[which] = (values[which] / np.linalg.norm(left @ matrix)).astype(np.float64)

    def layer(features: Tensor, number: int, name: str, stride: int = 1) -> Tensor:
        scope = f"Generator_{number}/{name}" if number else f"Generator/{name}"
        return batch_norm(mirrored(features, values, scope, stride), values, f"Generator/{name}/b", own=False)

    pair = image(over, over, over, under, under, under) / 255
    local = leaky(layer(pair, 0, "Local_net/conv1"))
    for number in range(1, 5):
        local = torch.cat((local, leaky(layer(local, number, f"Local_net/conv{number + 1}"))), 1)
    around = functional.max_pool2d(leaky(layer(pair, 5, "Sa_net/encoder/conv1", 2)), 2)
    around = leaky(layer(around, 6, "Sa_net/encoder/conv2", 2))
    f, g, h = (
        functional.conv2d(around, kernel(values, f"{scope}/kernel"), vector(values, f"{scope}/bias"))[0].flatten(1)
        for scope in (f"Generator_7/self_attention/{name}_conv" for name in "fgh")
    )
    found = (g.T @ f).softmax(1) @ h.T
    around = around + values["Generator_7/self_attention/gamma"].item() * found.T.reshape(around.shape)
    for number, name in ((8, "Sa_net/decoder/conv1"), (9, "Sa_net/decoder/conv2")):
        around = leaky(layer(around.repeat_interleave(2, 2).repeat_interleave(2, 3), number, name))
    merged = torch.cat((local, around.repeat_interleave(2, 2).repeat_interleave(2, 3)), 1)
    for number, name in ((10, "Merge_net/conv1"), (11, "Merge_net/conv3")):
        merged = leaky(layer(merged, number, name))
    colour = layer(merged, 12, "Merge_net/conv4").tanh() / 2 + 0.5
    return (colour[0] * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(0).numpy()
