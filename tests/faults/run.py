#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs the workloads on a kernel with deliberate faults, and says what each said of each.

    run.py --proxeval PROGRAM --image BZIMAGE --results DIR [GROUP…]

The groups are those of groups.txt; without one, all. Every group is one campaign in virtual time,
one boot of each fault and one of the same kernel without any; where a group says --boots, so many,
and the two are compared. The exit code is 1 when a fault was called fine, or the kernel without a
fault was not, or when nothing was measured of one."""

import argparse
import glob
import json
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
HEALTHY = "healthy"
# Nothing of proxy execution: run with it off, where the balance has to hold without an exception.
BALANCE = {"rt_push", "rt_pull", "rr_slice", "dl_push", "dl_pull"}


def read_groups():
    groups = {}
    with open(os.path.join(HERE, "groups.txt"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            name, faults, arguments = (part.strip() for part in line.split(":", 2))
            groups[name] = (faults.split(), shlex.split(arguments))
    return groups


def argument_of(fault, faults):
    """How the kernel is booted: the one whose switch does not work is told to be off."""
    switch = "0" if fault == "off_lends" or BALANCE.issuperset(faults) else "1"
    return f"sched_proxy_exec={switch} sched_fault={'none' if fault == HEALTHY else fault}"


def run_campaign(options, results, faults, arguments):
    boots = [] if "--boots" in arguments else ["--boots", "1"]
    command = [options.proxeval, "run", *arguments, *boots, "--time=virtual", "--no-progress",
               "--seed", str(options.seed), "--kernel-image", options.image,
               "--results", results]
    if "--watchdog" not in arguments:
        command += ["--watchdog", "240"]
    for fault in [HEALTHY, *faults]:
        command += ["--variant", f"{fault}::{argument_of(fault, faults)}"]
    before = set(os.listdir(results)) if os.path.isdir(results) else set()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    [campaign] = set(os.listdir(results)) - before
    return os.path.join(results, campaign)


def complaints(boot):
    """What a result holds against the kernel: (where, what it says)."""
    if boot["outcome"] != "ok":
        yield "boot", f"{boot['outcome']}: {boot['reason']}"
    for report in boot.get("health", {}).get("reports", []):
        yield "health", report["text"] if isinstance(report, dict) else str(report)
    for section in boot["sections"]:
        if section["outcome"] != "ok":
            yield section["id"], f"{section['outcome']}: {section['reason']}"
        for metric in section["metrics"]:
            if metric.get("violations"):
                yield section["id"], (f"violated: {metric['name']} "
                                      f"{metric['violations']} of {metric['exposure']}")


def comparisons(options, campaign):
    """What a comparison with the healthy kernel holds against each fault's."""
    text = subprocess.run([options.proxeval, "compare", "--json", "--baseline", HEALTHY, campaign],
                          capture_output=True, text=True, check=False).stdout
    for comparison in json.loads(text)["comparisons"]:
        if comparison["verdict"] == "worse":
            yield comparison["variant"], (
                comparison["section"], f"worse: {comparison['metric']} ({comparison['statistic']}) "
                f"x {comparison['ratio']:.3f}, p {comparison['p_adjusted']:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proxeval", required=True)
    parser.add_argument("--image", required=True)
    parser.add_argument("--results", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=4, help="complaints to print, at most")
    parser.add_argument("groups", nargs="*")
    options = parser.parse_args()
    groups = read_groups()
    wrong = 0
    for name in options.groups or groups:
        faults, arguments = groups[name]
        found, unmeasured = {}, set()
        campaign = run_campaign(options, os.path.join(options.results, name), faults, arguments)
        for path in glob.glob(campaign + "/boot-*.json"):
            with open(path, encoding="utf-8") as file:
                boot = json.load(file)
            found.setdefault(boot["variant"]["label"], []).extend(complaints(boot))
            # Here, or of this kernel, it cannot be told: that is no complaint of a fault.
            if any(section["outcome"] == "unsupported" for section in boot["sections"]):
                unmeasured.add(boot["variant"]["label"])
        if "--boots" in arguments:
            for variant, complaint in comparisons(options, campaign):
                found[variant].append(complaint)
        for fault in [HEALTHY, *faults]:
            said = found.get(fault, [])
            is_right = (fault in found and fault not in unmeasured
                        and bool(said) == (fault != HEALTHY))
            wrong += not is_right
            print(f"{'right' if is_right else 'WRONG'}: {name}: {fault}: {len(said)} complaints",
                  flush=True)
            for where, what in said[:options.show]:
                print(f"    {where}: {what}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
