#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the HTML report is made of: nothing runs or loads, whatever the documents say; every link leads
to a file; colours can be read; figures name the very figure of the summary."""
import html.parser
import json
import math
import os
import re
import shutil
import sys
import tempfile
import urllib.parse

sys.dont_write_bytecode = True  # the source tree stays clean
import html_pages

# What may stand on the page. Anything else came out of a document.
ELEMENTS = {
    "html": {"lang"}, "head": set(), "body": set(), "title": {"id"}, "style": set(),
    "meta": {"charset", "name", "content", "http-equiv"}, "header": set(), "main": set(),
    "section": set(), "nav": {"aria-label"}, "div": {"class", "role", "tabindex", "aria-label", "id"},
    "h1": set(), "h2": {"id"}, "h3": set(), "h4": set(), "p": {"class"}, "b": set(), "br": set(),
    "span": {"class", "aria-hidden"}, "i": {"class"}, "mark": set(), "code": set(), "pre": set(),
    "dl": {"class"}, "dt": set(), "dd": set(), "details": {"class"}, "summary": set(),
    "a": {"href"}, "figure": {"class"}, "figcaption": set(), "table": {"class"}, "thead": set(),
    "tbody": set(), "tr": {"class"}, "th": {"scope", "class"}, "td": {"class"},
    "svg": {"viewbox", "role", "aria-labelledby", "aria-describedby", "class", "aria-hidden"},
    "desc": {"id"}, "path": {"class", "d"}, "rect": {"class", "x", "y", "width", "height"},
    "text": {"x", "y", "class"},
}
VOID = {"meta", "br"}
POLICY = ("default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
          "form-action 'none'")
PAYLOAD = ("\"><script>alert(1)</script><img src=x onerror=alert(1)>' onmouseover='alert(1)' "
           "javascript:alert(1) </title></style></svg></code>-->]]><svg/onload=alert(1)>&lt;")
# Control characters as well; most strings may not have them, and must then be refused.
PAYLOADS = (PAYLOAD, PAYLOAD + "\x1b[31m\r\x7f")
SIZE_LIMIT_BYTES = 1_000_000
failures = []


def check(fine, message):
    if not fine:
        failures.append(message)
        print("FAILED:", message)
    return fine


class Page(html.parser.HTMLParser):
    """The page as a list of elements; what is not allowed there is a failure."""

    def __init__(self, path):
        super().__init__()
        self.path, self.stack, self.elements, self.text = path, [], [], []
        with open(path, "rb") as file:
            self.source = file.read()
        self.feed(self.source.decode("utf-8", "replace"))
        self.close()
        check(not self.stack, f"{path}: {self.stack} is not closed")

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        self.elements.append((tag, dict(attrs)))
        check(tag in ELEMENTS, f"{self.path}: <{tag}> {attrs}")
        check(len(set(names)) == len(names), f"{self.path}: <{tag}> has {names}")
        for name in names:
            check(name in ELEMENTS.get(tag, ()), f"{self.path}: <{tag} {name}=…>")
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        if check(self.stack and self.stack[-1] == tag,
                 f"{self.path}: </{tag}> where {self.stack[-3:]} is open"):
            self.stack.pop()

    def handle_data(self, data):
        if "style" not in self.stack:
            self.text.append(data)

    def handle_comment(self, data):
        check(False, f"{self.path}: a comment: {data[:60]}")

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def check_links(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    check(len(set(ids)) == len(ids), f"{page.path}: an id appears twice")
    for link in page.all("a"):
        target = link["href"]
        if target.startswith("#"):
            check(target[1:] in ids, f"{page.path}: {target} leads nowhere")
            continue
        parts = urllib.parse.urlsplit(target)
        check(not parts.scheme and not parts.netloc and not parts.query,
              f"{page.path}: a link to elsewhere: {target}")
        check(os.path.isfile(os.path.join(os.path.dirname(page.path),
                                          urllib.parse.unquote(parts.path))),
              f"{page.path}: {target} is no file")
    for svg in page.all("svg"):
        if svg.get("aria-hidden"):
            continue
        check(svg.get("role") == "img", f"{page.path}: a figure without a role")
        for name in ("aria-labelledby", "aria-describedby"):
            check(svg.get(name) in ids, f"{page.path}: a figure's {name} leads nowhere")
    for head in page.all("th"):
        check(head.get("scope") in ("row", "col"), f"{page.path}: a head without a scope")


def check_page(path):
    page = Page(path)
    check({"http-equiv": "Content-Security-Policy", "content": POLICY} in page.all("meta"),
          f"{path}: no policy, or another one")
    check(len(page.all("style")) == 1 and len(page.all("h1")) == 1, f"{path}: styles and heads")
    style = re.search(rb"<style>(.*?)</style>", page.source, re.S).group(1).decode()
    check(not re.search(r"url\(|@import|expression\(|//", style), f"{path}: the style loads")
    check(len(page.source) < SIZE_LIMIT_BYTES, f"{path}: {len(page.source)} bytes")
    check(not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", page.source), f"{path}: control characters")
    check_links(page)
    return page


# ---- colours ----

def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(c + c for c in colour[1:])
    parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, two):
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def text_pairs(block):
    """Which text colour meets which background: the first three by the style's design, the heat
    maps' as the block's rules say."""
    pairs = [(text, paper) for text in ("ink", "soft", "link") for paper in ("paper", "card")]
    pairs += [(name, name + "-bg") for name in ("good", "bad", "open", "plain")]
    pairs += [("ink", "bad-bg"), ("ink", "open-bg"), ("ink", "mark-bg"), ("soft", "mark-bg")]
    for steps, ink in re.findall(r"((?:\.[hr]\d,?)+)\{color:var\(--(on-\w+)\)\}", block):
        pairs += [(ink, step[1:]) for step in steps.split(",")]
    return pairs


def test_contrast(page):
    """Text on what is behind it has 4.5:1 in all schemes, lines and marks have 3:1."""
    style = re.search(rb"<style>(.*?)</style>", page.source, re.S).group(1).decode()
    light, _, rest = style.partition("@media (prefers-color-scheme:dark)")
    dark, _, printed = rest.partition("@media print")
    dark = dark.split("*{box-sizing")[0]
    for scheme, block in (("light", light), ("dark", dark), ("print", printed)):
        colours = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})(?=[;}])", block))
        pairs = text_pairs(block)
        check(len(pairs) == 6 + 4 + 4 + 14, f"{scheme}: {len(pairs)} pairs")
        for text, paper in pairs:
            ratio = contrast(colours[text], colours[paper])
            check(ratio >= 4.5, f"{scheme}: {text} on {paper} has only {ratio:.2f}:1")
        for series in range(6):
            ratio = contrast(colours[f"s{series}"], colours["card"])
            check(ratio >= 3, f"{scheme}: series {series} has only {ratio:.2f}:1")


# ---- figures and where they stand in the summary ----

def test_summary_places(path):
    """"comparisons[3]" on a row is the row's own figure."""
    source = open(path, encoding="utf-8").read()
    with open(os.path.join(os.path.dirname(path), "summary.json")) as file:
        summary = json.load(file)
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th><td class="verdict">.*?'
                      r'<code>(comparisons|controls)\[(\d+)\]</code>', source)
    check(len(rows) == len(summary["controls"]) + sum(
        one["role"] in ("primary", "secondary") and one["verdict"] != "not-judged"
        for one in summary["comparisons"]), f"{path}: {len(rows)} rows")
    for placement, part, index in rows:
        check(summary[part][int(index)]["placement"] == placement,
              f"{path}: {part}[{index}] is not at {placement}")
    for part in ("comparisons", "controls"):
        indices = [int(index) for _, of, index in rows if of == part]
        check(len(set(indices)) == len(indices), f"{path}: a place in {part} is named twice")


# ---- curves ----

def path_points(data):
    """The absolute points of a path of one M and then l or L."""
    points, at = [], (0.0, 0.0)
    for letter, x, y in re.findall(r"([MlL])(-?[\d.]+)[ ]?(-?[\d.]+)", data):
        at = (float(x), float(y)) if letter in "ML" else (at[0] + float(x), at[1] + float(y))
        points.append(at)
    assert len(points) > 1, data
    return points


def log_axis(ticks):
    """From pixels to nanoseconds, by an axis' first and last label."""
    scales = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1}
    ends = []
    for pixel, label in (ticks[0], ticks[-1]):
        number, unit = label.split()
        ends.append((pixel, math.log(float(number) * scales[unit])))
    slope = (ends[1][1] - ends[0][1]) / (ends[1][0] - ends[0][0])
    return lambda pixel: math.exp(ends[0][1] + slope * (pixel - ends[0][0]))


def pooled_quantile(boots, share):
    """The upper edge of the bucket in which that share of all boots' samples is reached."""
    counts, half = {}, 64
    for boot in boots:
        metric = boot["sections"][0]["metrics"][0]
        assert metric["histogram"]["bits"] == 7
        for index, count in metric["histogram"]["buckets"]:
            counts[index] = counts.get(index, 0) + count
    left = share * sum(counts.values())
    for index in sorted(counts):
        left -= counts[index]
        if left <= 0:
            return (half + index % half + 1) << (index // half - 1)
    raise AssertionError(share)


def value_at(points, along, at, other):
    """Where a curve that rises along one axis first gets to @at, on the other axis."""
    for before, after in zip(points, points[1:]):
        if before[along] <= at <= after[along]:
            span = after[along] - before[along]
            part = (at - before[along]) / span if span else 1
            return before[other] + part * (after[other] - before[other])
    raise AssertionError(f"no point at {at}")


def test_curves(path):
    """Both curves of the first figure go through what the boots' histograms say."""
    source = open(path, encoding="utf-8").read()
    figure = re.search(r'<figure class="card"><figcaption><b>(same-cpu)</b>.*?</figure>', source, re.S)
    percentiles, shares = re.findall(r"<svg viewBox.*?</svg>", figure.group(0), re.S)[:2]
    for label, series in (("proxy", "s1"), ("!proxy", "s0")):
        boots = []
        for name in os.listdir(os.path.join(html_pages.FIXTURES, "real-rounds")):
            with open(os.path.join(html_pages.FIXTURES, "real-rounds", name)) as file:
                boot = json.load(file)
            if boot["format"] == "proxeval-boot" and boot["variant"]["label"] == label:
                boot["sections"].sort(key=lambda one: one["placement"]["name"] != "same-cpu")
                boots.append(boot)
        for svg, along in ((percentiles, 0), (shares, 1)):
            texts = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" class="tick (mid|end)">([^<]*)<', svg)
            times = [(float(y) - 4 if along == 0 else float(x), text) for x, y, _, text in texts
                     if re.fullmatch(r"[\d.]+ (s|ms|us|ns)", text)]
            percents = {text: float(x) if along == 0 else float(y) - 4 for x, y, _, text in texts
                        if text.endswith("%")}
            to_ns = log_axis(times)
            points = path_points(re.search(rf'<path class="thick {series}" d="([^"]*)"', svg).group(1))
            check(all(a[0] <= b[0] + 0.05 and a[1] >= b[1] - 0.05 for a, b in zip(points, points[1:])),
                  f"{label}: the curve goes back")
            for text, pixel in percents.items():
                share = float(text.split()[0]) / 100
                if not 0.2 < share < 0.995:
                    continue
                if along == 1:
                    # Upwards on the screen is downwards in pixels.
                    turned = [(x, -y) for x, y in points]
                    drawn = to_ns(value_at(turned, 1, -pixel, 0))
                else:
                    drawn = to_ns(value_at(points, 0, pixel, 1))
                truth = pooled_quantile(boots, share)
                check(abs(drawn / truth - 1) < 0.02,
                      f"{label}: drawn {drawn / 1e6:.2f} ms at {text}, not {truth / 1e6:.2f} ms")


def test_heat_map(path):
    """The heat map has the verdict table's figures, and colours in their order."""
    source = open(path, encoding="utf-8").read()
    heat = re.search(r'<table class="heat">.*?</table>', source, re.S).group(0)
    rows = re.findall(r'<tr(?: class="ratios")?><th scope="row">(.*?)</th>(.*?)</tr>', heat, re.S)
    with open(os.path.join(os.path.dirname(path), "summary.json")) as file:
        summary = json.load(file)
    medians = [one for one in summary["comparisons"]
               if one["metric"] == "donor_wait_ns" and one["statistic"] == "p50"]
    heads = re.findall(r'<th scope="col">([\w-]+)<br>', heat)
    check(heads == [one["placement"] for one in medians], f"columns {heads}")
    check("distance 20" in heat and "node 0, 1" in heat, "no places in the heat map")
    check(len(rows) == 3, f"{len(rows)} rows")
    for head, cells in rows:
        steps = re.findall(r'<td class="([hr])(\d)">(?:&times; )?([\d.]+)', cells)
        check(len(steps) == len(medians), f"{head}: {cells}")
        for one, (kind, step, number) in zip(medians, steps):
            value = one["ratio"] if kind == "r" else one[
                "value_baseline" if "!proxy" in head else "value_variant"] / 1e6
            check(abs(float(number) / value - 1) < 0.02, f"{head}: {number} is not {value}")
            wanted = {"r": "0", "h": "6" if "!proxy" in head else "0"}[kind]
            check(step == wanted, f"{head}: {number} has the colour {kind}{step}")


# ---- hostile documents ----

def poisoned_copy(folder, places, payload):
    """A copy of a good campaign whose strings at those places end with the payload."""
    shutil.rmtree(folder, ignore_errors=True)
    html_pages.copy_of("quick-virtual", folder)

    def change(document, path):
        bad = html_pages.poison(document, places, payload)
        with open(path, "w") as file:
            json.dump(bad, file)
        document.clear()
        document.update(bad)

    html_pages.edit(folder, change)
    return folder


def test_poison(work):
    """Every string of the documents, one kind at a time and then all that are let in together."""
    places = set()

    def collect(document, _path):
        places.update(html_pages.string_places(document))

    folder = html_pages.copy_of("quick-virtual", os.path.join(work, "places"))
    html_pages.edit(folder, collect)
    for payload in PAYLOADS:
        let_in = set()
        for place in sorted(places):
            output = os.path.join(work, "poison")
            bad = poisoned_copy(os.path.join(work, "bad"), {place}, payload)
            code, said = html_pages.report(bad, output)
            check(code in (0, 5), f"{place}: exit code {code}: {said}")
            check("\x1b" not in said, f"{place}: stderr has an escape sequence")
            if code:
                check(not os.path.exists(output), f"{place}: a page of what is invalid")
                continue
            let_in.add(place)
            check_page(os.path.join(output, "index.html"))
            shutil.rmtree(output)
        last_names = {place[-1] for place in let_in}
        for name in ("hostname", "model", "release", "command_line", "found"):
            check(name in last_names, f"no text of {name} was let in: this tests nothing")
        worst = poisoned_copy(os.path.join(work, "worst"), let_in, payload)
        page = check_page(html_pages.page(worst, os.path.join(work, "worst-report")))
        check("<script>alert(1)</script>" in "".join(page.text), "the payload is not shown")
    check(("sections", "[]", "evidence", "[]", "text") in places, "no text of evidence")


def test_hostile_paths(work):
    """Names of folders and files, keys of the environment, and labels are data as well."""
    folder = os.path.join(work, "javascript:alert(1)", "\"><img src=x onerror=alert(1)> %41#?&'")
    os.makedirs(os.path.dirname(folder))
    html_pages.copy_of("quick-virtual", folder)

    def change(document, _path):
        if "environment" in document:
            document["environment"]["<script>alert(1)</script>"] = {
                "<img src=x onerror=alert(1)>' onclick='x": document["boot"]}
        for variant in [document.get("variant"), *document.get("variants", [])]:
            if variant:
                variant["label"] = variant["label"].replace("proxy", "p<b onclick='x'>\"&r")
        for boot in [document["boot"]] if "boot" in document else document["boots"]:
            boot["variant"] = boot["variant"].replace("proxy", "p<b onclick='x'>\"&r")

    html_pages.edit(folder, change)
    names = [name for name in os.listdir(folder) if name.startswith("boot-0003")]
    os.rename(os.path.join(folder, names[0]), os.path.join(folder, "boot-3-javascript:'\"><b>.json"))
    check_page(html_pages.page(folder, folder))
    check_page(html_pages.page(folder, os.path.join(work, "javascript:alert(1)", "out")))
    check_page(html_pages.page(folder, os.path.join(work, "elsewhere", "deep")))


def main():
    with tempfile.TemporaryDirectory() as work:
        for name in sorted(os.listdir(html_pages.FIXTURES)):
            own = html_pages.copy_of(name, os.path.join(work, name))
            check_page(html_pages.page(own, own))
            check_page(html_pages.page(own, os.path.join(work, "out", name)))
        path = os.path.join(work, "quick-virtual", "index.html")
        test_contrast(Page(path))
        test_summary_places(path)
        test_heat_map(path)
        test_curves(os.path.join(work, "real-rounds", "index.html"))
        for make in (html_pages.four_variants, html_pages.two_machines):
            os.mkdir(os.path.join(work, make.__name__))
            path = html_pages.page(make(os.path.join(work, make.__name__)),
                                   os.path.join(work, "out", make.__name__))
            check_page(path)
            test_summary_places(path)
        test_poison(work)
        test_hostile_paths(work)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
