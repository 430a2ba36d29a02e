"""On two nodes of SLURM the pipeline makes what it makes on one machine, also if one of them dies midway."""

import subprocess
import sys
from collections import Counter
from contextlib import contextmanager

import pytest
import yaml

from edgebatch_artifact.runs.plan import Options, make_plan
from edgebatch_artifact.settings.conf_folder import groups
from edgebatch_artifact.settings.measured.calibration import CALIBRATION_TABLES
from tests.slurm.cluster import NODES, TEMPLATE, WITH_US, answer, configure, running, wait_until
from tests.workflow.checkout import PARTS, ROOT, copy_checkout, environment, snakemake

SMOKE = ("--config", "scale=smoke")
PROFILE = "workflow/profiles/slurm"
# this cluster has no accounting, and its jobs are short
HERE = ("--slurm-status-command=squeue", "--slurm-init-seconds-before-status-checks=2")
# two jobs' worth of simulations, one for each node
SOME = ("baseline_readings", "throughput_vs_accuracy")
MIDWAY = 25
FINISHES_WITHIN_S = 600.0


def _copy(to):
    return copy_checkout(to, parts=PARTS)


@contextmanager
def _submitting(folder, *targets):
    """Snakemake, at work with the profile, until the block ends."""
    snakemake = (
        sys.executable,
        "-m",
        "snakemake",
        "--nocolor",
        *targets,
        "--profile",
        PROFILE,
        *HERE,
        *SMOKE,
    )
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            [*WITH_US, *snakemake], cwd=folder, env=environment(folder), stdout=said, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _finish(process, folder):
    assert process.wait(FINISHES_WITHIN_S) == 0, (folder / "said").read_text()


def _jobs(wanted):
    """What squeue says of every job, ended ones as well."""
    return answer("squeue", "--noheader", "--states=all", f"--format={wanted}").splitlines()


def _csvs(experiments):
    return [f"results/smoke/figures/{experiment}.csv" for experiment in experiments]


def _bytes(folder):
    """Every result and every number that is collected from them."""
    made = ("runs/*.json", "smoke/collected/*/*/*.csv", "smoke/figures/*.csv")
    paths = [path for pattern in made for path in (folder / "results").glob(pattern)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def _runs(folder):
    """The results there are, with the time at which each was written."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "results/runs").glob("*.json")}


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """The bytes of all numbers, made on one machine. What is drawn from them is drawn there in any case."""
    folder = _copy(tmp_path_factory.mktemp("local") / "copy")
    snakemake(folder, *_csvs([*groups(ROOT / "conf")["experiment"], *CALIBRATION_TABLES]), *SMOKE)
    return _bytes(folder)


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """A copy in which the whole pipeline has run on two nodes, and the jobs with their nodes and states."""
    folder = _copy(tmp_path_factory.mktemp("remote") / "copy")
    with running(tmp_path_factory.mktemp("slurm")), _submitting(folder) as process:
        _finish(process, folder)
        return folder, _jobs("%N %T %k")


def test_two_nodes_give_the_numbers_of_one_machine_byte_for_byte(local, remote):
    made = _bytes(remote[0])
    assert made.keys() == local.keys()
    assert [name for name in local if made[name] != local[name]] == []


def test_jobs_simulate_many_batches_and_the_rest_runs_where_snakemake_was_called(remote):
    folder, jobs = remote
    batches = len(make_plan(folder / "conf", folder / "results", Options("smoke")).batches)
    profile = yaml.safe_load((folder / PROFILE / "config.yaml").read_text())
    assert len(jobs) == -(-batches // profile["group-components"]["simulations"])
    assert {job.split(maxsplit=1)[1] for job in jobs} == {"COMPLETED rule_simulations_simulate"}


def test_both_nodes_work(remote):
    assert {job.split()[0] for job in remote[1]} == set(NODES)


def test_a_node_that_dies_midway_costs_no_result_and_repeats_no_stored_setting(local, tmp_path):
    folder = _copy(tmp_path / "copy")
    (tmp_path / "slurm").mkdir()
    with running(tmp_path / "slurm") as cluster, _submitting(folder, *_csvs(SOME)) as process:
        wait_until(
            lambda: (
                process.poll() is not None
                or (len(_runs(folder)) >= MIDWAY and "n2 RUNNING" in _jobs("%N %T"))
            ),
            FINISHES_WITHIN_S,
        )
        stored = _runs(folder)
        cluster.lose("n2")
        _finish(process, folder)
        ends = Counter(_jobs("%N %T"))
    assert ends["n2 NODE_FAIL"] == 1
    assert set(ends) - {"n1 COMPLETED", "n2 COMPLETED"} == {"n2 NODE_FAIL"}
    after = _runs(folder)
    assert {run: after[run] for run in stored} == stored
    made = _bytes(folder)
    assert set(_csvs(SOME)) <= made.keys()
    assert [name for name in made if made[name] != local[name]] == []


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
