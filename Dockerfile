# lenet5-serve in three images, of which the last is the default:
#
#   docker build --target cuda  -t lenet5-serve:cuda  .    serving on an NVIDIA GPU
#   docker build --target train -t lenet5-serve:train .    python -m training, on a GPU or a CPU
#   docker build                -t lenet5-serve:cpu   .    serving on a CPU: onnxruntime, no torch
#
# The index's torch for Linux carries CUDA's libraries. Another build of the same version, such as the far smaller one
# for CPUs alone, is taken from a folder that holds its wheel: --build-context wheels=FOLDER.
FROM scratch AS wheels


# Everything is installed into /opt/lenet5 by a pip outside of it, so that no final image has a pip.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ONLY_BINARY=:all: \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv --without-pip /opt/lenet5


FROM build AS cpu-packages
COPY requirements.lock ./
# Bytecode goes by "unchecked-hash" everywhere: it is trusted as it is, whatever becomes of the files' times on their
# way through layers, and is never written again.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/lenet5/bin/python install --no-compile --require-hashes -r requirements.lock \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/lenet5/lib


# What the extras add, one file each, without the project itself: a change of the code leaves torch's layer alone.
FROM build AS extras
COPY pyproject.toml ./
RUN python <<'WRITE'
import pathlib, tomllib
extras = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]["optional-dependencies"]
for name, requirements in extras.items():
    pathlib.Path(f"{name}.txt").write_text("\n".join(requirements))
WRITE


# torch/testing has syntax of Python 3.12.
FROM cpu-packages AS cuda-packages
COPY constraints.txt ./
COPY --from=extras /build/cuda.txt ./
RUN --mount=type=cache,target=/root/.cache/pip --mount=from=wheels,target=/wheels \
    pip --python /opt/lenet5/bin/python install --no-compile -c constraints.txt --find-links /wheels -r cuda.txt \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x /torch/testing/ /opt/lenet5/lib


FROM cpu-packages AS train-packages
COPY constraints.txt ./
COPY --from=extras /build/train.txt ./
RUN --mount=type=cache,target=/root/.cache/pip --mount=from=wheels,target=/wheels \
    pip --python /opt/lenet5/bin/python install --no-compile -c constraints.txt --find-links /wheels -r train.txt \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x /torch/testing/ /opt/lenet5/lib


# The project's own two packages, in a tree of their own that is laid over the packages above: a change of the
# code makes one small layer.
FROM build AS project
COPY constraints.txt ./
RUN --mount=type=cache,target=/root/.cache/pip pip install -c constraints.txt hatchling
COPY . ./
RUN pip wheel --no-cache-dir --no-build-isolation --no-deps --no-index -w dist ./client . \
    && pip --python /opt/lenet5/bin/python install --no-cache-dir --no-compile --no-deps --no-index --prefix /project dist/*.whl \
    && python -m compileall -q --invalidation-mode unchecked-hash -s /project -p /opt/lenet5 /project


# What an image holds of Python, for whoever looks for known holes in it: a CycloneDX document, made from what is
# installed. What Debian brings stands in the image's /var/lib/dpkg/status.
FROM build AS sbom
COPY constraints.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /sbom && /sbom/bin/pip install -c constraints.txt cyclonedx-bom
COPY pyproject.toml ./
ENV PYTHONPATH=/project/lib/python3.11/site-packages


FROM sbom AS cpu-sbom
RUN --mount=from=cpu-packages,source=/opt/lenet5,target=/opt/lenet5 --mount=from=project,source=/project,target=/project \
    /sbom/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml -o sbom.cdx.json /opt/lenet5/bin/python


FROM sbom AS cuda-sbom
RUN --mount=from=cuda-packages,source=/opt/lenet5,target=/opt/lenet5 --mount=from=project,source=/project,target=/project \
    /sbom/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml -o sbom.cdx.json /opt/lenet5/bin/python


FROM sbom AS train-sbom
RUN --mount=from=train-packages,source=/opt/lenet5,target=/opt/lenet5 --mount=from=project,source=/project,target=/project \
    /sbom/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml -o sbom.cdx.json /opt/lenet5/bin/python


FROM python:3.11-slim-bookworm AS runtime
LABEL org.opencontainers.image.title="lenet5-serve" \
      org.opencontainers.image.description="A REST inference service for handwritten digits: LeNet-5, batched" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim-bookworm"
# No file may lend its owner's rights. The standard library comes without bytecode: compiling it anew would cost every
# start and every health check.
RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} + \
    && python -m pip uninstall -q -y --root-user-action ignore pip setuptools wheel \
    && rm -rf /usr/local/lib/python3.11/ensurepip \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        -x '/(idlelib|lib2to3|site-packages|test|tests|tkinter|turtledemo)/' /usr/local/lib/python3.11
# Any user may run it; HOME is where libraries keep their caches.
ENV HOME=/tmp \
    PATH=/opt/lenet5/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
# Who builds for others says which commit and when: --build-arg REVISION=$(git rev-parse HEAD) --build-arg CREATED=...
ARG VERSION=0.1.0
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.created=$CREATED
STOPSIGNAL SIGTERM
USER 10001:10001


FROM runtime AS serving
# Threads are the settings' business (workers, decode_threads, inference_threads): the libraries' own pools, of one
# thread a core each, would only fight over the cores and run into the limit of processes.
ENV LENET5_HOST=0.0.0.0 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    OPENCV_FOR_THREADS_NUM=1
EXPOSE 8000
# A worker that hangs shows as unhealthy within half a minute. The command gives up by itself after 3 s.
HEALTHCHECK --interval=10s --timeout=5s --retries=2 --start-period=60s --start-interval=1s CMD ["lenet5", "health"]
CMD ["lenet5", "serve"]


FROM serving AS cuda
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=cuda-packages /opt/lenet5 /opt/lenet5
COPY --from=project /project /opt/lenet5
COPY --from=cuda-sbom /build/sbom.cdx.json /opt/lenet5/


# A one-off command, run by whoever owns the folder mounted at /lenet5/model_weights, where the model goes; hence
# /lenet5/runs, for the checkpoints, belongs to anyone.
FROM runtime AS train
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility
WORKDIR /lenet5
USER 0
RUN install -d -m 1777 runs
USER 10001:10001
COPY --from=train-packages /opt/lenet5 /opt/lenet5
COPY --from=project /project /opt/lenet5
COPY --from=train-sbom /build/sbom.cdx.json /opt/lenet5/
COPY training/configs training/configs
COPY training/data /opt/lenet5/lib/python3.11/site-packages/training/data
ENTRYPOINT ["python", "-m", "training"]
CMD ["train", "training/configs/baseline.toml"]


FROM serving AS cpu
COPY --from=cpu-packages /opt/lenet5 /opt/lenet5
COPY --from=project /project /opt/lenet5
COPY --from=cpu-sbom /build/sbom.cdx.json /opt/lenet5/
