"""A browser without a network, and what it saw of a page."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

DESKTOP, PHONE = (1440, 900), (390, 844)
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

MEASURE = """
const box = (element) => {
  element.scrollIntoView({block: "center"});
  const {left, right, top, bottom, width, height} = element.getBoundingClientRect();
  return {left, right, top, bottom, width, height};
};
const each = (selector, measure) => [...document.querySelectorAll(selector)].map(measure);
document.querySelectorAll("details").forEach((part) => { part.open = true; });
return {
  width: document.documentElement.clientWidth,
  scrollWidth: document.documentElement.scrollWidth,
  images: each("img", (image) => ({...box(image), natural: image.naturalWidth, alt: image.alt})),
  captions: each("figcaption", (caption) => ({
    ...box(caption),
    size: parseFloat(getComputedStyle(caption).fontSize),
    hidden: caption.scrollWidth > caption.clientWidth || caption.scrollHeight > caption.clientHeight,
    text: caption.innerText,
  })),
  boxes: each(".box", box),
  order: each("table, img", (part) => part.className || part.tagName.toLowerCase()),
  levels: each("h1, h2, h3, h4, h5, h6", (heading) => Number(heading.tagName[1])),
  dead: each("a[href^='#']", (link) => link.hash.slice(1)).filter((id) => !document.getElementById(id)),
  bare: each("table", (table) => table.querySelectorAll("th[scope]").length).filter((n) => n === 0),
  scripts: document.scripts.length,
  enlarged: each(".picture", (picture) => {
    location.hash = picture.id;
    return {page: document.documentElement.scrollWidth, image: picture.querySelector("img").width};
  }),
};
"""


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """Chromium with a new profile and its network cut off; the test is skipped where it is not installed."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("chromium or chromedriver is not installed")
    options = ChromeOptions()
    options.binary_location = binary
    for option in (*OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    browser = Chrome(options=options, service=ChromeService(driver))
    try:
        browser.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        browser.get("about:blank")
        browser.get_log("performance")  # which forgets the page that a new window shows
        yield browser
    finally:
        browser.quit()


def look(browser: Chrome, page: Path, size: tuple[int, int]) -> dict:
    """What a window of `size` shows of `page`, scrolled through; and every address that it asked for."""
    width, height = size
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get(page.as_uri())
    seen = browser.execute_script(MEASURE)
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return seen | {"asked": [request["request"]["url"] for request in sent]}
