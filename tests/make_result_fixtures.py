#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes plausible results, boot by boot, for the tests of the reports.

    make_result_fixtures.py OUTPUT_DIR [CASE…]

writes one campaign's folder per case: without names, those that tests/fixtures/results has. Everything is drawn from fixed seeds, so
that the fixtures are the same bytes wherever they are made. The shapes and sizes
(350 ms against 18 ms and so on) follow what a guest showed; the numbers are made up.
"""
import hashlib
import json
import math
import os
import random
import sys

BITS, MAX_BITS = 7, 42
PLACEMENTS = [("same-cpu", "same-cpu", 10), ("smt-sibling", "smt-sibling", 10),
              ("same-node", "same-node", 10), ("cross-node", "cross-node-20", 20)]


def bucket_of(value):
    if value < 1 << BITS:
        return value
    shift = value.bit_length() - BITS
    return (shift << (BITS - 1)) + (value >> shift)


def bucket_middle(index):
    half = 1 << (BITS - 1)
    if index < 2 * half:
        return index
    shift = index // half - 1
    return ((half + index % half) << shift) + (1 << shift) // 2


def quantile(values, q, needs):
    if len(values) < needs:
        return None
    value = sorted(values)[math.ceil(q * len(values)) - 1]
    return min(max(bucket_middle(bucket_of(value)), min(values)), max(values))


def distribution(name, values, role="primary", unit="ns", direction="lower"):
    buckets = {}
    for value in values:
        buckets[bucket_of(value)] = buckets.get(bucket_of(value), 0) + 1
    metric = {"name": name, "unit": unit, "kind": "distribution", "direction": direction,
              "role": role, "outcome": "ok", "reason": None, "samples": len(values),
              "min": min(values, default=None), "max": max(values, default=None),
              "mean": sum(values) / len(values) if values else None,
              "p50": quantile(values, 0.5, 1), "p90": quantile(values, 0.9, 10),
              "p99": quantile(values, 0.99, 100)}
    if len(values) >= 1000:
        metric["p99_9"] = quantile(values, 0.999, 1000)
    metric["histogram"] = {"bits": BITS, "lowest": 0, "max_bits": MAX_BITS, "underflow": 0,
                           "overflow": 0, "buckets": [[i, buckets[i]] for i in sorted(buckets)]}
    return metric


def scalar(name, value, role, unit="ratio", direction="none"):
    return {"name": name, "unit": unit, "kind": "scalar", "direction": direction, "role": role,
            "outcome": "ok", "reason": None, "value": value}


def counter(name, value, role="secondary", direction="lower"):
    return {"name": name, "unit": "count", "kind": "counter", "direction": direction, "role": role,
            "outcome": "ok", "reason": None, "value": value}


def invariant(name, violations, exposure, role="primary"):
    return {"name": name, "unit": "count", "kind": "invariant", "direction": "zero", "role": role,
            "outcome": "ok", "reason": None, "violations": violations, "exposure": exposure}


def draw(rng, centre, spread, count):
    return [max(1, int(centre * math.exp(rng.gauss(0, spread)))) for _ in range(count)]


def section(rng, case, variant, placement):
    kind, name, distance = placement
    proxy = variant == "proxy"
    samples = case.get("samples", 12)
    between = math.exp(rng.gauss(0, case.get("between", 0.02)))
    own_ns = 17_000_000
    wait = (case.get("proxy_ns", 18_000_000) if proxy else 350_000_000) * between
    if name == "cross-node-20":
        wait *= 1.15
    control = 18_900_000 * (case.get("control", 1.0) if proxy else 1.0)
    metrics = [
        distribution("donor_wait_ns", draw(rng, wait, 0.10, samples)),
        scalar("inversion_factor", wait / own_ns, "secondary", direction="lower"),
        distribution("pi_wait_ns", draw(rng, control * math.exp(rng.gauss(0, 0.004)), 0.01, samples),
                     role="positive-control"),
        distribution("futex_wait_ns", draw(rng, 348e6 * math.exp(rng.gauss(0, 0.03)), 0.1, samples),
                     role="negative-control"),
        scalar("owner_share", 0.93 if proxy else 0.05, "informative"),
        counter("migrations", rng.randrange(0, 4)),
        invariant("cookie_violations", case.get("violations", 0) if proxy else 0, 1000),
    ]
    if case.get("broken") == name and proxy:
        metrics[0].update(outcome="broken", reason="only 3 of 12 samples were contended (25 %)")
    evidence = [
        {"name": "donor_blocked", "held": True, "observed": samples, "expected": samples,
         "text": "the donor slept on the lock while the owner held it"},
        {"name": "proxying", "held": True, "observed": samples if proxy else 0,
         "expected": samples if proxy else 0, "text": "the owner ran in the donor's scheduling context"},
    ]
    return {"id": f"mutex-inversion/{name}/donor=fifo,owner=nice", "workload": "mutex-inversion",
            "params": {"donor": "fifo", "owner": "nice", "samples": str(samples)},
            "placement": {"kind": kind, "name": name, "owner_cpu": 0, "donor_cpu": 1,
                          "observer_cpu": 7, "owner_node": 0, "donor_node": int(distance > 10),
                          "distance": distance},
            "outcome": "ok", "reason": None, "duration_ns": 4_000_000_000, "metrics": metrics,
            "evidence": evidence, "facts": {"section_cpu_ns": own_ns}}


def image_of(case):
    return hashlib.sha256(f"image{case.get('release', '')}".encode()).hexdigest()


def environment(case, variant):
    on = variant == "proxy"
    return {"kernel": {"release": case.get("release", "7.2.13"), "version": "#1 SMP PREEMPT_DYNAMIC",
                       "config": {"CONFIG_SCHED_PROXY_EXEC": "y", "CONFIG_NUMA": "y"},
                       "command_line": f"quiet panic=-1 sched_proxy_exec={int(on)}",
                       "proxy_exec": "on" if on else "off"},
            "cpu": {"model": case.get("cpu", "QEMU TCG CPU version 2.5+"), "online_cpus": 8,
                    "microcode": None},
            "topology": {"nodes": 2, "llcs": 2, "cores": 4, "cpus": 8,
                         "distances": [[10, 20], [20, 10]],
                         "node_cpus": [[0, 1, 2, 3], [4, 5, 6, 7]]},
            "clocksource": "tsc", "memory_bytes": 1073741824,
            "hostname": case.get("hostname", "guest"), "machine": "x86_64",
            "spoilers": [{"name": "cpufreq-governor", "spoils": False, "found": "none in a guest"}],
            "qemu": {"version": "10.0.2", "arguments": ["-M", "q35", "-icount", "shift=1,sleep=off"],
                     "accelerator": "tcg"},
            "tools": {"proxeval": "0.1.0"}}


def boot(case, name, index, round_, variant):
    rng = random.Random(f"{name}/{case.get('seed', 1)}/{index}/{variant}")
    outcome = case.get("outcomes", {}).get(variant, "ok")
    sections = [section(rng, case, variant, p) for p in PLACEMENTS[:case.get("placements", 1)]] if outcome == "ok" else []
    rng.shuffle(sections)
    arguments = f"sched_proxy_exec={int(variant == 'proxy')}"
    return {"format": "proxeval-boot", "version": 1, "campaign": {"id": name, "seed": 1},
            "boot": {"index": index, "round": round_, "variant": variant,
                     "seed": 7000 + index, "attempt": 0},
            "variant": {"label": variant, "image_sha256": image_of(case),
                        "arguments": arguments,
                        "series": [{"patch": "0001-sched-example.patch",
                                    "sha256": hashlib.sha256(b"patch").hexdigest()}],
                        "base": case.get("release", "7.2.13")},
            "target": case.get("target", "vm"), "time": case.get("time", "virtual"), "outcome": outcome,
            "reason": None if outcome == "ok" else "Kernel panic - not syncing: Fatal exception",
            "environment": environment(case, variant), "sections": sections,
            "health": {"clean": outcome == "ok", "taint_before": 0,
                       "taint_after": 0 if outcome == "ok" else 128,
                       "reports": [] if outcome == "ok" else ["BUG: kernel NULL pointer dereference"],
                       "log_readable": True},
            "host_run": {"started": f"2026-11-22T18:{15 + index:02d}:03Z", "wall_s": 5.1,
                         "host": "builder"}}


CASES = {
    "quick-virtual": {"boots": 6, "placements": 4},
    "real-rounds": {"boots": 8, "time": "real", "pairing": "rounds", "samples": 120, "placements": 2},
    "too-few": {"boots": 2},
    "same": {"boots": 6, "proxy_ns": 350_000_000, "between": 0.005, "samples": 40},
    "worse": {"boots": 6, "proxy_ns": 700_000_000},
    "control-off": {"boots": 6, "control": 1.8},
    "violated": {"boots": 6, "violations": 3},
    "broken": {"boots": 6, "broken": "same-cpu", "placements": 2},
    "panicked": {"boots": 3, "outcomes": {"proxy": "panicked"}},
    "all-panicked": {"boots": 1, "outcomes": {"proxy": "panicked", "!proxy": "panicked"}},
    "hostile": {"boots": 4, "hostname": "<script>alert('x')</script>\u001b[31m",
                "cpu": "Frobnitz <b>\"9000\"</b> & Söhne"},
}

# Machines x kernels, made by the tests that want them: two machines agree on 7.2.13, and on 7.3.1
# one of them gains nothing.
METAL = {"boots": 6, "placements": 2, "time": "real", "pairing": "rounds", "target": "metal"}
XEON = {**METAL, "hostname": "numa-box-3", "cpu": "Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz"}
EPYC = {**METAL, "hostname": "epyc-1", "cpu": "AMD EPYC 7713 64-Core Processor"}
MADE_BY_TESTS = {
    "xeon-7.2.13": XEON,
    "epyc-7.2.13": EPYC,
    "xeon-7.3.1": {**XEON, "release": "7.3.1"},
    "epyc-7.3.1": {**EPYC, "release": "7.3.1", "proxy_ns": 350_000_000},
}


def write_json(path, document):
    with open(path, "w", encoding="utf-8") as out:
        json.dump(document, out, indent=None, separators=(",", ":"), ensure_ascii=True)
        out.write("\n")


def write_case(folder, name, case):
    identity = case.get("as", name)
    directory = os.path.join(folder, name)
    os.makedirs(directory, exist_ok=True)
    order = random.Random(identity)
    planned, index = [], 0
    for round_ in range(case["boots"]):
        pair = ["!proxy", "proxy"]
        order.shuffle(pair)
        for variant in pair:
            planned.append({"index": index, "round": round_, "variant": variant, "seed": 7000 + index})
            document = boot(case, identity, index, round_, variant)
            file = f"boot-{index:04d}-{variant.replace('!', 'no-')}.json"
            write_json(os.path.join(directory, file), document)
            index += 1
    time = case.get("time", "virtual")
    write_json(os.path.join(directory, "campaign.json"), {
        "format": "proxeval-campaign", "version": 1, "id": identity, "seed": 1, "profile": "quick",
        "target": case.get("target", "vm"), "time": time, "topology": "2x2x2", "watchdog_s": 120,
        "pairing": case.get("pairing", "independent"),
        "variants": [{"label": v, "image_path": "bzImage",
                      "image_sha256": image_of(case),
                      "arguments": f"sched_proxy_exec={int(v == 'proxy')}", "manifest_path": None}
                     for v in ("proxy", "!proxy")],
        "boots": planned,
        "work": [{"workload": "mutex-inversion", "placements": ["all"], "params": {}}]})


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[2:] or CASES:
        write_case(sys.argv[1], name, {**CASES, **MADE_BY_TESTS}[name])


if __name__ == "__main__":
    main()
