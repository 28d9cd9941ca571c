#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes a large set of results for `make bench`.

    make_load_set.py RECORDED_BOOT OUTPUT_DIR [MACHINES [BOOTS]]

writes one campaign per machine (100) with two variants of 20 boots each and 60 metrics in
every boot, laid out as the program writes them. The environment is the recorded boot's, with
what a real machine has more of. Everything is drawn from fixed seeds: the same bytes anywhere.
"""
import json
import os
import random
import sys

from make_result_fixtures import counter, distribution, draw, invariant, scalar

PLACEMENTS = [("same-cpu", "same-cpu", 10), ("smt-sibling", "smt-sibling", 10),
              ("same-llc", "same-llc", 10), ("same-node", "same-node", 10),
              ("cross-node", "cross-node-20", 20), ("cross-node", "cross-node-30", 30)]
POOL = 40  # different figures of one metric of one variant


def pretty(value, levels):
    text = json.dumps(value, indent=2, separators=(",", ":"))
    return text.replace("\n", "\n" + "  " * levels)


def pools(rng, variant):
    """The texts to choose from, metric by metric: ten of them."""
    gain = 0.05 if variant == "proxy" else 1.0

    def wait(name, centre, **more):
        return [pretty(distribution(name, draw(rng, centre * rng.gauss(1, 0.02), 0.02, 200), **more), 4)
                for _ in range(POOL)]

    def pool(make):
        return [pretty(make(), 4) for _ in range(POOL)]
    return [
        wait("donor_wait_ns", 350e6 * gain),
        wait("handoff_ns", 4000, role="secondary"),
        wait("wakeup_ns", 9000, role="secondary"),
        wait("pi_wait_ns", 19e6, role="positive-control"),
        wait("futex_wait_ns", 350e6, role="negative-control"),
        pool(lambda: scalar("inversion_factor", 20 * gain * rng.gauss(1, 0.02), "secondary", direction="lower")),
        pool(lambda: scalar("owner_share", rng.uniform(0.05, 0.06), "informative")),
        pool(lambda: scalar("throughput", rng.gauss(1e6, 1e4), "secondary", unit="1/s", direction="higher")),
        pool(lambda: counter("migrations", rng.randrange(0, 40))),
        pool(lambda: invariant("cookie_violations", 0, 1000)),
    ]


def section(rng, variant_pools, variant, placement):
    kind, name, distance = placement
    head = {"id": f"mutex-inversion/{name}/donor=fifo,owner=nice", "workload": "mutex-inversion",
            "params": {"donor": "fifo", "owner": "nice", "samples": "200"},
            "placement": {"kind": kind, "name": name, "owner_cpu": 0, "donor_cpu": 1,
                          "observer_cpu": 7, "owner_node": 0, "donor_node": int(distance > 10),
                          "distance": distance},
            "outcome": "ok", "reason": None, "duration_ns": 4_000_000_000}
    seen = 200 if variant == "proxy" else 0
    tail = {"evidence": [{"name": "donor_blocked", "held": True, "observed": 200, "expected": 200,
                          "text": "the donor slept on the lock while the owner held it"},
                         {"name": "proxying", "held": True, "observed": seen, "expected": seen,
                          "text": "the owner ran in the donor's scheduling context"}],
            "facts": {"section_cpu_ns": 17_000_000}}
    metrics = ",\n        ".join(rng.choice(pool) for pool in variant_pools)
    return (pretty(head, 2)[:-len("\n    }")] + ',\n      "metrics":[\n        ' + metrics + "\n      ],"
            + pretty(tail, 2)[1:])


def environment(recorded, machine, on):
    found = json.loads(json.dumps(recorded["environment"]))
    found.pop("qemu", None)
    found.update(hostname=f"box-{machine:03}", machine="Example Server 9000", memory_bytes=270_000_000_000)
    found["kernel"].update(proxy_exec="on" if on else "off", command_line=f"quiet sched_proxy_exec={int(on)}",
                           config={f"CONFIG_EXAMPLE_OPTION_{i:02}": "y" for i in range(60)})
    found["cpu"]["model"] = "Example CPU @ 2.10GHz"
    found["spoilers"] = [{"name": f"spoiler-{i}", "spoils": False,
                          "found": "what was looked at here, and what it was: all as it should be"}
                         for i in range(14)]
    return found


def boot(rng, recorded, all_pools, machine, index):
    variant = ("!proxy", "proxy")[(index + index // 2) % 2]
    on = variant == "proxy"
    document = {"format": "proxeval-boot", "version": 1,
                "campaign": {"id": f"machine-{machine:03}", "seed": machine},
                "boot": {"index": index, "round": index // 2, "variant": variant,
                         "seed": rng.getrandbits(31), "attempt": 0},
                "variant": {**recorded["variant"], "label": variant,
                            "arguments": f"sched_proxy_exec={int(on)}"},
                "target": "host", "time": "real", "outcome": "ok", "reason": None,
                "environment": environment(recorded, machine, on)}
    # One reading of a busy machine's spoilers is not like another.
    document["environment"]["spoilers"][0]["found"] += f" ({rng.random():.6f})"
    tail = {"health": recorded["health"],
            "host_run": {"started": f"2026-11-22T18:{index:02}:03Z", "wall_s": 5.1,
                         "host": f"box-{machine:03}"}}
    sections = ",\n    ".join(section(rng, all_pools[variant], variant, placement)
                              for placement in rng.sample(PLACEMENTS, len(PLACEMENTS)))
    text = (pretty(document, 0)[:-2] + ',\n  "sections":[\n    ' + sections + "\n  ],"
            + pretty(tail, 0)[1:] + "\n")
    return variant, document["boot"], text


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        recorded = json.load(file)
    output = sys.argv[2]
    machines = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    boots = int(sys.argv[4]) if len(sys.argv) > 4 else 40
    rng = random.Random(4000)
    all_pools = {variant: pools(rng, variant) for variant in ("!proxy", "proxy")}
    for machine in range(machines):
        folder = os.path.join(output, f"machine-{machine:03}")
        os.makedirs(folder)
        planned = []
        for index in range(boots):
            variant, plan, text = boot(rng, recorded, all_pools, machine, index)
            planned.append({key: plan[key] for key in ("index", "round", "variant", "seed")})
            name = f"boot-{index:04}-{variant.replace('!', 'not-')}.json"
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        campaign = {"format": "proxeval-campaign", "version": 1, "id": f"machine-{machine:03}",
                    "seed": machine, "profile": "standard", "target": "host", "time": "real",
                    "topology": None, "watchdog_s": 120, "pairing": "rounds",
                    "variants": [{"label": label, "image_path": None, "image_sha256": None,
                                  "arguments": f"sched_proxy_exec={int(label == 'proxy')}",
                                  "manifest_path": None} for label in ("!proxy", "proxy")],
                    "boots": planned,
                    "work": [{"workload": "mutex-inversion", "placements": ["all"], "params": {}}]}
        with open(os.path.join(folder, "campaign.json"), "w", encoding="utf-8") as file:
            file.write(pretty(campaign, 0) + "\n")


if __name__ == "__main__":
    main()
