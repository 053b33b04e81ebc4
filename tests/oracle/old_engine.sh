#!/bin/sh
# Runs the conformance test on the oldest DuckDB that is promised; the newest runs with all tests.
#   tests/oracle/old_engine.sh [VERSION]      from the top of the repository; needs a package index
# PYTHON names the interpreter, VENV the environment to (re)use.
set -eu
version=${1:-1.4.5}
python=${PYTHON:-python3}
venv=${VENV:-.venv-duckdb-$version}
if command -v uv >/dev/null 2>&1; then
    [ -x "$venv/bin/python" ] || uv venv --quiet --python "$python" "$venv"
    uv pip install --quiet --python "$venv/bin/python" -e . "duckdb==$version" pytest pytest-timeout
else
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet -e . "duckdb==$version" pytest pytest-timeout
fi
echo "*" >"$venv/.gitignore"
DORA_EXPECT_DUCKDB=$version "$venv/bin/python" -m pytest tests/oracle -q
