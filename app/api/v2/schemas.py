"""The JSON of the Open Inference Protocol, version 2: https://github.com/kserve/open-inference-protocol.

Parameters that are not named here are taken and have no effect, as the protocol has it.
"""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, Field

Size = Annotated[int, Field(ge=0)]
T = TypeVar("T")
Few = Annotated[list[T], FailFast(), Field(max_length=64)]
"""A list that a request needs few of: a long one is refused at once, by its first fault."""


class Failure(BaseModel):
    """The body of every 4xx and 5xx answer under /v2."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"error": "image_too_large: The picture has more than 16000000 pixels."}}
    )

    error: str = Field(description="The code, a colon, and one sentence that a person can act on.")


class ServerLive(BaseModel):
    """The process runs."""

    live: bool


class ServerReady(BaseModel):
    """Every model is loaded and warm."""

    ready: bool


class ModelReady(BaseModel):
    """The model is loaded and warm."""

    name: str
    ready: bool


class ServerMetadata(BaseModel):
    """What answers."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(BaseModel):
    """A tensor that a model takes or gives; -1 is any number."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class Parameters(BaseModel):
    """Any."""

    model_config = ConfigDict(extra="allow")


class InputParameters(Parameters):
    """How an input is sent."""

    binary_data_size: Size | None = Field(default=None, description="Bytes of the tensor, which follow the JSON.")


class OutputParameters(Parameters):
    """How an output is wanted."""

    binary_data: bool | None = Field(default=None, description="Whether it is wanted in binary, after the JSON.")


class RequestParameters(Parameters):
    """What holds for the whole request; `priority` has no effect."""

    binary_data_output: bool | None = Field(default=None, description="For outputs without a `binary_data`.")
    timeout: Size | None = Field(
        default=None, description="Microseconds after which the caller no longer waits; the answer is then 504."
    )


class RequestInput(BaseModel):
    """A tensor that is sent."""

    name: str
    datatype: str
    shape: Few[Size]
    parameters: InputParameters | None = None
    data: Any = Field(None, description="Its elements in row-major order, flat or nested; encoded pictures as base64.")


class RequestOutput(BaseModel):
    """A tensor that is wanted."""

    name: str
    parameters: OutputParameters | None = None


class InferenceRequest(BaseModel):
    """What is asked."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"inputs": [{"name": "images", "datatype": "UINT8", "shape": [1, 28, 28], "data": [0] * 784}]}
        }
    )

    id: str | None = Field(None, description="Comes back in the answer.")
    parameters: RequestParameters | None = None
    inputs: Few[RequestInput]
    outputs: Few[RequestOutput] = Field([], description="All by default.")


class ResponseOutput(BaseModel):
    """A tensor that is answered."""

    name: str
    datatype: str
    shape: list[int]
    parameters: InputParameters | None = None
    data: list[float] | None = None


class InferenceResponse(BaseModel):
    """What is answered."""

    id: str | None = None
    model_name: str
    model_version: str
    outputs: list[ResponseOutput]
