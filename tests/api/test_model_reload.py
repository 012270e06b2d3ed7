"""Models that come, go and are replaced while requests run."""

import asyncio
import threading
from pathlib import Path

import httpx
import pytest
import structlog

from app import main
from benchmarks.reliability.two_models import remove, write_constant

CORRUPT = b"not what its manifest says"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A model folder with lenet5:1, which says 1 of every picture."""
    write_constant(tmp_path, version=1, digit=1)
    return tmp_path


async def said(client: httpx.AsyncClient, picture: bytes, **query: str) -> tuple[int, str]:
    """The digit and the version of an answer."""
    response = await client.post("/predict", content=picture, params=query)
    assert response.is_success, response.text
    return response.json()["digit"], response.json()["model"]["version"]


async def served(client: httpx.AsyncClient) -> list[tuple[str, bool]]:
    """The versions of /models, and whether each is the default."""
    return [(m["version"], m["default"]) for m in (await client.get("/models")).json()["models"]]


async def test_a_version_that_appears_is_served_and_the_one_before_stays_by_its_name(serving, models, digits):
    """After a reload the highest version is the default; both are listed, and each answers by its number."""
    async with serving(model_dir=models) as client:
        assert await said(client, digits[0]) == (1, "1")
        write_constant(models, version=2, digit=2)
        assert await said(client, digits[0]) == (1, "1")
        await client.service.engine.models.reload()
        assert await said(client, digits[0]) == (2, "2")
        assert await said(client, digits[0], model="lenet5:1") == (1, "1")
        assert await served(client) == [("1", False), ("2", True)]
        metrics = (await client.get("/metrics")).text
    assert 'lenet5_model_reloads_total{result="changed"} 1.0' in metrics
    assert metrics.count('task="digit",version="2"} 1.0') == 1


async def test_a_default_that_a_setting_names_stays(serving, models, digits):
    """With digit_model=lenet5:1 a higher version is served by its number alone."""
    async with serving(model_dir=models, digit_model="lenet5:1") as client:
        write_constant(models, version=2, digit=2)
        await client.service.engine.models.reload()
        assert await said(client, digits[0]) == (1, "1")
        assert await said(client, digits[0], model="lenet5:2") == (2, "2")


async def test_a_corrupt_version_is_refused_with_one_line_and_the_old_goes_on(serving, models, digits):
    """A new version, or a new state of the served one, that fails is counted, and said once, however often it is seen;
    what nobody touched goes on. Once mended it is served.
    """
    async with serving(model_dir=models) as client:
        reload = client.service.engine.models.reload
        (write_constant(models, version=2, digit=2) / "model.onnx").write_bytes(CORRUPT)
        (models / "lenet5" / "1" / "model.safetensors").write_bytes(CORRUPT)
        with structlog.testing.capture_logs() as lines:
            await reload()
            await reload()
        assert await said(client, digits[0]) == (1, "1")
        metrics = (await client.get("/metrics")).text
        write_constant(models, version=2, digit=2)
        await reload()
        assert await said(client, digits[0]) == (2, "2")
    assert sorted(line["folder"].rsplit("/", 1)[1] for line in lines if line["event"] == "model left out") == ["1", "2"]
    assert 'lenet5_model_reloads_total{result="refused"} 1.0' in metrics
    assert 'lenet5_model_reloads_total{result="unchanged"} 1.0' in metrics
    assert "lenet5_models_left_out 2.0" in metrics


async def test_a_whole_version_that_cannot_be_opened_is_refused(serving, models, digits):
    """A graph with the right digest that no runtime takes, and a manifest that no service can use, change nothing."""
    async with serving(model_dir=models) as client:
        write_constant(models, version=2, digit=2, graph=b"no graph")
        write_constant(models, version=3, digit=3, num_classes=12)
        await client.service.engine.models.reload()
        assert await said(client, digits[0]) == (1, "1")
        assert await served(client) == [("1", True)]
        assert "lenet5_models_left_out 2.0" in (await client.get("/metrics")).text


async def test_a_version_that_goes_is_served_no_more_unless_it_is_all_there_is(serving, models, digits):
    """Taking the highest version away is a way back; the last one goes on until there is another."""
    write_constant(models, version=2, digit=2)
    async with serving(model_dir=models) as client:
        assert await said(client, digits[0]) == (2, "2")
        remove(models / "lenet5" / "2")
        await client.service.engine.models.reload()
        assert await said(client, digits[0]) == (1, "1")
        assert (await client.post("/predict?model=lenet5:2", content=digits[0])).status_code == 404
        remove(models / "lenet5" / "1")
        await client.service.engine.models.reload()
        assert await said(client, digits[0]) == (1, "1")


async def test_a_folder_that_cannot_be_read_changes_nothing(serving, models, digits):
    """When the model folder itself is gone the reload fails, in the log and the metrics alone."""
    async with serving(model_dir=models) as client:
        models.rename(models.parent / "elsewhere")
        await client.service.engine.models.reload()
        assert await said(client, digits[0]) == (1, "1")
        assert 'lenet5_model_reloads_total{result="failed"} 1.0' in (await client.get("/metrics")).text


async def test_a_request_keeps_the_model_that_it_began_with(serving, models, digits):
    """A body that is still coming when its model is replaced is answered by that model, which is closed after it."""
    async with serving(model_dir=models) as client:
        old = client.service.engine.digit_model(None)
        body_due, on_its_way = asyncio.Event(), asyncio.Event()

        async def body():
            on_its_way.set()
            yield digits[0][:10]
            await body_due.wait()
            yield digits[0][10:]

        late = asyncio.create_task(client.post("/predict", content=body()))
        await on_its_way.wait()
        await until(lambda: old.held == 1)
        write_constant(models, version=1, digit=7)
        await client.service.engine.models.reload()
        assert await said(client, digits[0]) == (7, "1")
        await asyncio.sleep(0.2)  # longer than it takes to close a model that nobody holds
        body_due.set()
        assert (await late).json()["digit"] == 1
        await until(lambda: not hasattr(old.backend, "_session"))  # closed


async def test_models_are_opened_beside_the_event_loop(serving, models, monkeypatch):
    """No reload opens or warms a model on the event loop's thread."""
    threads = []
    open_backend = main.open_backend

    def spy(*args, **options):
        threads.append(threading.current_thread())
        return open_backend(*args, **options)

    async with serving(model_dir=models) as client:
        monkeypatch.setattr(main, "open_backend", spy)
        write_constant(models, version=2, digit=2)
        await client.service.engine.models.reload()
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


async def until(condition) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never happened")
