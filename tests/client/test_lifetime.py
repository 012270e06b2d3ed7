"""From when a client is made until it is gone: threads, forks, interruptions, and the end of the program."""

import gc
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import PREDICTION, Answering, Proxy
from lenet5_client import Client
from running import until

SEVEN = Path(__file__).parents[2] / "examples" / "7.png"


def threads() -> set[threading.Thread]:
    """Those of clients, whatever else starts and ends meanwhile."""
    return {thread for thread in threading.enumerate() if thread.name == "lenet5-client"}


def test_ctrl_c_ends_a_list(proxy: Callable[..., Proxy]) -> None:
    """KeyboardInterrupt comes out of read_many while its requests hang."""
    between = proxy(*["hang"] * 20)
    program = (
        "import signal, sys; from lenet5_client import Client\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it\n"
        "with Client(sys.argv[1], timeout=3600) as client:\n"
        "    try: client.read_many([sys.argv[2]] * 100)\n"
        "    except KeyboardInterrupt: print('interrupted')\n"
    )
    command = [sys.executable, "-c", program, between.url, str(SEVEN)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: between.connections == 4)
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=60)[0] == "interrupted\n"
            assert process.returncode == 0
        finally:
            process.kill()


def test_closing_ends_what_is_under_way(proxy: Callable[..., Proxy]) -> None:
    """A thread that waits for an answer is not left waiting, and a closed client says that it is."""
    raised: list[BaseException] = []

    def ask() -> None:
        try:
            client.predict(SEVEN, timeout=3600)
        except BaseException as error:  # noqa: BLE001 - it is the result
            raised.append(error)

    between = proxy("hang")
    client = Client(between.url)
    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: between.connections == 1)
    client.close()
    thread.join(60)
    assert [type(error) for error in raised] == [RuntimeError]
    with pytest.raises(RuntimeError, match="closed"):
        client.predict(SEVEN)


def test_a_client_made_before_a_fork_serves_after_it(proxy: Callable[..., Proxy]) -> None:
    """As under a web server that loads the application and then forks its workers."""
    program = (
        "import os, sys; from lenet5_client import Client\n"
        "client = Client(sys.argv[1])\n"
        "client.predict(sys.argv[2])\n"
        "pid = os.fork()\n"
        "digit = client.predict(sys.argv[2]).digit\n"
        "if pid == 0: os._exit(digit)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), digit)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, proxy().url, str(SEVEN)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "7 7\n"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "127.0.0.1:8000"}, "URL"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": 90_000}, "timeout"),
        ({"attempts": 0}, "attempts"),
        ({"concurrency": 0}, "concurrency"),
    ],
)
def test_what_is_no_setting_is_said_when_the_client_is_made(wrong: dict[str, object], said: str) -> None:
    """A ValueError, and no thread is left."""
    before = threads()
    with pytest.raises(ValueError, match=said):
        Client(**wrong)
    until(lambda: threads() <= before)


def test_calls_that_meet_a_close_end(answering: Callable[..., Answering]) -> None:
    """Each thread has its answer or RuntimeError, whatever the moment; none waits for ever."""
    server = answering(PREDICTION)
    ended: list[str] = []

    def ask(client: Client) -> None:
        try:
            while True:
                client.predict(b"picture")
        except RuntimeError as error:
            ended.append(str(error).removesuffix("."))

    for _ in range(10):
        client = Client(server.url)
        threads = [threading.Thread(target=ask, args=(client,), daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        so_far = len(server.requests)
        until(lambda: len(server.requests) > so_far)  # noqa: B023 - it is called here
        client.close()
        client.close()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
    assert len(ended) == 40
    assert set(ended) <= {"The client is closed", "The client was closed"}


def test_a_client_that_nobody_closed_ends_with_its_last_name(answering: Callable[..., Answering]) -> None:
    """Its thread is not left behind."""
    server = answering(PREDICTION)
    before = threads()
    client = Client(server.url)
    client.predict(b"picture")
    assert len(threads() - before) == 1
    del client
    gc.collect()
    until(lambda: threads() <= before)


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"])
def test_a_program_ends_without_closing(answering: Callable[..., Answering], ending: str) -> None:
    """At once, and in development mode too it says nothing."""
    port = answering(PREDICTION).server_port
    program = (
        "import sys; from lenet5_client import Client\n"
        "client = Client(sys.argv[1])\n"
        "client.predict(b'picture')\n" + ending
    )
    command = [sys.executable, "-X", "dev", "-c", program, f"http://localhost:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM if "SIGTERM" in ending else 0, "", "")
