"""Where a network runs, and what multiplies fast there."""

import torch


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """The device that a setting means.

    Parameters
    ----------
    device : str or torch.device
        A name of torch's; "auto": CUDA where there is one, else the processor.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        For a name that torch does not know, or CUDA where there is none.

    Examples
    --------
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device: found {device!r}, expected auto, cpu, cuda or cuda:NUMBER") from error
    if found.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device: found {device!r} where torch sees no CUDA device, expected auto or cpu")
    return found


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether matrix products in bfloat16 run in hardware.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    bool
        On CUDA from Ampere on; on a processor with AVX-512 BF16 or AMX.

    Examples
    --------
    >>> has_fast_bfloat16(torch.device("meta"))
    False
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
