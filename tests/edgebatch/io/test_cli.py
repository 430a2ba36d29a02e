import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import edgebatch
from edgebatch import schedulers
from edgebatch.io.cli import main
from tests.edgebatch.instance_files import GOOD, text

ANSWER_KEYS = [
    "scheduler",
    "selected",
    "size",
    "optimal",
    "upper_bound",
    "padded_prompt_tokens",
    "uplink_share",
    "downlink_share",
    "memory_bytes",
    "compute_time_s",
    "deadline_s",
    "nodes_visited",
    "solve_time_s",
]


@pytest.fixture
def file(tmp_path):
    def write(contents):
        path = tmp_path / "epoch.json"
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode(errors="surrogatepass"))
        return str(path)

    return write


def _refusal(capsys, *arguments) -> str:
    assert main(arguments) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.endswith("\n")
    assert len(streams.err.splitlines()) == 1
    assert "Traceback" not in streams.err
    return streams.err


@pytest.mark.parametrize("scheduler", schedulers.names())
def test_solve_prints_one_json_object_with_the_keys_of_the_format(scheduler, file, capsys):
    assert main(["solve", file(text()), "--scheduler", scheduler]) == 0
    streams = capsys.readouterr()
    printed = json.loads(streams.out)
    assert [key for key in printed if key != "missed"] == ANSWER_KEYS
    assert printed["scheduler"] == scheduler
    assert printed["size"] == len(printed["selected"])
    assert set(printed["selected"]) <= {"r0", "late"}
    assert streams.err == ""


def test_solve_takes_dftsp_unless_told_otherwise(file, capsys):
    main(["solve", file(text())])
    printed = json.loads(capsys.readouterr().out)
    assert (printed["scheduler"], printed["optimal"]) == ("dftsp", True)


def test_the_time_to_solve_is_part_of_the_time_of_the_call(file, capsys):
    begin = time.perf_counter()
    main(["solve", file(text())])
    assert 0 < json.loads(capsys.readouterr().out)["solve_time_s"] < time.perf_counter() - begin


def test_solve_names_the_requests_as_the_file_does(file, capsys):
    # 0.9 - 0.5 - 0.5 leaves "late" no time
    main(["solve", file(text())])
    assert json.loads(capsys.readouterr().out)["selected"] == ["r0"]


def test_solve_lists_what_is_missed(file, capsys):
    # one of 20 devices takes 20 times 0.12 s for r0, more than its second
    main(["solve", file(text()), "--scheduler", "no_batching"])
    printed = json.loads(capsys.readouterr().out)
    assert (printed["selected"], printed["missed"], printed["optimal"]) == ([], ["r0", "late"], False)


def test_solve_reads_standard_input_for_a_dash(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text().encode())))
    assert main(["solve", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["selected"] == ["r0"]


def test_standard_input_is_named_in_a_refusal(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    assert _refusal(capsys, "solve", "-").startswith("edgebatch: standard input: slots: found nothing")


@pytest.mark.parametrize("scheduler", schedulers.names())
def test_lengths_whose_flops_exceed_64_bits_are_refused_or_left_out(scheduler, file, capsys):
    # 6 million prompt tokens: 4 s^2 d L is 1.1e19 FLOPs, 2^63 is 9.2e18; memory holds them
    data = json.loads(text())
    data["edge_node"]["memory_bytes"] = 1e16
    data["requests"] = [data["requests"][0] | {"prompt_tokens": 6_000_000}]
    status = main(["solve", file(json.dumps(data)), "--scheduler", scheduler])
    assert status == 2 or json.loads(capsys.readouterr().out)["size"] == 0


@pytest.mark.parametrize("scheduler", schedulers.names())
@pytest.mark.parametrize("flops", [5e-324, 1e-300, 2.66e13, 1e308])
@pytest.mark.parametrize("bandwidth", [5e-324, 1e-300, 1.19e12, 1e308])
def test_roofline_takes_the_smallest_and_the_largest_speeds(scheduler, flops, bandwidth, file, capsys):
    data = json.loads(text(("cost",), {"roofline": {"memory_bandwidth_bytes_per_s": bandwidth}}))
    data["edge_node"]["flops"] = flops
    status = main(["solve", file(json.dumps(data)), "--scheduler", scheduler])
    streams = capsys.readouterr()
    assert (status, len(streams.err.splitlines())) in [(0, 0), (2, 1)]
    if status == 0:
        fast = min(flops, bandwidth) > 1
        printed = json.loads(streams.out, parse_constant=pytest.fail)
        assert fast or not printed["selected"]


@pytest.mark.parametrize("scheduler", schedulers.names())
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("quantization", "compute_factor"), 1e-315),
        (("quantization", "compute_factor"), 1e300),
        (("quantization", "weight_bits"), 5e-324),
        (("quantization", "kv_bits"), 5e-324),
        (("quantization", "kv_bits"), 1e-310),
        (("edge_node", "flops"), 5e-324),
        (("edge_node", "flops"), 1e308),
        (("edge_node", "memory_bytes"), 1e308),
        (("requests", 0, "uplink_share"), 1e308),
    ],
    ids=str,
)
def test_the_smallest_and_the_largest_numbers_are_no_crash(scheduler, path, value, file, capsys):
    assert main(["solve", file(text(path, value)), "--scheduler", scheduler]) in (0, 2)
    streams = capsys.readouterr()
    if streams.out:
        json.loads(streams.out, parse_constant=pytest.fail)


@pytest.mark.parametrize("scheduler", schedulers.names())
def test_weights_beyond_the_memory_with_hardly_any_cache_are_no_crash(scheduler, file, capsys):
    data = json.loads(text(("quantization", "kv_bits"), 1e-310))
    data["edge_node"]["memory_bytes"] = 1e9
    assert main(["solve", file(json.dumps(data)), "--scheduler", scheduler]) == 0
    assert json.loads(capsys.readouterr().out)["selected"] == []


def test_too_many_requests_for_enumeration_are_refused_with_the_file(file, capsys):
    requests = [GOOD["requests"][0] | {"id": f"r{i}"} for i in range(21)]
    name = file(text(("requests",), requests))
    message = _refusal(capsys, "solve", name, "--scheduler", "enumeration")
    assert message.startswith(
        f"edgebatch: {name}: requests: found 21 that can be served, expected at most 20"
    )


def test_schedulers_lists_each_scheduler_with_its_options(capsys):
    assert main(["schedulers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith(" ")] == list(schedulers.names())
    options = [option for name in schedulers.names() for option in schedulers.options(name)]
    assert [line.split()[0] for line in lines if line.startswith(" ")] == options


def _process(arguments, given):
    program = [
        sys.executable,
        "-c",
        "from edgebatch.io.cli import main; raise SystemExit(main())",
        *arguments,
    ]
    return subprocess.run(program, input=given, capture_output=True, text=True, env=os.environ, check=False)


def test_a_process_answers_on_standard_output():
    done = _process(["solve", "-"], text())
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["selected"] == ["r0"]


def test_a_process_refuses_on_standard_error():
    done = _process(["solve", "-"], text(("llm", "layers"), 0))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("edgebatch: standard input: llm.layers: found 0, expected a whole number")
    assert len(done.stderr.splitlines()) == 1


def test_schedulers_are_listed_alike_by_an_interpreter_that_drops_docstrings(capsys):
    program = "from edgebatch.io.cli import main; raise SystemExit(main())"
    done = subprocess.run(
        [sys.executable, "-OO", "-c", program, "schedulers"], capture_output=True, text=True, check=False
    )
    main(["schedulers"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == capsys.readouterr().out


@pytest.mark.parametrize("words", [["schedulers"], ["--help"], ["--version"], ["solve", "-"]])
def test_every_command_tells_that_its_output_is_closed(words):
    program = "from edgebatch.io.cli import main; raise SystemExit(main())"
    done = subprocess.run(
        ["bash", "-c", '"$0" -c "$@" >&-', sys.executable, program, *words],
        input=text(),
        env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("edgebatch: standard output: ")
    assert done.stderr.count("\n") == 1


def test_a_damaged_cache_of_compiled_code_is_one_line_and_is_mended(tmp_path):
    source = Path(edgebatch.__file__).parent
    shutil.copytree(source, tmp_path / "edgebatch", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}

    def run():
        program = "from edgebatch.io.cli import main; raise SystemExit(main())"
        return subprocess.run(
            [sys.executable, "-c", program, "solve", "-"],
            input=text(),
            env=environment | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
            capture_output=True,
            text=True,
            check=False,
        )

    first = run()
    indices = list(tmp_path.glob("edgebatch/search/tree/__pycache__/*.nbi"))
    assert len(indices) > 1
    for index in indices:
        index.write_bytes(b"")
    second, third = run(), run()
    assert [done.returncode for done in (first, second, third)] == [0, 0, 0]
    assert (first.stderr, third.stderr) == ("", "")
    folder = indices[0].parent
    assert second.stderr == f"edgebatch: {folder}: damaged compiled code is removed and compiled again\n"
    assert json.loads(first.stdout)["selected"] == json.loads(second.stdout)["selected"]
