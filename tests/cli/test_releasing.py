"""How releases are managed, asked of the sample organisation on the command line."""

from __future__ import annotations

import csv
from pathlib import Path

from dora import release


def test_each_analysis_says_a_sentence(dora, organisation):
    said = dora("release", "--config", organisation)
    assert said.code == 0
    assert [line.partition(":")[0] for line in said.out.splitlines()] == list(release.NAMES)


def test_evidence_is_a_folder_of_files_with_their_hashes(dora, organisation, tmp_path: Path):
    said = dora("release", "evidence", "--config", organisation, "--out", tmp_path / "pack")
    assert said.code == 0
    names = [Path(line).name for line in said.out.splitlines()]
    assert names == ["deployments.csv", "exceptions.csv", "controls.csv", "manifest.csv"]
    with (tmp_path / "pack/deployments.csv").open() as lines:
        assert len(list(csv.DictReader(lines))) > 0


def test_other_analyses_have_no_pack(dora, organisation, tmp_path: Path):
    said = dora("release", "windows", "--config", organisation, "--out", tmp_path)
    assert said.code == 2
    assert "evidence" in said.err


def test_a_sentence_on_each_is_no_table(dora, organisation, tmp_path: Path):
    for asked in (["--format", "csv"], ["--evidence"], ["-o", tmp_path / "x.csv"]):
        said = dora("release", "--config", organisation, *asked)
        assert said.code == 2
        assert "Name one: windows, trains" in said.err


def test_periods_are_refused_rather_than_left_out(dora, organisation):
    said = dora("release", "staging", "--config", organisation, "--by", "month")
    assert said.code == 2
    assert "--by splits none" in said.err
