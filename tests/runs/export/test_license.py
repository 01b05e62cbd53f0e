"""Only weights whose license is known to be permissive pass, and no weights at all."""

import pytest

from ftaug.errors import NotReached
from ftaug.runs.export.license import require_permissive


def provenance(source, license):
    return {"weights": {"source": source, "license": license}}


@pytest.mark.parametrize("license", ["Apache-2.0", "apache-2.0", "MIT", "BSD-3-Clause", "cc-by-4.0"])
def test_permissive_licenses_pass(license):
    require_permissive(provenance("timm resnet18", license))


@pytest.mark.parametrize(
    "license", ["CC-BY-NC-4.0", "gpl-3.0", "cc-by-sa-4.0", "openrail", "llama3", "other", "unknown"]
)
def test_others_do_not(license):
    text = f"the weights timm resnet18 have the license {license}, which is not permissive"
    with pytest.raises(NotReached, match=text):
        require_permissive(provenance("timm resnet18", license))


def test_an_unknown_license_does_not_and_no_weights_do():
    with pytest.raises(NotReached, match=r"the license of the weights model\.safetensors is not known"):
        require_permissive(provenance("model.safetensors", None))
    require_permissive(provenance("none", None))
