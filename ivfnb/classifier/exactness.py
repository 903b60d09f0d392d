"""Inference with all bits of float32, or with those that are asked for, whatever torch is set to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ivfnb.classifier.folding import PRECISIONS
from ivfnb.classifier.network import EResNet

_DEVICE = threading.RLock()  # one thread at a time on CUDA, where settings differ from call to call
_COUNT = threading.Lock()
_on_processor: list[str] = []  # for each call that is under way on the processor, what oneDNN was set to before it


@contextmanager
def exactly(net: EResNet, precision: str = "float32") -> Iterator[None]:
    """Inference in eval mode; the network and torch's settings are put back.

    Parameters
    ----------
    net : EResNet
    precision : str
        "float32": every bit; by default CUDA's convolutions round to TF32, and `torch.set_float32_matmul_precision` may have made all
        products do so. "tf32": on CUDA, that rounding. "bfloat16": sums of its products in float32.

    Raises
    ------
    ValueError
        For a precision that is unknown, or not for the network's device.

    Examples
    --------
    >>> net = EResNet()
    >>> with exactly(net):
    ...     net.training, torch.is_grad_enabled()
    (False, False)
    """
    where = net.normalisation.device.type
    if precision not in PRECISIONS or (precision == "tf32" and where != "cuda"):
        raise ValueError(f"precision: found {precision!r} on {where}, expected one of {PRECISIONS}, tf32 on cuda alone")
    was_training = net.training
    try:
        with _cuda(precision) if where == "cuda" else _processor(), torch.inference_mode():
            net.eval()
            yield
    finally:
        net.train(was_training)


@contextmanager
def _cuda(precision: str) -> Iterator[None]:
    products = torch.backends.cuda.matmul
    kinds = products, torch.backends.cudnn.conv  # type: ignore[attr-defined]  # set on import, unseen by mypy
    with _DEVICE:
        before, reduced = [kind.fp32_precision for kind in kinds], products.allow_bf16_reduced_precision_reduction
        try:
            for kind in kinds:
                kind.fp32_precision = "tf32" if precision == "tf32" else "ieee"
            products.allow_bf16_reduced_precision_reduction = False
            yield
        finally:
            products.allow_bf16_reduced_precision_reduction = reduced
            for kind, setting in zip(kinds, before, strict=True):
                kind.fp32_precision = setting


@contextmanager
def _processor() -> Iterator[None]:
    """Several threads may be here at once: the first one's settings are put back by the last."""
    products = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    with _COUNT:
        _on_processor.append(products.fp32_precision if not _on_processor else _on_processor[0])
        products.fp32_precision = "ieee"
    try:
        yield
    finally:
        with _COUNT:
            before = _on_processor.pop()
            if not _on_processor:
                products.fp32_precision = before
