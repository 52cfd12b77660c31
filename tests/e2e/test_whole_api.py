"""schemathesis asks the whole API whatever its document allows, and more (SEC8): no server error,
no answer that the document does not know.

A sample within a minute. OFFHOOK_FUZZ=minutes asks for so long, with all checks (`make fuzz`):
nothing accepted that the document forbids, nothing refused that it allows. What is right although
schemathesis cannot know it stands in api_hooks.py.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from neighbours import Furnished, harvest, offered_by

MINUTES = float(os.environ.get("OFFHOOK_FUZZ", "0"))
SEED = os.environ.get("OFFHOOK_FUZZ_SEED", "1")
SECONDS = int(MINUTES * 60) or 80
EXAMPLES = 100 if MINUTES else 3
ANSWERS = "not_a_server_error,status_code_conformance,content_type_conformance"
CHECKS = "all" if MINUTES else f"{ANSWERS},response_schema_conformance,ignored_auth"
PHASES = "examples,coverage,fuzzing,stateful" if MINUTES else "examples,fuzzing"
WORDS = frozenset({"number", "kind", "day", "event", "key_id"})
"""Parameters that are words, or the key that asks."""


@pytest.mark.timeout(900 + SECONDS * 2)
def test_the_api_does_what_its_document_says(furnished: Furnished, tmp_path: Path) -> None:
    """Last of these tests: the team is not the same afterwards."""
    owner = furnished.owner
    document = f"{owner.installation.url}/api/v1/openapi.json"
    offered = offered_by(owner.installation.url)
    ids = harvest(owner, offered, furnished.made)
    keys = [_key(furnished) for _ in ("asks", "is revoked")]
    ids = {name: each for name, each in ids.items() if name not in WORDS}
    settings = _settings({**ids, "key_id": keys[1]["id"]}, keys[0]["key"])
    (tmp_path / "schemathesis.toml").write_text(settings)
    report = tmp_path / "report.json"
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        "schemathesis.toml",
        "run",
    ]
    command += [document, "--checks", CHECKS, "--phases", PHASES, "--max-examples", str(EXAMPLES)]
    command += ["--seed", SEED, "--max-time", str(SECONDS), "--report-json-path", str(report)]
    command += ["--no-color", "--no-shrink", "--continue-on-failure"]
    command += [
        "--generation-database",
        "none",
        "--request-timeout",
        "60",
        "--max-response-time",
        "60",
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(report.read_text())
    assert found["failures"] == [], done.stdout + done.stderr
    assert not MINUTES or found["errors"] == [], done.stdout + done.stderr
    assert found["test_cases"]["generated"] >= len(offered)


def _figure(value: str) -> int | str:
    return int(value) if value.isdecimal() else value


def _key(furnished: Furnished) -> Mapping[str, str]:
    wanted = {"name": "Fuzz", "scopes": ["read", "write", "operator"]}
    made = furnished.owner.browser.post("/api/v1/api-keys", json=wanted)
    assert made.status_code == 201, made.text
    return made.json()


def _settings(ids: Mapping[str, str], key: str) -> str:
    """The ids of things that are there, so that what is asked is not merely not found."""
    lines = [
        'hooks = "api_hooks"',
        "[auth.openapi.key]",
        f'bearer = "{key}"',
        "[parameters]",
        *(f'"path.{name}" = {json.dumps(_figure(value))}' for name, value in ids.items()),
    ]
    return "\n".join(lines)
