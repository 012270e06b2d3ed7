"""Reads digits and a postal code through the Python client.

    lenet5 serve &
    pip install ./client
    python examples/clients/call.py --url http://127.0.0.1:8000

The client tries again by itself where the service is busy or a connection breaks; what is left is an exception that
says what to do. A service with keys wants one: the variable LENET5_API_KEY.
"""

import argparse
import os
import sys
from pathlib import Path

from lenet5_client import Client, Lenet5Error
from lenet5_client.errors import RequestError

EXAMPLES = Path(__file__).parents[1]


def main() -> int:
    """Print what the pictures of this folder say; 1 where that cannot be had."""
    arguments = argparse.ArgumentParser(description="Reads digits and a postal code.")
    arguments.add_argument("--url", default="http://127.0.0.1:8000")
    with Client(arguments.parse_args().url, api_key=os.environ.get("LENET5_API_KEY") or None) as client:
        try:
            digit = client.predict(EXAMPLES / "7.png")
            print(f"7.png: {digit.digit}, right with a probability of {digit.confidence:.4f}")
            pictures = [EXAMPLES / "7.png", EXAMPLES / "photo-of-a-4.jpg", EXAMPLES / "none.png"]
            for path, found in zip(pictures, client.predict_many(pictures), strict=True):
                print(f"{path.name}: {found.code if isinstance(found, Lenet5Error) else found.digit}")
            field = client.read(EXAMPLES / "zip.png", kind="postal_code", country="US", target_error=0.01)
            verdict = "accepted" if field.accepted else "for a clerk: " + ", ".join(field.reasons)
            print(f"zip.png: {field.text}, {verdict}")
            client.predict(b"no picture")
        except RequestError as error:
            print(f"refused: {error.code}")
        except Lenet5Error as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
