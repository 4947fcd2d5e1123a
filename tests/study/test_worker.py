"""A worker process, and that it does not outlive its parent."""

import subprocess
import sys

import pytest
from tests.study.studies import alive, gone

#: A parent that starts a child and waits; the child says its number and would sleep for a minute.
FAMILY = """
import subprocess, sys, time
child = '''
import os, sys, time
from glassnet.study import worker
if sys.argv[1] == "watch":
    worker.sys = type("Elsewhere", (), {"platform": "elsewhere"})
worker.die_with(os.getppid())
print(os.getpid(), flush=True)
time.sleep(60)
'''
subprocess.Popen([sys.executable, "-c", child, sys.argv[1]])
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("way", ["signal", "watch"])
def test_nobody_outlives_the_runner(way):
    command = [sys.executable, "-c", FAMILY, way]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        assert alive([child]) == [child]
        parent.kill()
        assert gone([child], 5.0)
        parent.stdout.close()


def test_one_whose_parent_is_gone_already_ends_at_once():
    code = "import os; from glassnet.study.worker import die_with; die_with(os.getppid() + 1); print('alive')"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (1, "")
