#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much of npu.ko a run of fuzz_ioctl has reached.

coverage.py NPU_KO COVERAGE REASONS

NPU_KO is the module that ran, built with KCOV=1, COVERAGE what fuzz_ioctl wrote. Prints a table of
source files, then each function that has places which were not reached, with the reason that REASONS
gives for it: lines of a pattern for the function's name, a colon and the reason. Ends with status 1
when one has none. Lines of the kernel's headers are not counted.
"""
import collections
import fnmatch
import re
import subprocess
import sys

CALL = re.compile(r"^\s*([0-9a-f]+): R_X86_64_PLT32\s+__sanitizer_cov_trace_pc")
FUNCTION = re.compile(r"^([0-9a-f]+) <([^>]+)>:")
OURS = re.compile(r"kmod/(nvdla/)?\w+\.c$")
SECTION = re.compile(r"^Disassembly of section (\S+):")

Place = collections.namedtuple("Place", "section address function")


def places(module):
    """Each place in the module that KCOV is told of, as the address it reports."""
    out = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", module], check=True,
                         capture_output=True, text=True).stdout
    section = function = None
    for line in out.splitlines():
        if match := SECTION.match(line):
            section = match[1]
        elif match := FUNCTION.match(line):
            function = match[2]
        elif match := CALL.match(line):
            # A relocation is of the four bytes that the call ends with; what returns is reported.
            yield Place(section, int(match[1], 16) + 4, function)


def source_lines(module, found):
    """The line of each place, by section, because addresses in a module begin anew in each."""
    lines = {}
    for section in {p.section for p in found}:
        of_section = [p for p in found if p.section == section]
        text = "\n".join(hex(p.address - 1) for p in of_section)
        out = subprocess.run(["addr2line", "-e", module, "-j", section], input=text, check=True,
                             capture_output=True, text=True).stdout
        for place, line in zip(of_section, out.splitlines()):
            path, _, number = line.split(" ")[0].rpartition(":")
            if match := OURS.search(path):
                lines[place] = (match[0], number)
    return lines


def reached(path):
    """Addresses that were reported, as (section, address)."""
    begins, addresses = {}, []
    with open(path, encoding="ascii") as file:
        for line in file:
            if line.startswith("section "):
                _, name, at = line.split()
                begins[int(at, 16)] = name
            else:
                addresses.append(int(line, 16))
    result = set()
    for address in addresses:
        begin = max(at for at in begins if at <= address)
        result.add((begins[begin], address - begin))
    return result


def read_reasons(path):
    with open(path, encoding="utf-8") as file:
        return [line.strip().split(": ", 1) for line in file
                if line.strip() and not line.startswith("#")]


def find_reason(reasons, function):
    return next((why for pattern, why in reasons if fnmatch.fnmatchcase(function, pattern)), None)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    module, coverage, reasons_path = sys.argv[1:]
    found = [p for p in places(module) if not p.section.startswith(".init")]
    lines = source_lines(module, found)
    hit = reached(coverage)
    reasons = read_reasons(reasons_path)

    by_file = collections.defaultdict(lambda: [set(), set()])
    missing = collections.defaultdict(list)
    for place, (path, number) in lines.items():
        # What the compiler adds for KCOV's sake is not in any source.
        if place.function.startswith("_sub_"):
            continue
        by_file[path][0].add(number)
        if (place.section, place.address) in hit:
            by_file[path][1].add(number)
        else:
            missing[(path, place.function)].append(number)

    print(f"{'file':30} {'lines':>6} {'reached':>8}")
    total = [0, 0]
    for path, (all_lines, hit_lines) in sorted(by_file.items()):
        print(f"{path:30} {len(all_lines):6} {len(hit_lines):8} "
              f"{100 * len(hit_lines) // len(all_lines):3} %")
        total[0] += len(all_lines)
        total[1] += len(hit_lines)
    print(f"{'all':30} {total[0]:6} {total[1]:8} {100 * total[1] // max(total[0], 1):3} %")

    print("\nnot reached:")
    unexplained = 0
    for (path, function), numbers in sorted(missing.items()):
        open_lines = [n for n in dict.fromkeys(numbers) if n not in by_file[path][1]]
        if not open_lines:
            continue
        name = re.sub(r"\.(part|isra|constprop|cold).*", "", function)
        reason = find_reason(reasons, name)
        unexplained += not reason
        print(f"{path}:{','.join(open_lines)} {name}: {reason or 'NO REASON GIVEN'}")
    print(f"coverage: {total[1]} of {total[0]} lines, {unexplained} functions without a reason")
    sys.exit(1 if unexplained else 0)


if __name__ == "__main__":
    main()
