"""The model on a CUDA GPU: one recorded CUDA graph for each batch size that is served.

LeNet-5 is so small that a GPU waits for the CPU to launch its thirty kernels one after the other. A CUDA graph
launches all of them at once. It is bound to fixed addresses and shapes, hence:

- batch sizes come in buckets (powers of two); a batch is padded to the next one;
- input and output live in buffers made once, on the device and, page-locked so that copies are asynchronous, on the
  host: a request allocates nothing but the array that it returns;
- all graphs share one pool of memory, which is safe as they run one at a time on one stream, and as the output is
  copied away before the next one runs.

A pass is then: copy to the page-locked buffer, copy in, graph, copy out, and one wait for the stream.

Written from PyTorch's notes on CUDA graphs.
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from app.errors import DeviceUnavailable
from app.imaging import INPUT_SHAPE
from app.lenet.model import load
from app.runtime.batch import bucket_for, bucket_sizes, check_batch, fill_padded

_PASSES_BEFORE_CAPTURE: Final = 3  # cuDNN and cuBLAS make their handles and workspaces, which a capture may not


class TorchCudaBackend:
    """The model on the first GPU that this process sees (CUDA_VISIBLE_DEVICES chooses)."""

    name: Final = "torch-cuda"
    inline: Final = 0

    def __init__(self, folder: Path, max_batch_size: int, threads: int) -> None:  # noqa: ARG002  (a GPU's are its own)
        """Raises DeviceUnavailable without a usable GPU, a ModelError when the model must not be served."""
        if not torch.cuda.is_available():
            raise DeviceUnavailable(
                "The device cuda was asked for, but torch finds no CUDA device: "
                f"torch {torch.__version__} was built for CUDA {torch.version.cuda or 'not at all'}."
            )
        self.max_batch_size = max_batch_size
        self._device = torch.device("cuda", 0)
        self.device = torch.cuda.get_device_name(self._device)
        # TF32 keeps 10 bits of the mantissa; the answers would differ from the CPU's in the third digit. Process-wide.
        torch.backends.cudnn.conv.fp32_precision = "ieee"  # type: ignore[attr-defined]
        torch.backends.cuda.matmul.fp32_precision = "ieee"
        self._model = load(folder).requires_grad_(False).to(self._device)
        self._buckets = bucket_sizes(max_batch_size)
        num_classes = self._model.architecture.num_classes
        self._host_input = torch.zeros(max_batch_size, *INPUT_SHAPE, pin_memory=True)
        self._host_output = torch.zeros(max_batch_size, num_classes, pin_memory=True)
        self._staging: NDArray[np.float32] = self._host_input.numpy()  # views of the page-locked memory
        self._results: NDArray[np.float32] = self._host_output.numpy()
        self._input = torch.zeros(max_batch_size, *INPUT_SHAPE, device=self._device)
        self._output = torch.zeros(max_batch_size, num_classes, device=self._device)
        self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        self._stream.wait_stream(torch.cuda.current_stream(self._device))  # which made the weights and buffers
        self._pool = torch.cuda.graph_pool_handle()
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}

    def infer(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """See Backend."""
        check_batch(inputs, self.max_batch_size)
        if len(inputs) == 0:
            return self._results[:0].copy()
        size = bucket_for(len(inputs), self._buckets)
        graph = self._graphs.get(size) or self._capture(size)
        fill_padded(self._staging[:size], inputs)
        with torch.cuda.stream(self._stream):
            self._input[:size].copy_(self._host_input[:size], non_blocking=True)
            graph.replay()
            self._host_output[:size].copy_(self._output[:size], non_blocking=True)
        self._stream.synchronize()
        return self._results[: len(inputs)].copy()

    def warm_up(self) -> None:
        """Record and run a graph for every bucket; the largest first, so that the others fit into its memory."""
        for size in reversed(self._buckets):
            self.infer(np.zeros((size, *INPUT_SHAPE), np.float32))

    def close(self) -> None:
        """See Backend."""
        self._stream.synchronize()
        self._graphs.clear()
        del self._model, self._input, self._output, self._pool
        torch.cuda.empty_cache()

    def _capture(self, size: int) -> torch.cuda.CUDAGraph:
        """Record the pass of `size` pictures from `_input` to `_output`."""
        batch, logits = self._input[:size], self._output[:size]
        with torch.no_grad():
            with torch.cuda.stream(self._stream):
                for _ in range(_PASSES_BEFORE_CAPTURE):
                    logits.copy_(self._model(batch))
            graph = torch.cuda.CUDAGraph()
            # thread_local: another thread's CUDA calls (a second model's worker) do not spoil this recording.
            with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"):
                logits.copy_(self._model(batch))
        self._graphs[size] = graph
        return graph
