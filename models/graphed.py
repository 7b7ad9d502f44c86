"""A function of tensors on a graphics card as one recorded graph: launched once, not kernel by kernel.

The card repeats the recorded kernels on the recorded memory (CUDA graphs, PyTorch's `torch.cuda.CUDAGraph`). Shapes are therefore
fixed, and what a call returns stays only until the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

_WARM_UPS = 3  # libraries choose their kernels and take their workspaces before the recording


class Graphed:
    """One thread at a time may call it."""

    def __init__(self, function: Callable[..., Tensor], arguments: Sequence[Tensor]) -> None:
        """Records the function for arguments of these shapes, which must lie on the card."""
        self._inputs = [argument.clone() for argument in arguments]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside), torch.no_grad():
            for _ in range(_WARM_UPS):
                function(*self._inputs)
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph), torch.no_grad():
            self._output = function(*self._inputs)

    def __call__(self, *arguments: Tensor) -> Tensor:
        """The function of other values in the same shapes; they may lie anywhere."""
        for own, new in zip(self._inputs, arguments, strict=True):
            own.copy_(new)
        self._graph.replay()
        return self._output

    def replay(self) -> None:
        """Once more on what is there: what a measurement calls."""
        self._graph.replay()
