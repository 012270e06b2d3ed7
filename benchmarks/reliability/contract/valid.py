"""Whether the OpenAPI document at a URL is one: ends with an error where it is not.

python -m benchmarks.reliability.contract.valid URL
"""

import json
import sys
from urllib.request import urlopen

from openapi_spec_validator import validate

if __name__ == "__main__":
    with urlopen(sys.argv[1]) as answer:
        validate(json.load(answer))
