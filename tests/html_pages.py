# SPDX-License-Identifier: GPL-2.0-only
"""Pages of the HTML report for its tests: of the recorded results, and of edited copies of them."""
import copy
import glob
import json
import os
import shutil
import subprocess

TOP = os.environ.get("TEST_TOP", os.path.join(os.path.dirname(__file__), ".."))
FIXTURES = os.path.join(TOP, "tests", "fixtures", "results")
PROGRAM = os.environ.get("PROXEVAL", "proxeval")


def report(results, output, *options):
    """Runs `proxeval report` and returns its exit code and what it said on stderr."""
    if isinstance(results, str):
        results = [results]
    run = subprocess.run([PROGRAM, "report", *options, "-o", output, *results],
                         capture_output=True, text=True, errors="replace", check=False)
    return run.returncode, run.stderr


def page(results, output, *options):
    """The path of the page of a report that has to succeed."""
    code, said = report(results, output, *options)
    assert code == 0, f"report on {results} exits with {code}: {said}"
    return os.path.join(output, "index.html")


def edit(folder, change):
    """Lets change(document, path) edit every document of a campaign's folder."""
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        if os.path.basename(path) == "summary.json":
            continue
        with open(path) as file:
            document = json.load(file)
        change(document, path)
        with open(path, "w") as file:
            json.dump(document, file)


def copy_of(name, folder):
    shutil.copytree(os.path.join(FIXTURES, name), folder)
    return folder


def double(document):
    """Every distribution of a boot twice as long: 64 buckets on in a histogram of 7 bits."""
    for section in document["sections"]:
        for metric in section["metrics"]:
            if metric["kind"] != "distribution":
                continue
            for key in ("min", "max", "mean", "p50", "p90", "p99", "p99_9"):
                if metric.get(key) is not None:
                    metric[key] *= 2
            assert metric["histogram"]["bits"] == 7
            for bucket in metric["histogram"]["buckets"]:
                bucket[0] += 64


def four_variants(folder):
    """The campaign of two variants, told again as two variants on two kernels."""
    older = copy_of("quick-virtual", os.path.join(folder, "older"))
    newer = copy_of("quick-virtual", os.path.join(folder, "newer"))

    def make_newer(document, _path):
        if document["format"] == "proxeval-campaign":
            document["id"] = "newer"
            for variant in document["variants"]:
                variant["image_sha256"] = "b" * 64
            return
        document["campaign"]["id"] = "newer"
        document["boot"]["seed"] += 1000
        document["variant"]["image_sha256"] = "b" * 64
        document["environment"]["kernel"]["release"] = "7.3.4"
        if document["variant"]["label"] == "proxy":
            double(document)

    edit(newer, make_newer)
    return [older, newer]


def two_workloads(folder):
    """Every section again as another workload's, where the donor waits twice as long, as it does with
    !proxy; and an invariant that the first one violates once in every section of proxy."""
    campaign = copy_of("quick-virtual", os.path.join(folder, "two-workloads"))

    def add_workload(document, _path):
        if document["format"] != "proxeval-boot":
            return
        chains = copy.deepcopy(document)
        double(chains)
        for section in chains["sections"]:
            section["workload"] = "lock-chain"
            section["id"] = section["id"].replace("mutex-inversion", "lock-chain")
        if document["variant"]["label"] == "proxy":
            for section in document["sections"]:
                for metric in section["metrics"]:
                    if metric["kind"] == "invariant":
                        metric["violations"] = 1
            for section in chains["sections"]:
                for metric in section["metrics"]:
                    if metric["name"] == "donor_wait_ns":
                        wait = copy.deepcopy(metric)
                        holder = {"sections": [{"metrics": [wait]}]}
                        for _ in range(5):
                            double(holder)
                        metric.update(wait)
        document["sections"] += chains["sections"]

    edit(campaign, add_workload)
    return [campaign]


def without_ratio(folder):
    """The donor never waits with !proxy, so that no ratio says how much longer it does with proxy."""
    campaign = copy_of("quick-virtual", os.path.join(folder, "without-ratio"))

    def zero(document, _path):
        if document["format"] != "proxeval-boot" or document["variant"]["label"] != "!proxy":
            return
        for section in document["sections"]:
            for metric in section["metrics"]:
                if metric["name"] == "donor_wait_ns":
                    metric.update(min=0, max=0, mean=0.0, p50=0, p90=0)
                    metric["histogram"]["buckets"] = [[0, metric["samples"]]]

    edit(campaign, zero)
    return [campaign]


def two_machines(folder):
    """The same campaign in real time on two machines."""
    first = copy_of("real-rounds", os.path.join(folder, "first"))
    second = copy_of("real-rounds", os.path.join(folder, "second"))

    def name_machine(model, hostname, campaign):
        def change(document, _path):
            if document["format"] == "proxeval-campaign":
                document.update(id=campaign, target="host")
                return
            document["campaign"]["id"] = campaign
            document["target"] = "host"
            document["environment"]["hostname"] = hostname
            document["environment"]["cpu"]["model"] = model
        return change

    edit(first, name_machine("Example 9000 64-Core Processor", "numa-box-1", "on-one"))
    edit(second, name_machine("Example 5000 16-Core Processor", "desk-2", "on-two"))
    return [first, second]


def string_places(document):
    """Where a document has strings: paths of keys, list indices left out; enough to find them all
    again in every document of its kind."""
    places = set()

    def walk(value, path):
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, path + (key,))
        elif isinstance(value, list):
            for inner in value:
                walk(inner, path + ("[]",))
        elif isinstance(value, str):
            places.add(path)

    walk(document, ())
    return places


def poison(document, places, payload):
    """A copy of the document with the payload behind every string at those places."""
    result = copy.deepcopy(document)

    def walk(value, path):
        if isinstance(value, dict):
            return {key: walk(inner, path + (key,)) for key, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner, path + ("[]",)) for inner in value]
        return value + payload if isinstance(value, str) and path in places else value

    return walk(result, ())
