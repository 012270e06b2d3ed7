"""deploy/kubernetes: what Kubernetes' published schemas and the restricted Pod Security Standard want, and we.

Whether a cluster takes it is not tried here: there is none.
"""

import copy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from app.keys import OPEN
from app.serving.metrics import Metrics
from app.settings import Settings
from app.supervisor import LAST_WORDS

FOLDER = Path(__file__).parents[1] / "deploy" / "kubernetes"
VERSIONS = ("1.29", "1.33", kubernetes_validate.latest_version())
MANIFESTS: dict[str, dict[str, Any]] = {
    file.name: yaml.safe_load(file.read_text()) for file in FOLDER.glob("*.yaml") if file.name != "kustomization.yaml"
}
POD = MANIFESTS["deployment.yaml"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_is_what_the_schemas_want(name, version):
    """Each manifest is valid in several versions of Kubernetes, and has no field that the schema does not know."""
    kubernetes_validate.validate(MANIFESTS[name], version, strict=True)


def test_the_schemas_find_what_is_wrong():
    """Negative control: a field that is spelt wrongly, one of a wrong type and one that lacks are each refused."""
    for spoil in (
        lambda pod: pod["containers"][0].update(readynessProbe={}),
        lambda pod: pod.update(terminationGracePeriodSeconds="long"),
        lambda pod: pod.pop("containers"),
    ):
        manifest = copy.deepcopy(MANIFESTS["deployment.yaml"])
        spoil(manifest["spec"]["template"]["spec"])
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


def test_all_manifests_are_applied():
    """kustomization.yaml names every manifest of the folder, and the image that the deployment runs."""
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    assert set(kustomization["resources"]) == set(MANIFESTS)
    assert kustomization["images"][0]["name"] == CONTAINER["image"]


def test_they_speak_of_the_same_pods():
    """The service, the budget, the policy and the autoscaler mean the deployment's pods."""
    deployment = MANIFESTS["deployment.yaml"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert MANIFESTS["service.yaml"]["spec"]["selector"] == labels
    assert MANIFESTS["disruption-budget.yaml"]["spec"]["selector"]["matchLabels"] == labels
    assert MANIFESTS["network-policy.yaml"]["spec"]["podSelector"]["matchLabels"] == labels
    assert MANIFESTS["autoscaler.yaml"]["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]


def test_the_pod_is_restricted():
    """What the Pod Security Standard "restricted" demands, and a root that is read-only."""
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["runAsUser"] == 10001  # the image's
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(POD)
    assert {next(kind for kind in volume if kind != "name") for volume in POD["volumes"]} == {"emptyDir", "secret"}
    assert POD["automountServiceAccountToken"] is False


def test_the_settings_are_ours_and_hold():
    """Every variable is a setting with a value that it takes, and none comes from the names of services."""
    variables = {one["name"].removeprefix("LENET5_").lower(): one["value"] for one in CONTAINER["env"]}
    assert set(variables) <= set(Settings.model_fields)
    settings = Settings(**variables)
    assert POD["terminationGracePeriodSeconds"] > settings.drain_delay + settings.drain_timeout + LAST_WORDS
    probe = CONTAINER["readinessProbe"]
    assert settings.drain_delay > probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"]
    assert float(CONTAINER["resources"]["limits"]["cpu"]) == settings.workers * (1 + settings.decode_threads)
    (keys,) = [mount for mount in CONTAINER["volumeMounts"] if mount["name"] == "api-keys"]
    assert settings.api_keys_file.parent == Path(keys["mountPath"])
    assert POD["enableServiceLinks"] is False


def test_a_predictor_of_kserve_is_the_same_pod():
    """Its schema is not to be had here: what it says of the pod is a valid pod, as confined as the deployment's."""
    manifest = yaml.safe_load((FOLDER / "kserve" / "inference-service.yaml").read_text())
    pod = {name: said for name, said in manifest["spec"]["predictor"].items() if not name.endswith("Replicas")}
    kind = {"apiVersion": "v1", "kind": "Pod", "metadata": manifest["metadata"]}
    kubernetes_validate.validate({**kind, "spec": pod}, VERSIONS[-1], strict=True)
    (container,) = pod["containers"]
    assert container["securityContext"] == CONTAINER["securityContext"]
    assert container["resources"] == CONTAINER["resources"]
    assert pod["securityContext"].items() <= POD["securityContext"].items()
    assert pod["enableServiceLinks"] is False
    assert {probe["httpGet"]["path"] for name, probe in container.items() if name.endswith("Probe")} <= OPEN


def test_it_scales_on_a_metric_that_there_is():
    """The autoscaler's metric is one of ours, and its target less than a batch."""
    pods = MANIFESTS["autoscaler.yaml"]["spec"]["metrics"][0]["pods"]
    assert pods["metric"]["name"] == Metrics().queue_depth.describe()[0].name
    assert int(pods["target"]["averageValue"]) < Settings().max_batch_size
