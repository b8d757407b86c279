"""A list of requirements in, the Python of an environment that holds them out; made on first use, never ours."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from contest import HERE, tell

OURS = Path(sys.executable)

VERSIONS = """
import sys
from importlib.metadata import PackageNotFoundError, version
for name in sys.argv[1:]:
    try:
        print(f"{name}=={version(name)}")
    except PackageNotFoundError:
        pass
"""


def peers(requirements: str = "peers.txt") -> Path:
    """The Python that has the requirements of a file of this folder."""
    wanted = HERE / requirements
    name = f"{wanted.stem}-{hashlib.sha256(wanted.read_bytes()).hexdigest()[:8]}"
    folder = HERE.parent / ".peers" / name
    python, stamp = folder / "bin" / "python", folder / ".installed"
    if not stamp.exists():
        tell(f"installing {', '.join(_names(wanted))} into {folder} (once) …")
        subprocess.run([str(OURS), "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # torch first, at the version that is asked for: what depends on it would take another
        subprocess.run([*pip, *(line for line in _lines(wanted) if line.startswith("torch=="))], check=True)
        subprocess.run([*pip, "--requirement", str(wanted)], check=True)
        stamp.touch()
    return python


def sources(address: str, commit: str) -> Path:
    """A checkout of a repository at one commit, for peers that are no packages."""
    folder = HERE.parent / ".peers" / f"{address.rpartition('/')[2]}-{commit[:8]}"
    if not (folder / ".git").exists():
        tell(f"fetching {address} into {folder} (once) …")
        subprocess.run(["git", "clone", "--quiet", address, str(folder)], check=True)
        subprocess.run(["git", "-C", str(folder), "checkout", "--quiet", commit], check=True)
    return folder


def packages(requirements: str = "peers.txt") -> list[str]:
    """What the environment of a file of this folder holds of what the file asks for, as `name==version`."""
    names = _names(HERE / requirements)
    told = subprocess.run(
        [str(peers(requirements)), "-c", VERSIONS, *names], check=True, capture_output=True, text=True
    )
    return told.stdout.split()


def _lines(wanted: Path) -> list[str]:
    return [line for line in wanted.read_text().splitlines() if line and not line.startswith("#")]


def _names(wanted: Path) -> list[str]:
    return [line.split("==")[0] for line in _lines(wanted)]
