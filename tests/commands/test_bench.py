import argparse
import ast
import contextlib
import importlib
import io
import json
import math
import os
import re
import sys
import time
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ivfnb.baselines import BASELINES
from ivfnb.classifier import dense, windows
from ivfnb.commands import bench
from ivfnb.commands.bench import bars
from ivfnb.datasets import dataset
from ivfnb.metrics import METRICS


def a_run(profile, *section, json=None):
    return bench.run(argparse.Namespace(section=list(section), profile=profile, json=json))


def one_thread_seconds(function):
    """Seconds of one call on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return bench.seconds(function, 1)
    finally:
        torch.set_num_threads(before)


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_RESULTS", str(tmp_path))
    return tmp_path


@pytest.fixture
def invented(monkeypatch):
    """A section "invented" whose rows a test may change."""
    module = types.ModuleType("ivfnb.commands.bench.invented")
    module.found = [{"section": "invented", "what": "sleep", "seconds": 0.25}]
    module.rows = lambda: module.found
    monkeypatch.setitem(sys.modules, module.__name__, module)
    known = bench.sections()
    monkeypatch.setattr(bench, "sections", lambda: [*known, "invented"])
    return module


def test_seconds_is_the_least_of_the_repeats_without_the_first_call(monkeypatch):
    clock = iter([0.0, 5.0, 10.0, 12.0, 20.0, 23.0])  # three calls: 5, 2 and 3 seconds
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    calls = []
    assert bench.seconds(lambda: calls.append(1), repeats=3) == 2.0
    assert len(calls) == 4


def test_peak_memory_is_of_the_fresh_process_alone():
    held = np.ones(300_000_000, np.uint8)  # by this process
    imported = "from ivfnb.commands import bench\n"  # what the measured process imports anyway, before the memory is taken
    small = bench.peak_memory(imported)
    large = bench.peak_memory(imported + "a = b'x' * 200_000_000\ndel a")
    assert small < held.nbytes
    assert large - small == pytest.approx(200e6, rel=0.05)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        bench.peak_memory("1 / 0")


def test_every_section_has_rows():
    names = bench.sections()
    assert "weightmap" in names
    assert "bars" not in names
    for name in names:
        assert callable(importlib.import_module(f"ivfnb.commands.bench.{name}").rows)


def test_a_run_prints_and_writes_stamped_rows(results, invented, capsys):
    assert a_run("demo", "invented") == 0
    table = pd.read_csv(results / "demo" / "bench.csv")
    assert table.loc[0, ["section", "what", "seconds", "profile"]].tolist() == ["invented", "sleep", 0.25, "demo"]
    assert "torch" in json.loads(table.loc[0, "versions"])
    assert table["time"].str.len().min() > 10
    printed = capsys.readouterr().out
    assert "sleep" in printed
    assert "bench.csv" in printed


def test_rows_of_other_sections_stay_and_own_ones_are_replaced(results, invented):
    path = results / "demo" / "bench.csv"
    path.parent.mkdir()
    pd.DataFrame([{"section": "old", "milliseconds": "1.50", "time": "then"}, {"section": "invented", "time": "then"}]).to_csv(path)
    invented.found.append({"section": "invented", "what": "wait", "bar": "at most 1"})
    a_run("demo", "invented")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert table["section"].tolist() == ["old", "invented", "invented"]
    assert table.loc[0, ["milliseconds", "time"]].tolist() == ["1.50", "then"]
    assert (table.loc[1:, "time"] != "then").all()
    assert [file.name for file in path.parent.iterdir()] == ["bench.csv"]


def test_bad_input_is_named_and_nothing_is_lost(results, invented):
    with pytest.raises(ValueError, match=r"section: found speed, expected some of .*weightmap"):
        a_run("demo", "invented", "speed")
    assert not list(results.rglob("*.csv"))
    path = results / "demo" / "bench.csv"
    path.parent.mkdir(exist_ok=True)
    for content in (b"", b"no,such\ncolumn,here\n", b"\xff\xfe\x00binary", b'section\n"open\n1,2,3\n'):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"bench\.csv: found no CSV"):
            a_run("demo", "invented")
        assert path.read_bytes() == content


def test_the_arguments():
    parser = argparse.ArgumentParser()
    bench.configure(parser)
    assert parser.parse_args([]).section == []
    assert parser.parse_args([]).json is None
    arguments = parser.parse_args(["weightmap", "metrics", "--profile", "tno", "--json", "rows.json"])
    assert (arguments.section, arguments.profile, arguments.json) == (["weightmap", "metrics"], "tno", Path("rows.json"))


@pytest.mark.parametrize(
    ("bar", "met", "short"),
    [
        ("at most 60", [60, 59.9, -1], [60.001, math.inf]),
        ("at most 0.4", [0.4], [0.41]),
        ("at least 65", [65, 1e9], [64.999]),
        ("at least 0.999", [0.999, 1], [0.9989]),
        ("below 1500", [1499.99], [1500, 1501]),
        ("0.85 to 1.15", [0.85, 1, 1.15], [0.849, 1.151]),
    ],
)
def test_a_bar_is_compared_with_the_value(bar, met, short):
    assert [bars.meets(value, bar) for value in met] == [True] * len(met)
    assert [bars.meets(value, bar) for value in [*short, math.nan]] == [False] * (len(short) + 1)
    assert type(bars.meets(np.float64(met[0]), bar)) is bool


def test_an_empty_bar_asks_for_nothing_and_an_unknown_one_is_refused():
    assert bars.meets(1.0, "") is None
    for bar in ("at most", "at most sixty", "about 5", "at least 65 s", "1 to", "within 10% of 3", "within 10 % of 3", " at most 60", "60"):
        with pytest.raises(ValueError, match=f"bar: found {re.escape(repr(bar))}, expected at most"):
            bars.meets(1.0, bar)


def test_bars_of_the_sections_are_understood():
    """Every text in a section's source that begins as a bar does, what is filled in replaced by a number."""
    seen = []
    for name in bench.sections():
        source = Path(importlib.import_module(f"ivfnb.commands.bench.{name}").__file__).read_text(encoding="utf-8")
        nodes = list(ast.walk(ast.parse(source)))
        inner = {part for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in (node for node in nodes if node not in inner):
            if isinstance(node, ast.JoinedStr):
                text = "".join(part.value if isinstance(part, ast.Constant) else "1.5" for part in node.values)
            else:
                text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if re.match(r"(at most|at least|below|above|within|[\d.]+ to) .*\d", text):
                seen.append(text)
                assert bars.meets(1.0, text) is not None
    assert {"at most 60", "at least 60", "below 1500", "0.85 to 1.15"} <= set(seen)


def test_a_bar_that_falls_short_is_named_and_fails_the_run(results, invented, capsys):
    good = {"section": "invented", "what": "quick", "value": 1.5, "unit": "s", "bar": "at most 2"}
    free = {"section": "invented", "what": "memory", "value": math.nan, "unit": "MB", "bar": ""}
    invented.found = [good, free]
    assert a_run("demo", "invented", json=results / "rows.json") == 0
    assert "falls short" not in capsys.readouterr().err
    assert json.loads((results / "rows.json").read_text()) == [{**good, "met": True}, {**free, "value": None, "met": None}]
    slow = {"section": "invented", "what": "slow", "value": np.float64(3), "unit": "s", "bar": "at most 2"}
    absent = {"section": "invented", "what": "forgotten", "bar": "below 1"}
    invented.found = [good, slow, absent]
    assert a_run("demo", "invented", json=results / "rows.json") == 1
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "falls short: invented, slow: found 3 s, expected at most 2",
        "falls short: invented, forgotten: found no value, expected below 1",
    ]
    header, _, *lines = (line for line in printed.out.splitlines() if line.startswith("|"))
    assert header.split("|")[-2].strip() == "met"
    assert [line.split("|")[-2].strip() for line in lines] == ["True", "False", "False"]
    table = pd.read_csv(results / "demo" / "bench.csv", dtype=str, keep_default_na=False)
    assert table["met"].tolist() == ["True", "False", "False"]
    assert [row["met"] for row in json.loads((results / "rows.json").read_text())] == [True, False, False]


def test_operations_are_those_of_the_products_made(monkeypatch):
    from ivfnb.commands.bench import weightmap as section

    made = []

    def counting(features, affine, *, activation=False, product=dense.product):
        made.append(2 * features.numel() * len(affine.weight))
        return product(features, affine, activation=activation)

    monkeypatch.setattr(dense, "product", counting)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)  # appending from one thread
    for shape, stride in (((61, 90), 8), ((100, 77), 16)):
        made.clear()
        windows.window_scores(*section.setting(shape), stride)
        assert sum(made) == section.operations(shape, stride)


def test_the_section_weightmap_at_a_small_size(monkeypatch):
    from ivfnb.commands.bench import weightmap as section

    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # of the fresh process; small passes of two threads wait for each other on a busy machine
    monkeypatch.setattr(section, "seconds", lambda function, repeats=1: one_thread_seconds(function))
    monkeypatch.setattr(section, "SIZES", ((72, 80),))
    monkeypatch.setattr(section, "SAMPLE", (40, 40))
    monkeypatch.setattr(section, "SIDE", 256)
    monkeypatch.setattr(section, "has_fast_bfloat16", lambda device: False)
    monkeypatch.setattr(section, "peak_memory", lambda code: bench.peak_memory(code) if "window_scores'" in code else 10**9)
    table = pd.DataFrame(section.rows())
    value = table.set_index("what")["value"]
    times = value["80x72, dense: faster than loop of single windows"]
    assert times == pytest.approx(value["80x72, loop of single windows (timed on a sample)"] / value["80x72, dense"], rel=0.01)
    assert value["80x72, dense: operations"] == pytest.approx(section.operations((72, 80)) / 1e9, rel=1e-3)
    bound = value["80x72, dense: bound, the operations at the measured peak"]
    assert value["80x72, dense: speed over the bound's"] == pytest.approx(bound / value["80x72, dense"], rel=0.01)
    assert value["80x72, dense: time per pixel over the first size's"] == 1
    assert [what for what in table["what"] if "bfloat16" in what]
    assert value["80x72, dense in tiles of 1920 pixels"] > 0
    memory = table.set_index("what").loc["80x72, dense: peak memory of a process"]
    assert 100 < memory["value"] < 1000
    assert (memory["unit"], memory["bar"]) == ("MB", "below 1500")


def test_the_section_metrics_at_a_small_size(monkeypatch):
    from ivfnb.commands.bench import metrics as section

    monkeypatch.setattr(section, "SHAPE", (176, 168))
    monkeypatch.setattr(section, "peak_memory", lambda code: compile(code, "code", "exec") and 2 * 10**8)
    rows = {row["what"]: row for row in section.rows()}
    assert set(METRICS) <= set(rows)
    assert all(row["value"] > 0 for row in rows.values())
    assert {name: rows[name]["bar"] for name in ("FMI_w", "SSIM", "MS-SSIM", "EI")} == {
        "FMI_w": "at most 150",
        "SSIM": "at most 25",
        "MS-SSIM": "at most 25",
        "EI": "",
    }
    assert rows["the same, processor time"]["bar"] == "at most 0.06"
    assert rows["all 11 faster per pixel than readable loops, timed on 64x64"]["value"] > 1


def test_the_section_baselines_takes_what_can_run_and_says_why_the_rest_cannot(monkeypatch, tmp_path):
    from ivfnb.commands.bench import baselines as section

    monkeypatch.setenv("IVFNB_DATA", str(tmp_path))  # no weights of other authors
    taken = [baseline.name for baseline in section.entrants()]
    assert {"CBF", "HybridMSD", "NestFuse (retrained)", "MEF-GAN"} <= set(taken)
    assert len(taken) == len({baseline.competitor.name for baseline in BASELINES.values()})
    quick = [BASELINES[name] for name in ("Mean", "DCHWT", "MEF-GAN")]
    monkeypatch.setattr(section, "entrants", lambda: quick)
    rows = {row["what"]: row for row in section.rows()}
    assert rows["DCHWT, one 768x576 pair"]["value"] > 0
    assert rows["DCHWT, one 768x576 pair"]["bar"] == "at most 10"
    assert rows["Mean, one 768x576 pair"]["bar"] == ""
    (absent,) = (what for what in rows if "MEF-GAN" in what)
    assert absent == "MEF-GAN, not measured: needs its authors' weights: ivfnb fetch weights/MEF-GAN"
    assert math.isnan(rows[absent]["value"])
    assert rows[absent]["bar"] == ""


def test_the_section_training_at_a_small_size(monkeypatch, one_thread):
    from ivfnb.commands.bench import training as section

    monkeypatch.setattr(section, "SAMPLES", 32)
    monkeypatch.setattr(section, "RUNS", 1)
    monkeypatch.setattr(section, "PUBLISHED", 1000)
    monkeypatch.setattr(section, "peak_memory", lambda code: compile(code, "code", "exec") and 10**9)
    monkeypatch.setattr(section, "train", lambda config, samples: types.SimpleNamespace(samples_per_second=50.0))
    table = pd.DataFrame(section.rows()).set_index("what")
    assert table.loc["training, cutting samples included", ["value", "bar"]].tolist() == [50, "at least 60"]
    data = table.loc["data pipeline alone, one process", "value"]
    assert table.loc["data pipeline: faster than training", "value"] == pytest.approx(data / 50, rel=1e-3)
    assert table.loc["testing in float32, cutting samples included", "value"] < data
    assert table.loc["index of 1,000 samples: peak memory of a process", "value"] == 1000


def test_the_best_of_some_trainings_counts(monkeypatch):
    from ivfnb.commands.bench import training as section

    rates = iter([40.0, 70.0, 55.0])
    monkeypatch.setattr(section, "train", lambda config, samples: types.SimpleNamespace(samples_per_second=next(rates)))
    assert section.training_rate(None, None, runs=3) == 70.0


def test_decisions_of_another_precision_are_compared(monkeypatch, one_thread):
    from ivfnb.commands.bench import weightmap as section

    pair = dataset("sample")["camera"]
    small = types.SimpleNamespace(visible=pair.visible[90:138, 100:156], infrared=pair.infrared[90:138, 100:156])
    monkeypatch.setattr(section, "dataset", lambda name: [small, small])
    assert section._same("float32") == 1
    assert 0.9 < section._same("bfloat16") <= 1


def test_the_section_growth_at_small_sizes(monkeypatch, tmp_path, one_thread):
    """Rows by size and by number of pairs, their ratios, and a chart that the run writes."""
    from ivfnb.commands.bench import growth as section

    def in_this_process(command, **_):
        assert command[-1] == section.LOTS
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            section.print_lots()
        return types.SimpleNamespace(returncode=0, stdout=printed.getvalue())

    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("IVFNB_RESULTS", str(tmp_path / "results"))
    for name, small in {"SIDES": (40, 48, 64, 72), "COMPARED": (48, 64), "ROUNDS": 2, "COUNTS": (2, 4), "SIDE": 40}.items():
        monkeypatch.setattr(section, name, small)
    monkeypatch.setattr(section, "peak_memory", lambda code: compile(code, "code", "exec") and 3 * 10**8)
    monkeypatch.setattr(section.subprocess, "run", in_this_process)
    a_run("demo", "growth", json=tmp_path / "rows.json")
    rows = {row["what"]: row for row in json.loads((tmp_path / "rows.json").read_text())}
    for side in (40, 64, 72):
        ratio = rows[f"{side}x{side}, fuse"]["value"] / rows["48x48, fuse"]["value"] * (48 / side) ** 2
        row = rows[f"{side}x{side}, fuse: time per pixel over that of 48x48"]
        assert row["value"] == pytest.approx(ratio, rel=0.01)
        assert row["bar"] == ("0.85 to 1.15" if side == 64 else "")
    each = [rows[f"{n} pairs of 40x40, fused and scored"]["value"] for n in (2, 4)]
    assert rows["4 pairs over 2: time a pair"]["value"] == pytest.approx(each[1] / each[0], rel=0.01)
    assert rows["4 pairs over 2: peak memory"]["value"] >= 1
    assert rows["4 pairs over 2: peak memory"]["bar"] == "at most 1.1"
    assert (tmp_path / "results" / "demo" / "figures" / "bench_growth.png").stat().st_size > 10_000


def test_the_chart_of_growth_shows_what_was_measured():
    from ivfnb.commands.bench import growth as section

    found = [{"what": f"{side}x{side}, fuse", "value": side**2 / 1e5} for side in (256, 4096)]
    found += [{"what": f"{side}x{side}, fuse: peak memory of a process", "value": side} for side in (256, 4096)]
    found += [{"what": f"{n} pairs of 96x96, fused and scored", "value": 0.5} for n in (10, 1000)]
    found += [{"what": f"{n} pairs: peak memory so far", "value": 400} for n in (10, 1000)]
    axes = section.chart(found).axes
    assert [axis.get_ylabel() for axis in axes] == ["seconds", "MB", "seconds", "MB"]
    assert axes[0].lines[0].get_xydata().tolist() == [[256, 0.65536], [4096, 167.77216]]
    assert np.allclose(axes[0].lines[0].get_ydata(), axes[0].lines[1].get_ydata()), "in proportion to pixels"
    assert axes[2].lines[0].get_xydata().tolist() == [[10, 5], [1000, 500]]


def test_the_section_cuda(monkeypatch, one_thread):
    from ivfnb.commands.bench import cuda as section

    if not torch.cuda.is_available():
        (row,) = section.rows()
        assert row["what"].startswith("not measured")
        assert row["bar"] == ""
    monkeypatch.setattr(section, "AT_MOST", {(40, 40): 10, (48, 40): 20})
    for name, small in {"SAMPLES": 24, "EPOCHS": 1, "BATCHES": (8,)}.items():
        monkeypatch.setattr(section, name, small)
    monkeypatch.setattr(section, "seconds", lambda function, repeats=1: bench.seconds(function, 1))
    monkeypatch.setattr(section, "training_rate", lambda samples, config, runs: 3e7 / 3600 if config.cut == "device" else None)
    table = pd.DataFrame(section.rows("cpu")).set_index("what")
    assert table.loc["processor: 40x48, dense scores in float32", "bar"] == "at most 20"
    assert table.loc["40x48: largest difference of logits to the processor's", "value"] == 0
    assert table.loc["40x40: share of decisions that are the processor's", ["value", "bar"]].tolist() == [1, "at least 1"]
    assert table.loc["processor: samples cut, 8 a batch", "value"] > 0
    assert table.loc["the published 30 million samples at that rate, 8 a batch", "value"] == 1


def test_the_section_cluster(monkeypatch):
    from ivfnb.commands.bench import cluster as section

    monkeypatch.setattr(section, "rate", lambda workers: {1: 2.0, 2: 3.8}[workers])
    monkeypatch.setattr(section, "find_spec", lambda name: True)
    rows = section.rows()
    assert [row["value"] for row in rows[1:]] == [2.0, 3.8, 1.9]
    assert rows[-1]["bar"] == ("at least 1.8" if (os.cpu_count() or 1) > 1 else "")
    monkeypatch.setattr(section, "find_spec", lambda name: None)
    (row,) = section.rows()
    assert row["what"].startswith("not measured")


def test_pairs_a_second_of_a_cluster_are_those_of_the_second_lot(monkeypatch, tmp_path):
    """The first lot only loads libraries; what is remembered goes into a folder of its own, which is gone afterwards."""
    from ivfnb.commands.bench import cluster as section

    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path))
    seen, clock = [], iter([0.0, 5.0])
    monkeypatch.setattr(section.parallel, "cluster", lambda workers: contextlib.nullcontext())
    monkeypatch.setattr(section.evaluation, "method", lambda protocol: protocol)
    monkeypatch.setattr(section.evaluation, "evaluate", lambda pairs, methods: seen.append((len(pairs), os.environ["IVFNB_CACHE"])))
    monkeypatch.setattr(section.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(section, "SHAPE", (32, 40))
    assert section.rate(2, 10) == 2.0
    assert [count for count, _ in seen] == [6, 10]
    assert not Path(seen[0][1]).parent.exists()
    assert os.environ["IVFNB_CACHE"] == str(tmp_path)
