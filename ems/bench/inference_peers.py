"""The same decision by torch itself, by its ahead-of-time compiler and by ONNX Runtime: each called as its documentation says.

Each is a function without arguments that decides once, or the reason why there is none. One thread; what can be prepared
before a call is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.compiled import cache_directory
from models.controller import ControllerModule, quote
from models.environment import cpu_name
from models.inference_layout import IN_CONTEXT, IN_OWN, IN_TAPE, STATE_ACTION
from models.net_contract import BOOK, TAPE_ROWS, TRADES
from models.world_model import Observation, WorldModel

F32 = NDArray[np.float32]
NAMES = ("book", "tape", "context", "own", "h", "action")


class Decision(nn.Module):
    """encode, step and act as one module: what every peer gets."""

    def __init__(self, model: WorldModel, actor: ControllerModule) -> None:
        super().__init__()
        self.model, self.actor = model, actor

    def forward(
        self, book: Tensor, tape: Tensor, context: Tensor, own: Tensor, h: Tensor, action: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Action (B, 4), next z (B, 128), next h (B, 128), z (B, 128)."""
        z = self.model.encode(Observation(book, tape, context))
        after, h = self.model.step(z, action, h)
        return quote(self.actor.controller(after, own)[0]), after, h, z


class Peer(NamedTuple):
    """decide: one decision. action: what it decides, (4,). Or neither, and why."""

    decide: Callable[[], Any] | None
    action: F32 | None
    why: str = ""


def parts(inputs: F32, state: F32) -> tuple[Tensor, ...]:
    """Rows of the core's inputs (n, INPUTS) and states (n, STATE) as the module's arguments."""
    return tuple(
        torch.from_numpy(np.ascontiguousarray(part))
        for part in (
            inputs[:, :BOOK], inputs[:, IN_TAPE:IN_CONTEXT].reshape(-1, TAPE_ROWS, TRADES), inputs[:, IN_CONTEXT:IN_OWN],
            inputs[:, IN_OWN:], state[:, :STATE_ACTION], state[:, STATE_ACTION:],
        )
    )  # fmt: skip


def eager(module: Decision, arguments: tuple[Tensor, ...]) -> Peer:
    """torch as it is."""

    def decide() -> Any:
        with torch.inference_mode():
            return module(*arguments)

    return Peer(decide, decide()[0].numpy()[0])


def aotinductor(module: Decision, arguments: tuple[Tensor, ...], digest: str) -> Peer:
    """torch.export, compiled by AOTInductor and packed; the package is kept, for it takes minutes to make."""
    if shutil.which("g++") is None and shutil.which(os.environ.get("CXX", "g++")) is None:
        return Peer(None, None, "no C++ compiler")
    name = hashlib.sha256(f"{digest} {torch.__version__} {cpu_name()}".encode()).hexdigest()[:16]
    package = cache_directory().parent / f"aotinductor-{name}.pt2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own deprecations
        from torch._inductor import aoti_compile_and_package, aoti_load_package

        if not package.exists():
            package.parent.mkdir(parents=True, exist_ok=True)
            exported = torch.export.export(module, arguments)
            aoti_compile_and_package(exported, package_path=str(package))
        compiled = aoti_load_package(str(package))

    def decide() -> Any:
        with torch.inference_mode():
            return compiled(*arguments)

    return Peer(decide, decide()[0].numpy()[0])


def onnxruntime(module: Decision, arguments: tuple[Tensor, ...], *, bound: bool) -> Peer:
    """ONNX Runtime, all optimisations, sequential. bound: inputs and outputs are bound to memory beforehand."""
    if missing := [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]:
        return Peer(None, None, f"not installed: {', '.join(missing)}")
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(directory) / "decision.onnx"
        outputs = ["act", "next_z", "next_h", "z"]
        torch.onnx.export(module, arguments, path, dynamo=False, input_names=list(NAMES), output_names=outputs)
        session = ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    feed = {name: part.numpy() for name, part in zip(NAMES, arguments, strict=True)}
    action = session.run(None, feed)[0][0]
    if not bound:
        return Peer(lambda: session.run(None, feed), action)
    binding = session.io_binding()
    for name, array in feed.items():
        binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(array))
    for name in outputs:
        binding.bind_output(name)
    return Peer(lambda: session.run_with_iobinding(binding), action)
