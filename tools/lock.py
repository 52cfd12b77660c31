"""Write the lock files: every library with its exact version and hashes, for every platform.

requirements.lock is what `make run` installs, requirements-dev.lock adds the tools of the tests,
requirements-uv.lock is the installer itself. Run by `make lock`; needs the network.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).parent / "uv"
HEAD = "# Made by `make lock` from pyproject.toml; do not edit.\n"


def lock(target: str, *sources: str) -> None:
    command = [
        UV, "pip", "compile", *sources, "--output-file", target, "--universal",
        "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate",
        "--no-emit-index-url", "--no-emit-find-links", "--quiet",
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=ROOT)
    path = ROOT / target
    path.write_text(HEAD + path.read_text())


if __name__ == "__main__":
    installer = ROOT / "requirements-uv.in"
    # hatchling and editables make our own package installable without the network.
    installer.write_text("uv\nhatchling\neditables\n")
    lock("requirements-uv.lock", "requirements-uv.in")
    installer.unlink()
    lock("requirements.lock", "pyproject.toml")
    lock("requirements-dev.lock", "pyproject.toml", "--group", "dev")
