"""On two nodes of SLURM the pipeline makes what it makes on one machine, also if one of them dies midway."""

import subprocess
import sys
from collections import Counter
from contextlib import contextmanager

import pytest

from tests.slurm.cluster import NODES, TEMPLATE, answer, configure, running, wait_until
from tests.workflow.checkout import PARTS, copy_project, environment, snakemake

SMOKE = ("--config", "scale=smoke")
PROFILE = ("--profile", "workflow/profiles/slurm")
# what this cluster lacks, accounting, and a look at its short jobs soon after they start
HERE = ("--slurm-no-account", "--slurm-status-command=squeue", "--slurm-init-seconds-before-status-checks=2")
BATCHES_OF_A_JOB = 12
# two jobs' worth of simulations, one for each node
SOME = ("pruning_ablation", "throughput_vs_accuracy")
MIDWAY = 25
FINISHES_WITHIN_S = 300.0


def _copy(to):
    return copy_project(to, parts=(*PARTS, "profiles"))


@contextmanager
def _submitting(folder, *targets):
    """Snakemake, at work with the profile; it is stopped with the block."""
    command = [sys.executable, "-m", "snakemake", "--nocolor", *targets, *PROFILE, *HERE, *SMOKE]
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(folder), stdout=said, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _finish(process, folder):
    assert process.wait(FINISHES_WITHIN_S) == 0, (folder / "said").read_text()


def _jobs(*format_):
    """Every job of the cluster, ended ones as well: what squeue says of it."""
    return answer("squeue", "--noheader", "--states=all", f"--format={' '.join(format_)}").splitlines()


def _made(folder):
    """Every file that is made, without logs and LaTeX's own files, which tell times and folders."""
    smoke = folder / "results/smoke"
    left_out = (smoke / "logs", smoke / "paper/build")
    paths = [path for part in ("results/runs", "results/smoke") for path in (folder / part).rglob("*")]
    kept = [
        path for path in paths if path.is_file() and not any(path.is_relative_to(out) for out in left_out)
    ]
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}


def _runs(folder):
    """The results there are, with the time at which each was written."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "results/runs").glob("*.json")}


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A copy in which the whole pipeline has run on one machine."""
    folder = _copy(tmp_path_factory.mktemp("local") / "copy")
    snakemake(folder, *SMOKE)
    return folder


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """A copy in which the whole pipeline has run on two nodes, and the jobs with their nodes and states."""
    folder = _copy(tmp_path_factory.mktemp("remote") / "copy")
    with running(tmp_path_factory.mktemp("slurm")), _submitting(folder) as process:
        _finish(process, folder)
        return folder, _jobs("%N", "%T", "%k")


def test_two_nodes_make_what_one_machine_makes_byte_for_byte(local, remote):
    expected, made = _made(local), _made(remote[0])
    assert made.keys() == expected.keys()
    assert [name for name in expected if made[name] != expected[name]] == []


def test_a_job_simulates_a_dozen_batches_and_everything_else_runs_where_snakemake_was_called(remote):
    folder, jobs = remote
    batches = len(list((folder / "results/batches").glob("*.done")))
    assert len(jobs) == -(-batches // BATCHES_OF_A_JOB)
    assert {job.split(maxsplit=1)[1] for job in jobs} == {"COMPLETED rule_simulations_simulate"}


def test_both_nodes_work(remote):
    assert {job.split()[0] for job in remote[1]} == set(NODES)


def test_a_node_that_dies_midway_costs_no_result_and_no_stored_setting_is_simulated_again(local, tmp_path):
    folder = _copy(tmp_path / "copy")
    targets = [f"results/smoke/figures/{experiment}.csv" for experiment in SOME]
    (tmp_path / "slurm").mkdir()
    with running(tmp_path / "slurm") as cluster, _submitting(folder, *targets) as process:
        wait_until(lambda: process.poll() is not None or len(_runs(folder)) >= MIDWAY, FINISHES_WITHIN_S)
        stored = _runs(folder)
        cluster.lose("n2")
        _finish(process, folder)
        ends = Counter(_jobs("%N", "%T"))
    assert ends == {"n1 COMPLETED": 2, "n2 NODE_FAIL": 1}
    after = _runs(folder)
    assert {run: after[run] for run in stored} == stored
    expected = _made(local)
    for name in (*targets, *(f"results/runs/{run}" for run in after)):
        assert (folder / name).read_bytes() == expected[name], name


@pytest.mark.parametrize("text", ["ClusterName=real\n", ""])
def test_the_configuration_of_another_slurm_is_left_alone(tmp_path, text):
    conf = tmp_path / "slurm.conf"
    conf.write_text(text)
    with pytest.raises(FileExistsError, match=r"slurm\.conf is of another SLURM"):
        configure(tmp_path, conf)
    assert conf.read_text() == text


def test_our_own_configuration_that_was_left_behind_is_replaced(tmp_path):
    conf = tmp_path / "slurm.conf"
    conf.write_text(TEMPLATE)
    configure(tmp_path, conf)
    assert f"{tmp_path}/controller" in conf.read_text()
