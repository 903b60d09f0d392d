"""`methods`, `metrics`, `data`, `completion`, `--version`, `--help`: everything there is, and how it is used."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ivfnb import __version__, commands
from ivfnb.baselines import BASELINES, COMPETITORS
from ivfnb.commands import lists
from ivfnb.datasets.manifest import load
from ivfnb.fusion.protocol import AS_RELEASED, documented
from ivfnb.metrics import METRICS


def listed(capsys: pytest.CaptureFixture, *words: str) -> str:
    assert commands.main(list(words)) == 0
    return capsys.readouterr().out


def test_methods_lists_every_method_with_publication_needs_cost_and_licence(capsys):
    rows = {row["name"]: row for row in json.loads(listed(capsys, "methods", "--json"))}
    assert list(rows) == ["paper", "released", *COMPETITORS]
    for name, competitor in COMPETITORS.items():
        row = rows[name]
        assert (row["citation"], row["doi"], row["cost"]) == (competitor.citation, competitor.doi, competitor.cost)
        assert set(row["variants"]) == {each.name for each in BASELINES.values() if each.competitor.name == name}
        assert row["licence"]
        if competitor.fetched:
            assert "weights:" in row["licence"]
            assert ("ivfnb fetch" in row["needs"]) == (row["runs here"] == "no")
    table = listed(capsys, "methods")
    assert all(name in table for name in rows)


def test_one_method_is_told_whole(capsys):
    said = listed(capsys, "methods", "MDLatLRR", "released")
    assert "MDLatLRR (level 3): levels=3" in said
    assert "use: ivfnb fuse --method 'MDLatLRR'" in said
    assert f"ties: {AS_RELEASED.ties} (one of visible, infrared, score)." in " ".join(said.split())
    assert " ".join(documented()["ssr_sigma"].split()) in " ".join(said.split())


def test_a_method_whose_weights_are_absent_says_so(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr("ivfnb.baselines.registry.weights.is_at_hand", lambda *_: False)
    said = listed(capsys, "methods", "U2Fusion")
    assert "runs here: no" in said
    assert "ivfnb fetch weights/U2Fusion" in said


def test_metrics_lists_every_metric(capsys):
    rows = {row["name"]: row for row in json.loads(listed(capsys, "metrics", "--json"))}
    assert list(rows) == list(METRICS)
    for name, metric in METRICS.items():
        assert (rows[name]["better"], rows[name]["unit"], rows[name]["reference"]) == (metric.direction, metric.unit, metric.reference)
    assert rows["SCD"]["conventions"] == "standard, as_released"
    assert "Edge transfer" in listed(capsys, "metrics", "qabf")


def test_data_lists_every_set(capsys):
    rows = {row["name"]: row for row in json.loads(listed(capsys, "data", "--json"))}
    sets = load()
    assert list(rows) == list(sets)
    assert rows["sample"]["state"] == "present"
    assert all((rows[name]["licence"], rows[name]["citation"]) == (entry.licence, entry.citation) for name, entry in sets.items())
    assert "ivfnb fetch tno21" in listed(capsys, "data", "tno21")


@pytest.mark.parametrize("command", list(lists.LISTS))
def test_an_unknown_name_lists_the_known_ones(command: str, capsys):
    assert commands.main([command, "nobody"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"ivfnb {command}: NAME: found 'nobody', expected one of ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_tables_are_no_wider_than_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    for command in lists.LISTS:
        assert max(map(len, listed(capsys, command).splitlines())) <= max(columns, 100)


def test_version(capsys):
    with pytest.raises(SystemExit) as stopped:
        commands.main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"ivfnb {__version__}\n"


@pytest.mark.parametrize("command", list(commands.COMMANDS))
def test_help_shows_examples_or_options_in_lines_that_fit(command: str, capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit):
        commands.main([command, "--help"])
    said = capsys.readouterr().out
    assert "--debug" in said
    assert max(map(len, said.splitlines())) <= 140
    if command in ("fuse", "score", "methods", "metrics", "data", "completion"):
        assert "examples:" in said


def test_completion_knows_commands_and_options(tmp_path: Path, capsys):
    pytest.importorskip("shtab", reason="shtab is not installed")
    script = tmp_path / "ivfnb.bash"
    script.write_text(listed(capsys, "completion", "bash"))
    if shutil.which("bash") is None:
        pytest.skip("no bash here to complete in")

    def completed(*words: str) -> set[str]:
        line = " ".join(f"'{word}'" for word in ("ivfnb", *words))
        ask = f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _shtab_ivfnb; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        return set(subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True).stdout.split())

    assert completed("") >= set(commands.COMMANDS)
    assert completed("me") == {"methods", "metrics"}
    assert completed("fuse", "--lev") == {"--levels", "--levels-infrared", "--levels-visible"}
    assert completed("fuse", "--protocol", "") == {"paper", "released"}
    assert "tcsh" in completed("completion", "")
    for shell in ("zsh", "tcsh"):
        assert "ivfnb" in listed(capsys, "completion", shell)
