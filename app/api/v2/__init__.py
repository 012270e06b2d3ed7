"""`/v2`: the Open Inference Protocol, which KServe's and Triton's clients speak, with its binary tensor extension."""

from app.api.v2.routes import router

__all__ = ["router"]
