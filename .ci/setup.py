"""Makes .venv and installs what is pinned, or says in one sentence why it cannot.

Standard library only. The lines up to the version check run on any Python, 2.7 included, so that
an old one gets a sentence instead of a traceback: no f-strings, no annotations there.
"""

from __future__ import print_function

import hashlib
import os
import subprocess
import sys

OLDEST = (3, 11)
CANDIDATES = ("python3", "python3.13", "python3.12", "python3.11", "python3.14", "python")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, ".installed")
REQUIREMENTS = os.path.join(ROOT, "requirements-dev.txt")

# What a Python must be able to do, asked of it in words that any version understands.
PROBE = (
    "import sys\n"
    "sys.stdout.write('%d.%d ' % sys.version_info[:2])\n"
    "try:\n"
    "    import venv, ensurepip\n"
    "    sys.stdout.write('venv')\n"
    "except ImportError:\n"
    "    sys.stdout.write('none')\n"
)


def stop(sentence):
    """End with the sentence alone."""
    sys.stderr.write(sentence + "\n")
    raise SystemExit(1)


def ask(program):
    """Version and venv module of a Python by name or path; None when it does not run."""
    try:
        process = subprocess.Popen(
            [program, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError:
        return None
    words = process.communicate()[0].decode("ascii", "replace").split()
    if process.returncode != 0 or len(words) != 2:
        return None
    version = tuple(int(number) for number in words[0].split("."))
    return version, words[1] == "venv"


def choose():
    """The first Python that is new enough and can make a virtual environment."""
    wish = os.environ.get("PYTHON")
    seen = []
    for program in (wish,) if wish else CANDIDATES:
        answer = ask(program)
        if answer is None:
            continue
        version, has_venv = answer
        if version >= OLDEST and has_venv:
            return program
        seen.append((version, has_venv, program))
    new_enough = [entry for entry in seen if entry[0] >= OLDEST]
    if new_enough:
        version, _, program = new_enough[0]
        stop(
            "%s (Python %d.%d) has no venv module; on Debian or Ubuntu install it with: "
            "apt-get install python%d.%d-venv" % ((program,) + version + version)
        )
    found = ", ".join("%s is %d.%d" % (name, v[0], v[1]) for v, _, name in seen)
    stop(
        "Python %d.%d or newer is needed (%s): install one from your system or python.org, or "
        "name it: make PYTHON=/path/to/python3.13 ..." % (OLDEST + (found or "none was found",))
    )


def wanted_stamp():
    """What the finished environment holds and where: a moved folder makes it useless."""
    with open(REQUIREMENTS, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest() + " " + VENV


def last_stamp():
    """What an earlier run left when it finished; empty when none did."""
    try:
        with open(STAMP) as file:
            return file.read()
    except (IOError, OSError):
        return ""


def is_ready():
    """Whether an earlier run finished with these very requirements, here."""
    return last_stamp() == wanted_stamp() and ask(VENV_PYTHON) is not None


def was_moved():
    """Whether the environment was made in another folder, to which its programs still point."""
    return bool(last_stamp()) and not last_stamp().endswith(" " + VENV)


def run(command, sentence):
    """Run quietly; when it fails, show what it said and end with the sentence."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.communicate()[0].decode("utf-8", "replace").strip()
    if process.returncode != 0:
        sys.stderr.write("\n".join(output.splitlines()[-15:]) + "\n")
        stop(sentence)


def make_venv():
    """A virtual environment that runs and is new enough; one that is neither is made anew."""
    answer = ask(VENV_PYTHON)
    if answer is not None and answer[0] >= OLDEST and not was_moved():
        return
    program = choose()
    print("Making .venv with %s ..." % program)
    sys.stdout.flush()
    run(
        [program, "-m", "venv", "--clear", VENV],
        "The virtual environment could not be made (above: why).",
    )


def main():
    """Bring .venv up to requirements-dev.txt; nothing to do takes a tenth of a second."""
    if is_ready():
        return
    make_venv()
    print("Installing the pinned packages (once, about a minute) ...")
    sys.stdout.flush()
    pip = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    run(
        # Wheels alone: a source package would run its own code and fetch unpinned build tools.
        pip + ["--quiet", "--only-binary", ":all:", "--require-hashes", "-r", REQUIREMENTS],
        "The packages could not be installed (above: what pip said). Is the network, or the "
        "package index that pip is set up for, reachable?",
    )
    with open(STAMP, "w") as file:
        file.write(wanted_stamp())


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        stop("Stopped; the next run goes on from here.")
