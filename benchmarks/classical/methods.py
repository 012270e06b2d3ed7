"""The methods that are compared, by name: what each makes of the pixels, and which classifier decides.

Settings (neighbours, C, gamma, cells) were chosen with 10,000 learnt digits on 4,000 of held-out writers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA  # type: ignore[import-untyped]
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # type: ignore[import-untyped]
from sklearn.linear_model import RidgeClassifier  # type: ignore[import-untyped]
from sklearn.neighbors import KNeighborsClassifier  # type: ignore[import-untyped]
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures  # type: ignore[import-untyped]
from sklearn.svm import SVC, LinearSVC  # type: ignore[import-untyped]

from benchmarks.classical import features
from benchmarks.classical.lenet import TaughtLeNet
from training.metrics import softmax

Floats = npt.NDArray[np.floating[Any]]


class Classifier(Protocol):
    """What scikit-learn calls a classifier; `probabilities` says what else it needs."""

    def fit(self, x: npt.NDArray[np.float32], y: npt.NDArray[np.int64]) -> Any:
        """Learn from inputs (n, 1024) and their digits (n,)."""


@dataclass(frozen=True)
class Method:
    """One row of the table."""

    name: str
    features: str  # who made them
    build: Callable[[], Classifier]
    paper_error_percent: float | None = None  # MNIST test error that the paper's Figure 9 states


class Lda(LinearDiscriminantAnalysis):  # type: ignore[misc]
    """Fisher's linear discriminants, the covariance shrunk as Ledoit and Wolf (2004) do."""

    def __init__(self) -> None:
        super().__init__(solver="lsqr", shrinkage="auto")

    def __getstate__(self) -> dict[str, Any]:
        """What it answers by, without the covariance that it learnt from."""
        return {name: getattr(self, name) for name in ("coef_", "intercept_", "classes_")}


def probabilities(classifier: Any, x: npt.NDArray[np.float32]) -> Floats:
    """(n, 10), rows sum to 1: the classifier's own, or the softmax of its scores: an order, hardly a probability."""
    if hasattr(classifier, "decision_function"):
        return softmax(classifier.decision_function(x))
    own: Floats = classifier.predict_proba(x)
    return own


def _linear_svm(extract: Callable[[Floats], Floats], c: float) -> Classifier:
    pipeline: Classifier = make_pipeline(FunctionTransformer(extract), LinearSVC(C=c, random_state=0))
    return pipeline


METHODS = (
    Method("LDA", "pixels", Lda),
    Method(
        "3 nearest neighbours",
        "pixels",
        lambda: KNeighborsClassifier(3, weights="distance", algorithm="brute"),
        paper_error_percent=5.0,
    ),
    Method(
        "40 principal components, quadratic",
        "pixels",
        lambda: make_pipeline(PCA(40, whiten=True, random_state=0), PolynomialFeatures(2), RidgeClassifier(1.0)),
        paper_error_percent=3.3,
    ),
    Method(
        "40 principal components, RBF SVM",
        "pixels",
        lambda: make_pipeline(PCA(40, random_state=0), SVC(C=10, gamma=0.04, cache_size=500)),
    ),
    Method("Sobel edges, linear SVM", "made by hand", lambda: _linear_svm(features.sobel, 0.01)),
    Method("HOG, linear SVM", "made by hand", lambda: _linear_svm(features.hog, 0.1)),
    Method("SIFT on a grid, linear SVM", "made by hand", lambda: _linear_svm(features.sift, 0.3)),
    Method("LeNet-5, the same digits", "learnt", TaughtLeNet, paper_error_percent=0.95),
)
