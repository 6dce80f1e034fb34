"""Walks each folder of N.root.json below the folder named, from each of its roots, with python-tuf's updater.

Prints a line for each walk: `CASE START ok`, or `CASE START stop VERSION REASON`. After `time` each is walked from its
first root alone, and the nanoseconds that it took are printed.
"""

import logging
import os
import re
import sys
import tempfile
import time
import warnings

from tuf.api.exceptions import DownloadHTTPError, ExpiredMetadataError
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")


class Folder(FetcherInterface):
    """Gives out files of a folder and remembers which root was asked for last."""

    def __init__(self, folder):
        self.folder = folder
        self.asked = 0
        self.is_done = False

    def _fetch(self, url):
        name = url.rsplit("/", 1)[1]
        version = re.fullmatch(r"(\d+)\.root\.json", name)
        if version:
            self.asked = int(version[1])
        if name == "timestamp.json":
            # All roots are read; the updater looks at their expiry before it reads this.
            self.is_done = True
            return [b"{}"]
        try:
            with open(os.path.join(self.folder, name), "rb") as file:
                return [file.read()]
        except FileNotFoundError:
            raise DownloadHTTPError(name, 404) from None


def walk(folder, start, newest, config=None):
    with open(os.path.join(folder, f"{start}.root.json"), "rb") as file:
        root = file.read()
    fetcher = Folder(folder)
    with tempfile.TemporaryDirectory() as cache:
        try:
            updater = Updater(cache, "memory:///", fetcher=fetcher, bootstrap=root, config=config)
        except Exception as error:  # whatever it is, the client does not start
            return start, error
        try:
            updater.refresh()
        except Exception as error:
            if not fetcher.is_done:
                return fetcher.asked, error
            if fetcher.asked <= newest:
                return fetcher.asked, "is not there"
            return (newest, error) if isinstance(error, ExpiredMetadataError) else None
    raise AssertionError("there is no timestamp to read")


def main(cases):
    for case in sorted(os.listdir(cases)):
        folder = os.path.join(cases, case)
        versions = sorted(int(n.split(".")[0]) for n in os.listdir(folder) if n.endswith(".root.json"))
        for start in versions:
            stop = walk(folder, start, versions[-1])
            if stop is None:
                print(case, start, "ok")
            else:
                cause = getattr(stop[1], "__cause__", None)
                reason = " ".join(f"{stop[1]} {cause or ''}".split())
                print(case, start, "stop", stop[0], reason)


def time_walks(cases):
    # It goes through 256 roots in one update otherwise, and chains may be longer here.
    config = UpdaterConfig(max_root_rotations=1 << 20)
    for folder in (os.path.join(cases, case) for case in sorted(os.listdir(cases))):
        if not os.path.isdir(folder):
            # A key of an online role, for those who sign lists.
            continue
        newest = max(int(n.split(".")[0]) for n in os.listdir(folder) if n.endswith(".root.json"))
        began = time.perf_counter_ns()
        stop = walk(folder, 1, newest, config)
        took = time.perf_counter_ns() - began
        if stop is not None:
            sys.exit(f"{folder} stops: {stop}")
        print(took)


if sys.argv[1] == "time":
    time_walks(sys.argv[2])
else:
    main(sys.argv[1])
