"""SLURM on this machine: a controller and two nodes, each with its jobs in a process namespace of its own."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("slurm.conf").read_text(encoding="utf-8")
INSTALLED = Path("/etc/slurm/slurm.conf")
"""Jobs lose SLURM_CONF, so that the configuration must lie where SLURM looks for it."""
NODES = ("n1", "n2")
STARTS_WITHIN_S = 60.0
# a daemon ends with the tests, however they end
WITH_US = ("setpriv", "--pdeathsig", "KILL")
# and a node's jobs with the node
AS_MACHINE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


class Cluster:
    """The daemons that run, by name; their files lie in the folder `state`."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.daemons: dict[str, subprocess.Popen] = {}

    def start(self, name: str, *command: str) -> None:
        """Start a daemon that stays in the foreground."""
        with (self.state / f"{name}.out").open("w") as log:
            self.daemons[name] = subprocess.Popen([*WITH_US, *command], stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        """End a daemon at once; with a node all of its jobs end."""
        self.daemons[name].kill()
        self.daemons[name].wait()

    def lose(self, node: str) -> None:
        """Kill a node, and tell the controller, which would wait for a sign of life from it."""
        self.kill(node)
        answer("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=killed")


@contextmanager
def running(state: Path) -> Iterator[Cluster]:
    """A cluster that takes jobs, until the block ends."""
    # ended from outside, as by Ctrl-C: everything is undone
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    cluster = Cluster(state)
    with ExitStack() as stack:
        configure(state, INSTALLED)
        stack.callback(INSTALLED.unlink)
        (state / "controller").mkdir()
        daemons = {"munged": munged(state), "slurmctld": ("slurmctld", "-D")}
        daemons |= {node: (*AS_MACHINE, "slurmd", "-D", "-N", node) for node in NODES}
        for name, command in daemons.items():
            cluster.start(name, *command)
            stack.callback(cluster.kill, name)
        wait_until(lambda: answer("sinfo", "--noheader", "--format=%T") == "idle", STARTS_WITHIN_S)
        yield cluster


def configure(state: Path, conf: Path) -> None:
    """Write the configuration, unless that would disturb another SLURM."""
    if "SLURM_CONF" in os.environ:
        raise FileExistsError(
            "SLURM_CONF is set: this machine has a SLURM, which make test-slurm leaves alone"
        )
    if conf.exists():
        if TEMPLATE.splitlines()[0] not in conf.read_text(encoding="utf-8", errors="replace"):
            raise FileExistsError(f"{conf} is of another SLURM, which make test-slurm leaves alone")
        if "is UP" in answer("scontrol", "ping"):
            raise FileExistsError(f"{conf} is in use: another make test-slurm is running")
    conf.parent.mkdir(exist_ok=True)
    conf.write_text(Template(TEMPLATE).substitute(host=socket.gethostname(), state=state), encoding="utf-8")


def munged(state: Path) -> tuple[str, ...]:
    """The command of a munge daemon with a key of its own, apart from one that the machine may have."""
    key = state / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    # forced, since others cannot reach the socket in our folder; nobody else has to
    return ("munged", "--foreground", "--force", *(f"--{o}={state}/munge.{end}" for o, end in files.items()))


def answer(*command: str) -> str:
    """What a command of SLURM says."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def wait_until(true: Callable[[], bool], within_s: float) -> None:
    """Wait for a condition, and fail if it takes too long."""
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, f"not within {within_s:g} s"
        time.sleep(0.2)
