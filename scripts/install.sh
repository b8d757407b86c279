#!/usr/bin/env bash
# Creates an environment with everlearn and what it needs, at the versions in constraints.txt; running it twice repeats
# no work. VENV is its folder (.venv), EXTRAS are the extras that come with it (dev), with commas between them.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check"

torch=$(grep '^torch==' constraints.txt)
if ! command -v nvidia-smi >/dev/null 2>&1; then
    cpu_index=https://download.pytorch.org/whl/cpu
    if "$venv/bin/python" -c "import urllib.request as u; u.urlopen('$cpu_index/torch/', timeout=5)" 2>/dev/null; then
        $pip install --quiet "$torch" --index-url $cpu_index
    else
        $pip install --quiet "$torch"
    fi
fi
$pip install --quiet --constraint constraints.txt --editable ".[${EXTRAS:-dev}]"
