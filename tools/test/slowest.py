# SPDX-License-Identifier: MIT
"""Prints the slowest tests of a build directory, those of ctest and pytest together.

    python -m tools.test.slowest build

Both write what they ran to `<build>/times/*.xml` in JUnit's format.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree

COUNT = 20


def slowest(files, count=COUNT):
    """(seconds, name) of the tests in these reports that took longest, the longest first."""
    times = []
    for file in files:
        for case in ElementTree.parse(file).iter("testcase"):
            # ctest repeats the name as the class; pytest has the module there.
            name, where = case.get("name", ""), case.get("classname", "")
            full = name if where in ("", name) else f"{where}: {name}"
            times.append((float(case.get("time", 0)), full))
    return sorted(times, reverse=True)[:count]


def main(build):
    files = sorted(pathlib.Path(build, "times").glob("*.xml"))
    times = slowest(files)
    print(f"test: the slowest {len(times)} tests")
    for seconds, name in times:
        print(f"  {seconds:7.1f} s  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
