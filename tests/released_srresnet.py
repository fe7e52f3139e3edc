"""The released SRResNet's forward pass at inference, in NumPy float64, from its state dict.

Written from the paper notes (sections 1.1 to 1.5 and 5), sharing no code with ours. Gumbel noise,
which the released code leaves on in evaluation, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float64]
State = Mapping[str, Array]

_QUANTIZER = {4: 1, 6: 2, 8: 3, 5: 4}


def convolve(x: Array, weight: Array) -> Array:
    """Same-size cross-correlation of (C, H, W) without bias."""
    margin = weight.shape[-1] // 2
    padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin)))
    windows = sliding_window_view(padded, weight.shape[-2:], axis=(1, 2))
    maps: Array = np.einsum("chwij,ocij->ohw", windows, weight, optimize=True)
    return maps


def prelu(x: Array, slope: Array) -> Array:
    return np.where(x >= 0, x, x * slope)


def batch_norm(x: Array, state: State, name: str) -> Array:
    scale = state[f"{name}.weight"] / np.sqrt(state[f"{name}.running_var"] + 1e-5)
    shift = state[f"{name}.bias"] - state[f"{name}.running_mean"] * scale
    return x * scale[:, None, None] + shift[:, None, None]


def quantize(x: Array, step: float, low: int, high: int) -> Array:
    codes: Array = np.rint(np.clip(x / step, low, high))
    return step * codes


def quantized_convolution(x: Array, state: State, name: str, bits: int) -> Array:
    quantizer = f"{name}.quant_act{_QUANTIZER[bits]}"
    signed = state[f"{quantizer}.signed"][0] == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    x = quantize(x, state[f"{quantizer}.alpha"][0], low, high)
    return convolve(x, quantize(state[f"{name}.weight"], state[f"{name}.alpha"][0], -128, 127))


def pixel_shuffle(x: Array, factor: int) -> Array:
    channels, height, width = x.shape
    x = x.reshape(channels // factor**2, factor, factor, height, width)
    return x.transpose(0, 3, 1, 4, 2).reshape(-1, height * factor, width * factor)


def average_pool(x: Array, factor: int) -> Array:
    height, width = (side // factor for side in x.shape[1:])
    x = x[:, : height * factor, : width * factor]
    means: Array = x.reshape(-1, height, factor, width, factor).mean(axis=(2, 4))
    return means


def gate_logits(features: Array, state: State) -> Array:
    coarse = average_pool(average_pool(features, 2), 2)
    fine = average_pool(features, 4)
    median = average_pool(average_pool(features, 2), 2)
    means = np.concatenate([z.mean(axis=(1, 2)) for z in (coarse, fine, median)])
    logits: Array = state["encoder.gate.0.weight"] @ means + state["encoder.gate.0.bias"]
    return logits


def entropy(image: Array) -> float:
    side = min(image.shape[1:])
    luma = np.tensordot([0.2989, 0.5870, 0.1140], image[:, :side, :side], axes=1).ravel() / 255
    kernel = np.exp(-0.5 * ((luma[:, None] - np.linspace(0, 1, 32)) / 0.0255) ** 2)
    pdf = np.maximum(kernel, 1e-40).mean(axis=0)
    pdf = pdf / (pdf.sum() + 1e-40) + 1e-40
    return float(-(pdf * np.log(pdf)).sum())


def choose_bits(image: Array, state: State, table: Mapping[str, float]) -> int:
    """Gate, then, where it says 8, entropy against two entries of the table."""
    features = convolve(image, state["head.0.weight"])
    choice = int(np.argmax(gate_logits(features, state)))
    if choice < 2:
        return (4, 6)[choice]
    keys = (f"encoder.second_divide_bit.fine_grain_ratito{which}" for which in (1, 2))
    low, high = (table[f"{round(state[key].item(), 1) * 100:.1f}"] for key in keys)
    found = entropy(image)
    return 8 if found > high else 4 if found <= low else 5


def upscale(image: Array, state: State, bits: int) -> Array:
    head = prelu(convolve(image, state["head.0.weight"]), state["head.1.weight"])
    x, block = head, 0
    while f"body.{block}.conv1.weight" in state:
        name = f"body.{block}"
        out = quantized_convolution(x, state, f"{name}.conv1", bits)
        out = batch_norm(prelu(out, state[f"{name}.act.weight"]), state, f"{name}.bn1")
        out = quantized_convolution(out, state, f"{name}.conv2", bits)
        x = x * state[f"{name}.learnable_shortcut"] + batch_norm(out, state, f"{name}.bn2")
        block += 1
    x = convolve(x, state[f"body.{block}.weight"])
    x = batch_norm(x, state, f"body.{block + 1}") + head
    for stage in (0, 3):
        if f"tail.0.{stage}.weight" in state:
            x = pixel_shuffle(convolve(x, state[f"tail.0.{stage}.weight"]), 2)
            x = prelu(x, state[f"tail.0.{stage + 2}.weight"])
    return convolve(x, state["tail.1.weight"])
