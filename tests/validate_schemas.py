#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds the documents to the shipped schemas, with Debian's jsonschema and not our own reader."""
import copy
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

from jsonschema import Draft202012Validator

SOURCE = os.environ["TEST_TOP"]
FIXTURES = os.path.join(SOURCE, "tests/fixtures/results")
failures = []


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def validator(name):
    schema = load(os.path.join(SOURCE, f"reports/schema/{name}-1.schema.json"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def expect_valid(schema, document, what):
    for error in schema.iter_errors(document):
        failures.append(f"{what}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")


def expect_invalid(schema, document, what):
    if schema.is_valid(document):
        failures.append(f"{what}: the schema lets it pass")


def at(document, path):
    for key in path[:-1]:
        document = document[key]
    return document, path[-1]


def without(document, *path):
    changed = copy.deepcopy(document)
    holder, key = at(changed, path)
    del holder[key]
    return changed


def with_value(document, value, *path):
    changed = copy.deepcopy(document)
    holder, key = at(changed, path)
    holder[key] = value
    return changed


def check_boots():
    schema = validator("boot")
    for path in sorted(glob.glob(f"{FIXTURES}/*/boot-*.json")):
        expect_valid(schema, load(path), path)
    good = load(f"{FIXTURES}/same/" + sorted(os.listdir(f"{FIXTURES}/same"))[0])
    metrics = good["sections"][0]["metrics"]
    wait = next(i for i, m in enumerate(metrics) if m["name"] == "donor_wait_ns")
    never = next(i for i, m in enumerate(metrics) if m["kind"] == "invariant")
    metric = ("sections", 0, "metrics", wait)
    for path in [("format",), ("time",), ("boot", "seed"), ("variant", "label"), ("health",),
                 ("sections", 0, "placement"), ("sections", 0, "evidence"), metric + ("unit",),
                 metric + ("samples",), metric + ("histogram", "overflow"),
                 ("sections", 0, "metrics", never, "exposure")]:
        expect_invalid(schema, without(good, *path), f"boot without {path}")
    for value, *path in [
            (2, "version"), ("proxeval-plan", "format"), ("warped", "time"), (-1, "boot", "index"),
            ("ok?", "outcome"), (None, "sections"), ("fine", "health", "clean"),
            (-5, *metric, "samples"), (5, *metric, "p99"), (None, *metric, "p50"),
            (1.5, *metric, "min"), ("best", *metric, "direction"), ("gauge", *metric, "kind"),
            (7, *metric, "value"), ("broken", *metric, "outcome"), ("Donor Wait", *metric, "name"),
            ([[1, 0]], *metric, "histogram", "buckets"), ([[1]], *metric, "histogram", "buckets"),
            (1, "surprise"), (1, "sections", 0, "surprise"), ("failed", "sections", 0, "outcome"),
            ("panicked", "outcome"), ("beside", "sections", 0, "placement", "kind"),
            ("yesterday", "host_run", "started")]:
        expect_invalid(schema, with_value(good, value, *path), f"boot with {path} = {value!r}")


def check_campaigns():
    schema = validator("campaign")
    for path in sorted(glob.glob(f"{FIXTURES}/*/campaign.json")):
        expect_valid(schema, load(path), path)
    good = load(f"{FIXTURES}/same/campaign.json")
    for key in ("seed", "pairing", "variants", "boots", "work"):
        expect_invalid(schema, without(good, key), f"campaign without {key}")
    expect_invalid(schema, with_value(good, "pairs", "pairing"), "campaign with odd pairing")
    expect_invalid(schema, with_value(good, [], "boots"), "campaign without boots")


def check_sequential():
    schema = validator("campaign")
    plan = {"method": "group-sequential-union-bound", "spending": "linear", "error_rate": 0.05, "tests_expected": 4,
            "max_boots": 24, "looks": [{"boots": 6, "alpha": 0.0125}, {"boots": 24, "alpha": 0.0375}]}
    good = with_value(load(f"{FIXTURES}/same/campaign.json"), plan, "sequential")
    expect_valid(schema, good, "a campaign that may stop early")
    expect_invalid(schema, with_value(good, [], "sequential", "looks"), "a sequential plan without looks")
    expect_invalid(schema, with_value(good, "guess", "sequential", "method"), "a sequential plan of odd method")
    expect_invalid(schema, with_value(good, 0, "sequential", "looks", 0, "alpha"), "a look without a level")


def check_calibrations():
    schema = validator("calibration")
    for name in ("same", "real-rounds", "too-few", "panicked", "all-panicked"):
        answer = subprocess.run([os.environ["PROXEVAL"], "calibrate", "--json", "--from", f"{FIXTURES}/{name}"],
                                capture_output=True, text=True, check=False)
        document = json.loads(answer.stdout)
        expect_valid(schema, document, f"the calibration of {name}")
        if document["exit_code"] != answer.returncode:
            failures.append(f"calibrate of {name} exits with {answer.returncode} and writes {document['exit_code']}")


def check_plans():
    schema = validator("plan")
    good = {"format": "proxeval-plan", "version": 1, "campaign": "20261122-181500-1-3f9a",
            "boot": {"index": 3, "round": 1, "variant": "proxy", "seed": 2**64 - 1, "attempt": 0},
            "target": "vm", "time": "virtual", "metronome_period_ns": 50000,
            "work": [{"workload": "mutex-inversion", "placements": ["all"],
                      "params": {"owner": "nice", "samples": "6"}}]}
    expect_valid(schema, good, "plan")
    expect_invalid(schema, with_value(good, 6, "work", 0, "params", "samples"), "plan: number parameter")
    expect_invalid(schema, with_value(good, 2**64, "boot", "seed"), "plan: seed of 65 bits")
    expect_invalid(schema, with_value(good, [], "work"), "plan without work")
    expect_invalid(schema, with_value(good, 1, "extra"), "plan with an extra key")


def options_of_run():
    answer = subprocess.run([os.environ["PROXEVAL"], "run", "--help"], check=True, stdout=subprocess.PIPE, text=True)
    return set(re.findall(r"^  (?:-\w, )?--([a-z-]+)", answer.stdout, re.MULTILINE))


def check_campaign_files():
    schema = validator("campaign-file")
    members = set(schema.schema["properties"]) - {"format", "version", "workload"}
    line_only = {"campaign", "print-campaign", "quick", "yes", "no-install", "help"}
    if members != options_of_run() - line_only:
        failures.append(f"schema and options of run differ in {members ^ (options_of_run() - line_only)}")
    for path in sorted(glob.glob(os.path.join(SOURCE, "tests/fixtures/campaign-files/*.json"))):
        expect_valid(schema, load(path), path)
        answer = subprocess.run([os.environ["PROXEVAL"], "run", "--campaign", path, "--print-campaign"], check=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        expect_valid(schema, json.loads(answer.stdout), f"{path}, printed again")
    good = load(os.path.join(SOURCE, "tests/fixtures/campaign-files/every-member.json"))
    if set(good) - {"format", "version", "workload"} | {"base", "boots", "kernel-image", "target"} != members:
        failures.append(f"every-member.json lacks {members - set(good)}")
    for value, *path in [("3", "max-boots"), (0, "max-boots"), ("slow", "profile"), ([], "variant"), (["a"], "variant"),
                         ([], "workload"), ([{}], "workload"), ({"samples": 1.5}, "param"), ({"hogs": []}, "sweep"),
                         (["next-door"], "placement"), (True, "quick"), ("yes", "json"), (2, "version")]:
        expect_invalid(schema, with_value(good, value, *path), f"campaign file with {path} = {value!r}")


def check_summaries():
    schema = validator("summary")
    for folder in sorted(glob.glob(f"{FIXTURES}/*/")):
        answer = subprocess.run([os.environ["PROXEVAL"], "compare", "--json", folder], check=False,
                                stdout=subprocess.PIPE)
        document = json.loads(answer.stdout, parse_constant=lambda name: failures.append(name))
        expect_valid(schema, document, f"summary of {folder}")
        if document["exit_code"] != answer.returncode:
            failures.append(f"{folder}: exit {answer.returncode}, summary says {document['exit_code']}")
        expect_invalid(schema, without(document, "baseline"), "summary without a baseline")
        expect_invalid(schema, with_value(document, 7, "exit_code"), "summary with exit code 7")


def check_many():
    """Summaries of machines and kernels, a gate, and histories."""
    with tempfile.TemporaryDirectory() as folder:
        names = ["xeon-7.2.13", "epyc-7.2.13", "xeon-7.3.1", "epyc-7.3.1"]
        subprocess.run([sys.executable, f"{SOURCE}/tests/make_result_fixtures.py", folder, *names], check=True)
        paths = [f"{folder}/{name}" for name in names]
        for schema_name, options in [("summary", []), ("summary", ["--fail-on", "worse,violated"]),
                                     ("history", ["--history"]), ("history", ["--history", "--order", "time"])]:
            schema = validator(schema_name)
            answer = subprocess.run([os.environ["PROXEVAL"], "compare", "--json", *options, *paths], check=False,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            document = json.loads(answer.stdout, parse_constant=lambda name: failures.append(name))
            expect_valid(schema, document, f"{schema_name} {options}")
            if document["exit_code"] != answer.returncode:
                failures.append(f"{options}: exit {answer.returncode}, and it says {document['exit_code']}")
            for key in document:
                expect_invalid(schema, without(document, key), f"{schema_name} without {key}")
            expect_invalid(schema, with_value(document, 1, "surprise"), f"{schema_name} with a surprise")
        change = [series for series in document["series"] if series["changes"]][0]["changes"][0]
        for key in change:
            broken = copy.deepcopy(document)
            [series for series in broken["series"] if series["changes"]][0]["changes"][0].pop(key)
            expect_invalid(schema, broken, f"history: a change without {key}")


def check_exact():
    schema = validator("exact")
    for other in ("same", "too-few"):
        answer = subprocess.run([os.environ["PROXEVAL"], "compare", "--exact", "--json",
                                 f"{FIXTURES}/same", f"{FIXTURES}/{other}"], check=False,
                                stdout=subprocess.PIPE)
        document = json.loads(answer.stdout)
        expect_valid(schema, document, f"exact answer about {other}")
        expect_invalid(schema, without(document, "difference"), "exact without difference")


def check_explorations():
    """An exploration and its find, and what must not pass for one."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.path.join(os.path.dirname(os.environ["PROXEVAL"]), "tests/make_find"), folder], check=True)
        check_exploration(folder)


def check_exploration(folder):
    documents = {"explore": "explore.json", "explore-summary": "summary.json", "find": "finds/0001/find.json",
                 "stress": "finds/0001/plan.json"}
    for name, path in documents.items():
        schema = validator(name)
        good = load(f"{folder}/{path}")
        expect_valid(schema, good, path)
        for key in good:
            expect_invalid(schema, without(good, key), f"{path} without {key}")
        expect_invalid(schema, with_value(good, 1, "surprise"), f"{path} with a surprise")
        expect_invalid(schema, with_value(good, 2, "version"), f"{path} of version 2")
    stress = validator("stress")
    plan = load(f"{folder}/finds/0001/plan.json")
    expect_valid(stress, load(f"{folder}/finds/0001/first-plan.json"), "the plan as it was found")
    for value, *path in [("sleep", "actors", 0, "mechanism"), (20, "actors", 0, "nice"), ([], "actors"),
                         (0, "rounds"), (2**32, "seed"), ("realtime", "actors", 0, "class")]:
        expect_invalid(stress, with_value(plan, value, *path), f"plan with {path} = {value!r}")
    find = load(f"{folder}/finds/0001/find.json")
    for value, *path in [("oops", "signature", "kind"), (-1, "signature", "at_ns"), ("x", "guest", "image_sha256"),
                         (0, "number"), ("2", "guest", "topology")]:
        expect_invalid(validator("find"), with_value(find, value, *path), f"find with {path} = {value!r}")


def check_sites():
    schema = validator("site")
    history = validator("history")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.environ["PROXEVAL"], "report", "--site", f"{folder}/site", FIXTURES], check=True,
                       stdout=subprocess.DEVNULL)
        document = load(f"{folder}/site/index.json")
    expect_valid(schema, document, "site")
    for trends in document["histories"]:
        expect_valid(history, trends, "history of the site")
    for path in [("files",), ("reports", 0, "verdicts", "worse"), ("reports", 0, "started")]:
        expect_invalid(schema, without(document, *path), f"site without {path}")
    for value, *path in [("../x", "files", 0), ("/x", "files", 0), ("index.html", "files", 1), ("x/index.html", "reports", 0, "path"),
                         ("today", "reports", 0, "started"), (7, "reports", 0, "exit_code")]:
        changed = with_value(document, value, *path)
        if path == ["files", 1]:
            changed["files"][0] = value
        expect_invalid(schema, changed, f"site with {path} = {value!r}")


def check_proofs():
    schema = validator("proof")
    good = load(os.path.join(SOURCE, "tests/fixtures/proof/proof.json"))
    expect_valid(schema, good, "proof.json")
    tags = [row["tag"] for row in good["rows"]]
    figure, stress = ("rows", tags.index("K3")), ("rows", tags.index("R1"))
    for path in [("format",), ("seed",), ("rows",), figure + ("verdict",), figure + ("argument",),
                 figure + ("steps", 0, "figures", 0, "without"), figure + ("steps", 0, "image_full"),
                 stress + ("steps", 0, "duration_ns"), stress + ("steps", 0, "find", "is_again")]:
        expect_invalid(schema, without(good, *path), f"proof without {path}")
    for value, *path in [
            (2, "version"), ("proxeval-boot", "format"), (-1, "seed"), (["k3"], "tags"),
            ("proven", *figure, "verdict"), ([], *figure, "steps"), ("", *figure, "reason"),
            ("argued", *figure, "steps", 0, "verdict"), ("need", *figure, "steps", 0, "kind"),
            ("1", *figure, "steps", 0, "figures", 0, "full", 0), ("abc", *figure, "steps", 0, "image_full"),
            ("crash", *stress, "steps", 0, "find", "kind"), (1.5, *stress, "steps", 0, "seeds_full")]:
        expect_invalid(schema, with_value(good, value, *path), f"proof with {path} = {value!r}")


check_boots()
check_campaigns()
check_sequential()
check_calibrations()
check_plans()
check_campaign_files()
check_summaries()
check_many()
check_exact()
check_explorations()
check_sites()
check_proofs()
for failure in failures:
    print("FAIL:", failure)
print(f"{len(failures)} failures")
sys.exit(bool(failures))
