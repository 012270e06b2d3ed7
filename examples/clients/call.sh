#!/usr/bin/env bash
# Reads digits and a postal code by curl.
#
#     lenet5 serve &
#     examples/clients/call.sh http://127.0.0.1:8000
#
# curl tries again on 408, 429, 500, 502, 503 and 504, and where nobody listens yet; it waits as long as Retry-After
# says, and begins no try after 30 seconds. A service with keys wants one: the variable LENET5_API_KEY.
set -euo pipefail

url=${1:-http://127.0.0.1:8000}
examples=$(cd "$(dirname "$0")/.." && pwd)

key() { if [ -n "${LENET5_API_KEY:-}" ]; then echo "X-API-Key: $LENET5_API_KEY"; fi; }
call() {  # the key by a file, as others see a process's options
  curl --silent --show-error --retry 5 --retry-connrefused --retry-max-time 30 --max-time 30 --header "@"<(key) "$@"
  echo
}

call --data-binary "@$examples/7.png" --header 'Content-Type: image/png' "$url/predict"
call --form "files=@$examples/7.png" --form "files=@$examples/photo-of-a-4.jpg" "$url/predict/batch"
call --form "file=@$examples/zip.png" "$url/read?kind=postal_code&country=US&target_error=0.01"
# An error is JSON too, with a stable code; --fail-with-body would make it an exit code of curl's.
call --data-binary 'no picture' --header 'Content-Type: application/octet-stream' "$url/predict"
