"""A call number and a fault in; a disk that fails, or a process that dies, at that call out."""

import errno
import os
import signal


class FaultyDisk:
    """Stands in for `durable.perform`: goes wrong at call number `fault_at`, in the middle of a write."""

    def __init__(self, fault_at, fault, lasting=False):
        self.fault_at, self.fault, self.lasting = fault_at, fault, lasting
        self.calls = 0

    @property
    def fired(self):
        return self.calls >= self.fault_at

    def __call__(self, call, *arguments):
        self.calls += 1
        if self.calls == self.fault_at or (self.lasting and self.fired):
            if call is os.write:
                call(arguments[0], arguments[1][: len(arguments[1]) // 2])
            self.fault()
        return without_syncing(call, *arguments)


def without_syncing(call, *arguments):
    """Do a call, but for fsync: a killed process loses no page cache; test_power_loss.py has the rest."""
    return None if call is os.fsync else call(*arguments)


def disk_full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def input_output_error():
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def read_only():
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def kill_myself():
    os.kill(os.getpid(), signal.SIGKILL)


def child(action):
    """Run `action` in a forked process and return its wait status; 256 stands for any exception."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            action()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1]
