"""The unit, the image and the manifest in configs/: what they say fits the daemon and each other."""

import re
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from syncengine.config import ServiceSettings, parse
from syncengine.config.service_rules import listens_on_loopback

CONFIGS = Path(__file__).parents[3] / "configs"


def test_the_manifest_holds_a_configuration_that_can_be_read(tmp_path: Path) -> None:
    """Its secrets are files, it listens beyond the pod with a token, and keeps everything on the disk that stays."""
    documents = list(yaml.safe_load_all((CONFIGS / "kubernetes.yaml").read_text()))
    (text,) = (each["data"]["nightly.toml"] for each in documents if each["kind"] == "ConfigMap")
    for name in ("client_id", "client_secret", "token"):
        (tmp_path / name).write_text(f"a {name} of some length")
    settings = parse(text.replace("/run/secrets/syncengine", str(tmp_path)), path=Path("/etc/x.toml"), shared=True)
    assert not listens_on_loopback(settings.service.listen or "")
    assert {"/data"} == {
        str(path.parent) for path in (settings.state.path, settings.destination.path, settings.service.reports)
    }
    (pods,) = (each["spec"] for each in documents if each["kind"] == "StatefulSet")
    pod = pods["template"]["spec"]
    assert 1 == pods["replicas"]
    assert pod["terminationGracePeriodSeconds"] > settings.service.grace_seconds
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["securityContext"]["runAsNonRoot"] is True


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("syncengine.service", r"TimeoutStopSec=(\d+)"), ("Dockerfile", r"--stop-timeout (\d+)")],
)
def test_a_stop_has_more_time_than_the_daemon_takes(name: str, pattern: str) -> None:
    """Whoever ends it from outside waits longer than it waits for Marketo's answer."""
    (seconds,) = re.findall(pattern, (CONFIGS / name).read_text())
    assert int(seconds) > ServiceSettings().grace_seconds


def test_nothing_runs_as_root() -> None:
    """The unit has a user of its own and no capability; the image changes its user before it starts."""
    unit, image = (CONFIGS / "syncengine.service").read_text(), (CONFIGS / "Dockerfile").read_text()
    assert {"DynamicUser=yes", "CapabilityBoundingSet=", "NoNewPrivileges=yes", "ProtectSystem=strict"} <= set(
        unit.splitlines()
    )
    assert image.index("USER 10001") < image.index("ENTRYPOINT")
