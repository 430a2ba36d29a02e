"""How every command ends: in processes of their own, with the standard streams as a shell may leave them."""

import errno
import io
import os
import signal
import subprocess
import sys
import warnings

import pytest

from edgebatch.io.command_line import Parser, ended_by_interrupt, run_command

BEGIN = "import os, sys, time, warnings\nfrom edgebatch import InputError\n"
END = "\nfrom edgebatch.io.command_line import run_command\nraise SystemExit(run_command('tool', command))"
FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")


def _tool(body, redirections="", **variables):
    """Run a command with a Python `body` in a shell; its status, standard output and standard error."""
    program = f"{BEGIN}def command():\n    {body}{END}"
    done = subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" {redirections}', sys.executable, program],
        env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("body", "status"),
    [("return 3", 3), ("return None", 0), ("sys.exit()", 0), ("sys.exit(4)", 4), ("raise SystemExit(0)", 0)],
)
def test_a_command_ends_with_its_own_status_and_no_word(body, status):
    assert _tool(body) == (status, "", "")


@pytest.mark.parametrize(
    ("body", "status", "line"),
    [
        ("raise InputError('key', 1, 'two', 'a.json')", 2, "a.json: key: found 1, expected two"),
        ("sys.exit('no more')", 1, "no more"),
        ("open('/none')", 1, "/none: no such file or directory"),
        ("raise MemoryError", 1, "out of memory"),
        ("raise OSError('two\\nlines')", 1, r"two\nlines"),
    ],
)
def test_an_error_is_one_line_after_the_name_of_the_program(body, status, line):
    assert _tool(body.replace("\n", "\\n")) == (status, "", f"tool: {line}\n")


def test_a_defect_keeps_its_traceback():
    status, _, told = _tool("return 1 / 0")
    assert status == 1
    assert told.startswith("Traceback")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_goes_away_ends_a_command_in_silence(lines, unbuffered):
    body = f"time.sleep(0.5); [print('line') for _ in range({lines})]"
    _, status, told = _tool(body, "| true; echo ${PIPESTATUS[0]} >&2", PYTHONUNBUFFERED=unbuffered)
    assert (status, told) == ("", "141\n")


def test_a_reader_of_standard_error_that_goes_away_changes_no_status():
    body = "time.sleep(0.5); raise InputError('key', 1, 'two')"
    assert _tool(body, "2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}") == (2, "", "")


@FULL
def test_a_full_disk_under_standard_output_is_one_line():
    told = f"tool: standard output: {os.strerror(errno.ENOSPC).lower()}\n"
    assert _tool("print('line')", ">/dev/full") == (1, "", told)


@FULL
@pytest.mark.parametrize(("lines", "unbuffered"), [(1, "1"), (100_000, "")])
def test_a_full_disk_before_the_end_of_the_output_is_one_line(lines, unbuffered):
    body = f"[print('line') for _ in range({lines})]"
    told = f"tool: standard output: {os.strerror(errno.ENOSPC).lower()}\n"
    assert _tool(body, ">/dev/full", PYTHONUNBUFFERED=unbuffered) == (1, "", told)


@FULL
def test_a_full_disk_under_standard_error_changes_no_status():
    assert _tool("raise InputError('key', 1, 'two')", "2>/dev/full") == (2, "", "")


def test_output_to_a_closed_stream_is_an_error_of_one_line():
    told = f"tool: standard output: {os.strerror(errno.EBADF).lower()}\n"
    assert _tool("print('line')", ">&-") == (1, "", told)


def test_a_command_without_output_needs_no_standard_stream():
    assert _tool("return 5", "<&- >&- 2>&-") == (5, "", "")


def test_a_closed_standard_input_cannot_be_read():
    told = f"tool: {os.strerror(errno.EBADF).lower()}\n"
    assert _tool("sys.stdin.buffer.read()", "<&-") == (1, "", told)


def test_no_file_takes_the_number_of_a_closed_stream(tmp_path):
    file = tmp_path / "file"
    status, *_ = _tool(f"stream = open({str(file)!r}, 'w'); os.write(2, b'lost'); stream.close()", "2>&-")
    assert status == 0
    assert file.read_text() == ""


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["PYTHONIOENCODING", "LC_ALL"],
)
def test_characters_that_the_encoding_lacks_are_escaped(variables):
    assert _tool("print('1 \\u00b1 2')", **variables) == (0, "1 \\xb1 2\n", "")


def test_a_choice_of_the_user_for_such_characters_is_kept():
    assert _tool("print('1 \\u00b1 2')", PYTHONIOENCODING="ascii:replace") == (0, "1 ? 2\n", "")


def test_a_warning_is_one_line_and_the_command_goes_on():
    assert _tool("warnings.warn('take\\ncare'); print('done')".replace("\n", "\\n")) == (
        0,
        "done\n",
        "tool: take\\ncare\n",
    )


def test_the_display_of_warnings_is_restored_after_a_command():
    before = warnings.showwarning
    assert run_command("tool", lambda: 0) == 0
    assert warnings.showwarning is before


def test_output_that_is_no_text_stream_of_a_file_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert run_command("tool", lambda: print("±")) == 0
    assert sys.stdout.getvalue() == "±\n"


def _interrupted(body):
    """Run a command until it prints a line, and interrupt it; its status and standard error."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{BEGIN}def command():\n    {body}{END}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    return process.returncode, told


@pytest.fixture
def interrupts():
    """Python's own handler, which a test run in the background does not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_ends_a_command_with_status_130_and_no_word():
    assert _interrupted("print('begun', flush=True); time.sleep(60)") == (130, "")


def test_an_interrupt_ends_compiled_code_by_the_signal():
    # a call into C that does not look for signals, as compiled code does not
    body = "from edgebatch.io.command_line import ended_by_interrupt\n"
    body += "    with ended_by_interrupt():\n        print('begun', flush=True); 7 ** (10 ** 8)"
    assert _interrupted(body) == (-signal.SIGINT, "")


def test_an_interrupt_is_a_keyboard_interrupt_again_after_the_block(interrupts):
    with ended_by_interrupt():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_the_shell_ignores_stays_ignored(monkeypatch):
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_IGN)
    changed = []
    monkeypatch.setattr(signal, "signal", lambda *handler: changed.append(handler))
    with ended_by_interrupt():
        assert changed == []
    assert changed == []


@pytest.fixture
def parser():
    parser = Parser(prog="tool")
    parser.add_argument("--verbose", action="store_true")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("draw").add_argument("--colour")
    commands.add_parser("write")
    return parser


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("drw", "tool: command line: COMMAND: found 'drw', expected one of draw, write (did you mean draw?)"),
        ("--verbose drw", "tool: command line: COMMAND: found 'drw', expected one of draw, write"),
        (
            "draw --color=red",
            "tool draw: command line: found '--color', expected one of --colour, --help, -h",
        ),
        ("draw extra", "tool draw: command line: found 'extra', expected one of --colour, --help, -h"),
    ],
)
def test_unknown_words_are_refused_in_one_line_with_the_known_ones(parser, capsys, words, line):
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(words.split())
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert told.startswith(line)
    assert told.count("\n") == 1


def test_known_words_are_parsed(parser):
    chosen = parser.parse_args(["--verbose", "draw", "--colour", "red"])
    assert (chosen.verbose, chosen.command, chosen.colour) == (True, "draw", "red")
