"""The network of a model of fields that reads whole lines, as it is served."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from app.errors import DigestMismatch, ModelError
from app.lenet.registry import Registry, default_model_dir
from app.lenet.weights import GRAPH, LINE_GRAPH, WEIGHTS, read_manifest, write_model
from app.runtime import open_line
from app.runtime.line import LineBackend
from training.fields.line_graph import line_onnx_bytes
from training.fields.line_model import LineNetwork


def written(folder: Path, graph: bytes | None, task: str = "field") -> Path:
    """The shipped model of fields with another network for lines, or with none."""
    shipped = Registry.open(default_model_dir(), {}).resolve("lenet5-field", "field").folder
    kept = read_manifest(shipped).to_dict()
    for key in ("name", "version", "sha256", "preprocessing"):
        del kept[key]
    files = {name: (shipped / name).read_bytes() for name in (WEIGHTS, GRAPH)}
    target = folder / "mine" / "1"
    write_model(target, files if graph is None else {**files, LINE_GRAPH: graph}, {**kept, "task": task})
    return target


@pytest.fixture(scope="module")
def network() -> LineNetwork:
    torch.manual_seed(3)
    return LineNetwork().eval()


@pytest.fixture(scope="module")
def folder(network: LineNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("lines"), line_onnx_bytes(network))


@pytest.mark.parametrize("columns", [24, 26, 150, 4096])
def test_a_line_is_read_as_the_network_reads_it(folder: Path, network: LineNetwork, columns: int) -> None:
    """Of any width: what the graph answers is what the trained network does."""
    strip = np.random.default_rng(columns).random((32, columns), np.float32)
    found = LineBackend(folder).log_probabilities(strip)
    with torch.no_grad():
        expected = network(torch.from_numpy(strip)[None, None])[0].numpy()
    assert found.shape == (columns // 2, 11)
    assert found == pytest.approx(expected, abs=1e-4)


def test_threads_read_side_by_side(folder: Path) -> None:
    """Each gets the answer to its own line."""
    backend = LineBackend(folder)
    strips = [np.random.default_rng(seed).random((32, 40 + 2 * seed), np.float32) for seed in range(40)]
    alone = [backend.log_probabilities(strip) for strip in strips]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(backend.log_probabilities, strips))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_a_model_may_have_none(tmp_path: Path) -> None:
    """Then there is none to open."""
    assert open_line(written(tmp_path, None)) is None


def test_what_is_no_graph_is_refused(tmp_path: Path) -> None:
    """With one line that names the file."""
    with pytest.raises(ModelError, match=r"onnxruntime cannot run .*line\.onnx"):
        open_line(written(tmp_path, b"no graph"))


def test_a_changed_graph_is_refused(network: LineNetwork, tmp_path: Path) -> None:
    """As the other files of a model are."""
    target = written(tmp_path, line_onnx_bytes(network))
    content = bytearray((target / LINE_GRAPH).read_bytes())
    content[1000] ^= 1
    (target / LINE_GRAPH).write_bytes(bytes(content))
    with pytest.raises(DigestMismatch, match=r"line\.onnx"):
        open_line(target)


def test_a_model_of_digits_has_none(tmp_path: Path) -> None:
    """A manifest that says otherwise is none."""
    with pytest.raises(ValueError, match=r"line\.onnx, but the task is digit"):
        written(tmp_path, b"graph", task="digit")
