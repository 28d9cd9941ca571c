#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the HTML report is made of: nothing runs or loads, whatever the documents say; every link leads
to a file; colours can be read; figures name the very figure of the summary."""
import html.parser
import json
import os
import re
import shutil
import sys
import tempfile
import urllib.parse

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
