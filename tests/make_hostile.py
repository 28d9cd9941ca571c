#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes broken and hostile variants of recorded results, for test_hostile.sh.

    make_hostile.py CAMPAIGN_DIR OUTPUT_DIR

Each variant is a folder OUTPUT_DIR/NAME with one thing wrong. For each, one line
"NAME<tab>EXIT<tab>WORDS" is printed: what compare must exit with, and what its one sentence
must say (for exit codes but 5: nothing is required of the output).
"""
import json
import os
import shutil
import sys

BOOT = "boot-0000-no-proxy.json"


def first(document):
    return document["sections"][0]["metrics"][0]


def change(make):
    """The first boot's document, parsed, changed and written again."""
    def apply(text):
        document = json.loads(text)
        make(document)
        return json.dumps(document).encode()
    return apply


def replace(old, new):
    def apply(text):
        assert old in text, old
        return text.replace(old, new, 1).encode() if isinstance(new, str) else \
            text.encode().replace(old.encode(), new, 1)
    return apply


def set_metric(**values):
    return change(lambda document: first(document).update(values))


def set_histogram(**values):
    return change(lambda document: first(document)["histogram"].update(values))


def swap_buckets(document):
    buckets = first(document)["histogram"]["buckets"]
    buckets[0], buckets[1] = buckets[1], buckets[0]


def double_section(document):
    document["sections"].append(document["sections"][0])


def double_metric(document):
    document["sections"][0]["metrics"].append(first(document))


SAMPLES = '"samples":12'
DEEP = '{"a":' * 10000 + "1" + "}" * 10000
BOOTS = [
    ("empty", lambda text: b"", "it is empty"),
    ("blank", lambda text: b" \n\t\n", "cut short"),
    ("truncated", lambda text: text[:len(text) // 2].encode(), "cut short"),
    ("truncated-by-a-byte", lambda text: text.rstrip()[:-1].encode(), "cut short"),
    ("twice", lambda text: (text + text).encode(), "the end of the text is needed"),
    ("not-json", lambda text: b"hello", "it is not JSON"),
    ("array", lambda text: b"[]", "not a JSON object"),
    ("null", lambda text: b"null", "not a JSON object"),
    ("version-2", replace('"version":1', '"version":2'), "its version is 2"),
    ("version-text", replace('"version":1', '"version":"1"'), 'no "version"'),
    ("version-huge", replace('"version":1', '"version":99999999999999999999'), "its version is 9999"),
    ("a-summary", replace("proxeval-boot", "proxeval-summary"), "it is a proxeval-summary"),
    ("a-plan", replace("proxeval-boot", "proxeval-plan"), "it is a proxeval-plan"),
    ("nan", replace(SAMPLES, '"samples":NaN'), "not finite"),
    ("infinity", replace(SAMPLES, '"samples":Infinity'), "not finite"),
    ("minus-infinity", replace(SAMPLES, '"samples":-Infinity'), "not finite"),
    ("1e308", replace('"value":0.05', '"value":1e308'), "from 1e-60 to 1e60"),
    ("1e400", replace(SAMPLES, '"samples":1e400'), "not finite"),
    ("2-to-63", replace(SAMPLES, '"samples":9223372036854775808'), "a count is from 0 to 2^53"),
    ("2-to-64", replace(SAMPLES, '"samples":18446744073709551616'), "a count is from 0 to 2^53"),
    ("2-to-53-and-1", replace(SAMPLES, '"samples":9007199254740993'), "a count is from 0 to 2^53"),
    ("negative", replace(SAMPLES, '"samples":-12'), "a count is from 0 to 2^53"),
    ("fraction", replace(SAMPLES, '"samples":12.0'), "not a whole number"),
    ("leading-zero", replace(SAMPLES, '"samples":012'), "it is not JSON"),
    ("hexadecimal", replace(SAMPLES, '"samples":0x12'), "it is not JSON"),
    ("negative-seed", replace('"seed":70', '"seed":-70'), '"seed" is negative'),
    ("seed-too-large", replace('"seed":70', '"seed":18446744073709551616'), "beyond 2^64"),
    ("key-twice", replace(SAMPLES, SAMPLES + "," + SAMPLES), 'the key "samples" appears twice'),
    ("key-escaped", replace(SAMPLES, SAMPLES + ',"sampl\\u0065s":13'), "spelt with an escape"),
    ("comment", replace("{", "/* x */{"), "it is not JSON"),
    ("single-quotes", replace('"time"', "'time'"), "it is not JSON"),
    ("trailing-comma", replace('"version":1', '"version":1,,'), "it is not JSON"),
    ("deep", lambda text: DEEP.encode(), "nested deeper than 24 levels"),
    ("deep-arrays", lambda text: b"[" * 10000, "nested deeper than 24 levels"),
    ("deep-inside", replace('"environment":{', '"environment":{"x":' + "[" * 10000 + "]" * 10000 + ","),
     "nested deeper than 24 levels"),
    ("invalid-utf8", replace('"hostname":"', b'"hostname":"\xff\xfe'), "not UTF-8"),
    ("overlong-utf8", replace('"hostname":"', b'"hostname":"\xc0\xaf'), "not UTF-8"),
    ("surrogate-utf8", replace('"hostname":"', b'"hostname":"\xed\xa0\x80'), "not UTF-8"),
    ("bom", lambda text: b"\xef\xbb\xbf" + text.encode(), "byte order mark"),
    ("utf16", lambda text: text.encode("utf-16"), "it is not"),
    ("nul", replace('"hostname":"', b'"hostname":"\x00'), "control character"),
    ("nul-at-the-end", lambda text: text.encode() + b"\x00", "the end of the text is needed"),
    ("nul-escaped", replace('"label":"', '"label":"\\u0000'), "NUL character"),
    ("control-character", replace('"hostname":"', '"hostname":"\x1b[31m'), "control character"),
    ("p50-above-max", set_metric(p50=10 ** 12), "they contradict"),
    ("p90-below-p50", set_metric(p90=1), "they contradict"),
    ("min-above-max", set_metric(min=10 ** 12), "they contradict"),
    ("mean-outside", set_metric(mean=1.0), '"mean" is 1'),
    ("p99-of-12", set_metric(p99=350_000_000), '"p99" needs 100 samples'),
    ("p50-missing", set_metric(p50=None), "without a min, max, mean or p50"),
    ("p50-text", set_metric(p50="350"), "not a whole number"),
    ("buckets-in-disorder", change(swap_buckets), "not in rising order"),
    ("sums-disagree", set_metric(samples=13), 'and "samples" says 13'),
    ("buckets-elsewhere", set_histogram(buckets=[[1, 12]]), "the histogram has none there"),
    ("bucket-empty", set_histogram(buckets=[[1, 0]]), "is empty"),
    ("bucket-negative", set_histogram(buckets=[[-1, 12]]), "a count is from 0 to 2^53"),
    ("bucket-beyond", set_histogram(buckets=[[10 ** 9, 12]]), "beyond the histogram"),
    ("bucket-triple", set_histogram(buckets=[[1, 2, 3]]), "not a pair"),
    ("bits-0", set_histogram(bits=0), "is not one"),
    ("bits-64", set_histogram(bits=64), "is not one"),
    ("counts-overflow", set_histogram(underflow=2 ** 53, overflow=2 ** 53), "the histogram holds"),
    ("role-unknown", set_metric(role="boss"), "does not know"),
    ("kind-unknown", set_metric(kind=["distribution"]), "not a string"),
    ("broken-without-reason", set_metric(outcome="broken", reason=None), 'without a "reason"'),
    ("section-twice", change(double_section), "the section appears twice"),
    ("metric-twice", change(double_metric), "it appears twice"),
    ("no-sections", change(lambda d: d.update(sections=[])), "it measured nothing"),
    ("sections-an-object", change(lambda d: d.update(sections={})), '"sections" is not a list'),
    ("sections-of-numbers", change(lambda d: d.update(sections=[1])), "a section is not an object"),
    ("metrics-of-nulls", change(lambda d: d["sections"][0].update(metrics=[None])),
     "a metric is not an object"),
    ("environment-null", change(lambda d: d.update(environment=None)), '"environment" is not an object'),
    ("health-clean-text", change(lambda d: d["health"].update(clean="yes")), '"clean" is not true'),
    ("died-without-reason", change(lambda d: d.update(outcome="died")), 'without a "reason"'),
    ("end-unknown", change(lambda d: d.update(outcome="fine")), "does not know"),
    ("other-time", change(lambda d: d.update(time="real")), "campaign.json says"),
    ("other-target", change(lambda d: d.update(target="host")), "campaign.json says"),
    ("other-campaign", change(lambda d: d["campaign"].update(id="elsewhere")), "the campaign.json beside it"),
    ("other-seed", change(lambda d: d["campaign"].update(seed=2)), "its campaign.json says 1"),
    ("other-index", change(lambda d: d["boot"].update(index=1)), "campaign.json planned"),
    ("other-variant", change(lambda d: d["boot"].update(variant="proxy")), "and its variant is"),
    ("label-empty", change(lambda d: d["variant"].update(label="")), '"label" is empty'),
    ("unit-of-another-boot", set_metric(unit="us"), "not what another boot says"),
]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\u001b[31m\u0007\u202e|`$(touch x)`=cmd()"


def poison(document):
    """Valid, and full of what a page, a terminal or a shell could be fooled by."""
    document["environment"]["hostname"] = HOSTILE
    document["environment"]["cpu"]["model"] = HOSTILE
    document["environment"]["kernel"]["release"] = HOSTILE
    document["health"].update(clean=False, reports=[HOSTILE])
    document["host_run"]["host"] = HOSTILE
    for section in document["sections"]:
        section.update(outcome="broken", reason=HOSTILE)
        for metric in section["metrics"]:
            metric.update(outcome="broken", reason=HOSTILE)
        for evidence in section["evidence"]:
            evidence.update(name=HOSTILE, text=HOSTILE)


CAMPAIGNS = [
    ("campaign-truncated", lambda text: text[:40].encode(), "cut short"),
    ("campaign-empty", lambda text: b"", "it is empty"),
    ("campaign-version", replace('"version":1', '"version":7'), "its version is 7"),
    ("campaign-a-boot", replace("proxeval-campaign", "proxeval-boot"), "a proxeval-campaign is needed"),
    ("campaign-id", change(lambda d: d.update(id="elsewhere")), "the campaign.json beside it"),
    ("campaign-pairing", change(lambda d: d.update(pairing="wild")), "does not know"),
    ("campaign-key-twice", replace('"version":1', '"version":1,"version":1'), "appears twice"),
    ("campaign-deep", replace('"version":1', '"version":1,"x":' + "[" * 9999 + "]" * 9999), "nested deeper"),
]


def main():
    source, output = sys.argv[1:]
    for name, make, words in BOOTS + CAMPAIGNS:
        folder = os.path.join(output, name)
        shutil.copytree(source, folder)
        path = os.path.join(folder, "campaign.json" if name.startswith("campaign") else BOOT)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "wb") as file:
            file.write(make(text))
        print(f"{name}\t5\t{words}")
    folder = os.path.join(output, "poisoned")
    shutil.copytree(source, folder)
    for name in os.listdir(folder):
        if name.startswith("boot-"):
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                document = json.load(file)
            poison(document)
            with open(path, "w", encoding="utf-8") as file:
                json.dump(document, file)


if __name__ == "__main__":
    main()
