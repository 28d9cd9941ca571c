#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The HTML report as a browser renders it: light, dark, narrow, printed. Asserted on what was laid out
and painted, not on the source. With BROWSER_PICTURES=DIR the screenshots are kept there."""
import os
import re
import struct
import sys
import tempfile
import zlib

sys.dont_write_bytecode = True  # the source tree stays clean
import browser
import html_pages

DESK, PHONE, SMALL_PHONE = (1280, 800), (390, 844), (360, 740)
failures = []


def check(fine, message):
    if not fine:
        failures.append(message)
        print("FAILED:", message)


# What runs in the page to measure it. The page's own policy forbids scripts to it, not to the test.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN_ALL = "document.querySelectorAll('details').forEach(d => d.open = true)"
FIRST_SCREEN = """(() => {
  const seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    for (const box of range.getClientRects())
      if (box.width && box.bottom <= innerHeight && box.right <= innerWidth) {
        seen.push(walker.currentNode.textContent);
        break;
      }
  }
  return seen.join(' ');
})()"""
# Labels outside of their figure, and labels on one another; a pixel of touch is let pass.
LABELS = """(() => {
  const wrong = [];
  for (const svg of document.querySelectorAll('svg')) {
    const view = svg.viewBox.baseVal, boxes = [];
    for (const text of svg.querySelectorAll('text')) {
      const b = text.getBBox();
      if (b.x < view.x - 1 || b.y < view.y - 1 || b.x + b.width > view.x + view.width + 1 ||
          b.y + b.height > view.y + view.height + 1)
        wrong.push('outside: ' + text.textContent);
      for (const [o, other] of boxes)
        if (b.x + 1 < o.x + o.width && o.x + 1 < b.x + b.width &&
            b.y + 3 < o.y + o.height && o.y + 3 < b.y + b.height)
          wrong.push(other + ' and ' + text.textContent + ' in ' +
                     svg.querySelector('title').textContent);
      boxes.push([b, text.textContent]);
    }
  }
  return wrong;
})()"""
MARKS = """(() => {
  let outside = 0;
  for (const svg of document.querySelectorAll('.card svg')) {
    const view = svg.viewBox.baseVal;
    for (const mark of svg.querySelectorAll('path')) {
      const b = mark.getBBox();
      outside += b.x < -1 || b.y < -1 || b.x + b.width > view.width + 1 ||
                 b.y + b.height > view.height + 1;
    }
  }
  return outside;
})()"""
INTRUDERS = """(() => {
  const wrong = [];
  for (const element of document.querySelectorAll('*')) {
    if (/^(script|img|iframe|object|embed|link|base|form|input|foreignobject|animate|set|use|image)$/i
        .test(element.localName))
      wrong.push(element.outerHTML.slice(0, 100));
    for (const name of element.getAttributeNames())
      if (/^on/i.test(name) || name == 'style' || /^\\s*javascript:/i.test(element.getAttribute(name)))
        wrong.push(element.localName + ' ' + name);
  }
  return wrong.concat(window.wasRun ? ['something ran'] : []);
})()"""
# Cut text: what is wider than its box, where the box does not scroll.
CUT = """[...document.querySelectorAll('h1,h2,h3,h4,p,dd,figcaption,.card,li')]
  .filter(e => e.getClientRects().length && e.scrollWidth > e.clientWidth + 1)
  .map(e => e.textContent.slice(0, 60))"""
UNSEEN = """[...document.querySelectorAll('details:not(.json) td')].filter(
  cell => !cell.checkVisibility()).length"""
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
FOCUS = """(() => {
  const link = document.querySelector('nav a');
  link.focus({focusVisible: true});
  const style = getComputedStyle(link);
  return style.outlineStyle != 'none' && parseFloat(style.outlineWidth) >= 2;
})()"""


def first_pixel(png):
    """Red, green and blue of a PNG's upper left corner, from its bytes."""
    width, _height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert depth == 8 and kind in (2, 6) and width, "not a PNG of 8-bit colours"
    data, at = b"", 8
    while at < len(png):
        length, name = struct.unpack(">I4s", png[at:at + 8])
        data += png[at + 8:at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    # Behind the first row's filter; no filter changes a row's first pixel when none is above it.
    return tuple(zlib.decompressobj().decompress(data, 4)[1:4])


class Look:
    def __init__(self, chromium, name, path):
        self.chromium, self.name, self.path = chromium, name, path
        self.pictures = os.environ.get("BROWSER_PICTURES")

    def expect(self, fine, message):
        check(fine, f"{self.name}: {message}")

    def open(self, size, scheme="light"):
        self.chromium.look(*size, scheme)
        self.chromium.open(self.path)
        self.expect(not self.chromium.messages, f"the console says {self.chromium.messages}")
        self.expect(len(self.chromium.requests) == 1, f"it asked for {self.chromium.requests[1:]}")

    def picture(self, what, whole_page=False):
        png = self.chromium.screenshot(whole_page)
        if self.pictures:
            os.makedirs(self.pictures, exist_ok=True)
            with open(os.path.join(self.pictures, f"{self.name}-{what}.png"), "wb") as file:
                file.write(png)
        return png

    def see(self, expression):
        return self.chromium.evaluate(expression)

    def first_screen(self, size, what, words):
        self.open(size)
        self.picture(what)
        text = re.sub(r"\s+", " ", self.see(FIRST_SCREEN))
        for word in words:
            self.expect(word in text, f"the first screen of {size} does not say '{word}': {text}")

    def layout(self):
        for size in (DESK, PHONE, SMALL_PHONE):
            self.open(size)
            for state in ("closed", "open"):
                self.expect(self.see(OVERFLOW) <= 0,
                            f"{size}, {state}: wider than the window by {self.see(OVERFLOW)}")
                self.expect(not self.see(CUT), f"{size}, {state}: cut: {self.see(CUT)}")
                self.see(OPEN_ALL)
        self.open(DESK)
        self.see(OPEN_ALL)
        labels = self.see(LABELS)
        self.expect(not labels, f"labels: {labels[:5]}")
        self.expect(not self.see(MARKS), f"{self.see(MARKS)} marks or lines outside their figure")
        self.expect(not self.see(INTRUDERS), f"{self.see(INTRUDERS)}")
        self.expect(self.see(FOCUS), "no outline around what has the focus")

    def schemes(self):
        self.open(DESK, "light")
        light = first_pixel(self.picture("light"))
        self.open(DESK, "dark")
        dark = first_pixel(self.picture("dark"))
        self.expect(min(light) > 230 and max(dark) < 50, f"light is {light}, dark is {dark}")
        if self.pictures:
            for what, size, scheme in (("light-page", DESK, "light"), ("dark-page", DESK, "dark"),
                                       ("narrow-page", PHONE, "light")):
                self.open(size, scheme)
                self.picture(what, whole_page=True)

    def paper(self):
        """Printed by somebody whose screen is dark: light, and what is folded is there."""
        self.chromium.look(794, 1123, "dark", media="print")
        self.chromium.open(self.path)
        self.expect(self.see(BACKGROUND) == "rgb(255, 255, 255)", "the paper is dark")
        self.expect(not self.see(UNSEEN), f"{self.see(UNSEEN)} folded cells are not printed")
        pdf = self.chromium.print_to_pdf()
        pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
        self.expect(pdf.startswith(b"%PDF") and 2 <= pages <= 40, f"{pages} pages")
        if self.pictures:
            with open(os.path.join(self.pictures, self.name + ".pdf"), "wb") as file:
                file.write(pdf)


MACHINE = ["QEMU TCG CPU version 2.5+", "virtual time", "Linux 7.2.13", "2 nodes"]
# What a stranger must read without scrolling.
CASES = {
    "quick-virtual": ["4 better", "times shorter", "p \u2264 0.0087", "6 of each variant", *MACHINE],
    "worse": ["regression", "1 worse", "2.00 times longer", "p \u2264", *MACHINE],
    "violated": ["regression", "violated", "VIOLATED", "18 times", *MACHINE],
    "broken": ["inconclusive", "1 better", "1 not measured", *MACHINE],
    "panicked": ["regression", "did not end well", "not measured", *MACHINE],
    "too-few": ["inconclusive", "not yet", "more boots of each needed", *MACHINE],
    "all-panicked": ["the run broke", "Nothing was measured"],
    "hostile": ["better", "p \u2264"],
}


def look_at_all(chromium, work):
    for name, words in CASES.items():
        path = html_pages.page(os.path.join(html_pages.FIXTURES, name), os.path.join(work, name))
        look = Look(chromium, name, path)
        look.first_screen(DESK, "first", words)
        look.first_screen(PHONE, "first-narrow", words)
        look.layout()
        if name in ("quick-virtual", "violated"):
            look.schemes()
            look.paper()
    for make, words in ((html_pages.two_workloads, ["cookie_violations was seen 24 times in 24000",
                                                    "4 sections of mutex-inversion",
                                                    "lock-chain, proxy against !proxy, 4 placements",
                                                    "4 worse", *MACHINE]),
                        (html_pages.without_ratio, ["4 worse", "0 ns with !proxy, 17.6 ms to 20.6 ms with proxy",
                                                    "without a ratio no interval", *MACHINE]),
                        (html_pages.four_variants, ["Linux 7.", "7.2.13", "7.3.4", "4 better", *MACHINE[:2]]),
                        (html_pages.two_machines, ["2 machines", "numa-box-1", "desk-2",
                                                   "2 better", "times shorter"])):
        os.mkdir(os.path.join(work, make.__name__))
        inputs = make(os.path.join(work, make.__name__))
        look = Look(chromium, make.__name__,
                    html_pages.page(inputs, os.path.join(work, "report-" + make.__name__)))
        look.first_screen(DESK, "first", words)
        look.first_screen(PHONE, "first-narrow", words)
        look.layout()


def main():
    program = browser.find_program()
    if not program:
        print("skipped: there is no Chromium here; install the package chromium")
        return 77
    with tempfile.TemporaryDirectory() as work, browser.Browser(program) as chromium:
        look_at_all(chromium, work)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
