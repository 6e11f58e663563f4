#!/usr/bin/python3
"""Plays the demo's story in a real browser, as a person would.

    /usr/bin/python3 tests/browser/demo_story.py target/debug/dogwatch

Starts `dogwatch demo` itself, on a free port and with a temporary folder of its own. Needs Debian's
packages chromium, chromium-driver and python3-selenium, and nothing of the network. Prints one line a
check; the exit code is 0 if all passed. Where $DOGWATCH_SCREENSHOTS names a folder, pictures of every page
are saved there, for phone and desktop, dark and light.

Three browsers: a phone that plays the story, a phone without script, and a desktop on which the pages are
looked into while the story takes its time.
"""

import calendar
import contextlib
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import (
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = "/usr/bin/chromium"
DRIVER = "/usr/bin/chromedriver"
PHONE = (390, 844)
DESKTOP = (1280, 900)
# What a first load may weigh, all in all.
LIGHT = 50 * 1024
# Seconds for the whole run; it takes about 150.
LONGEST = 280
# Seconds of silence after which a page takes its live stream for dead.
SILENCE = 40
# A name that leads to this machine, for browsers only: without TLS it gets no Sec-Fetch headers.
OTHER_NAME = "dogwatch.test"
# Addresses at which something listens that no page may ever ask.
FOREIGN = "http://foreign.invalid"

EVIL_SUMMARY = "<img src=x onerror=\"document.title='hurt'\"> </script><script>document.title='hurt'</script> \u202egnp.exe"
EVIL_DETAILS = (
    "</pre></bdi><script>document.title='hurt'</script>\r\n<img src=x onerror=document.title='hurt'>\n"
    "data: event: fragment\n\n<b id=\"hurt\">bold</b> &lt;i&gt; {{ 7*7 }} \u202e" + "long" * 200
)
EVIL_LINKS = [
    {"href": FOREIGN + "/\"onmouseover=\"document.title='hurt'", "text": "<img src=x onerror=document.title='hurt'>"},
    {"href": FOREIGN + "/?a=<script>1</script>&b='x'", "text": "\u202e</a><b id=hurt>"},
    {"href": FOREIGN + "/" + "w" * 300, "text": ""},
]


class Stop(Exception):
    """What failed is needed by what follows."""


class Report:
    """One line a check."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.began = time.monotonic()

    def line(self, is_good, name, why=""):
        if is_good:
            self.passed += 1
        else:
            self.failed += 1
        word = "ok    " if is_good else "FAILED"
        at = time.monotonic() - self.began
        print(f"{word} {at:6.1f} s  {name}" + (f": {why}" if why and not is_good else ""), flush=True)

    def check(self, name, is_good, why=""):
        """A check that the rest does not depend on."""
        self.line(bool(is_good), name, why)

    def need(self, name, is_good, why=""):
        """A check that the rest depends on."""
        self.line(bool(is_good), name, why)
        if not is_good:
            raise Stop(name)

    def wait(self, name, driver, condition, seconds=10):
        """Waits until `condition` gives something; the rest depends on it."""
        tries, trouble = 0, None

        def once(_):
            nonlocal tries, trouble
            tries += 1
            try:
                trouble = None
                return condition()
            except WebDriverException as error:
                trouble = error.msg
                raise

        try:
            found = waiting(driver, seconds).until(once)
        except TimeoutException:
            why = f"not within {seconds} s and {tries} tries; {trouble or 'no trouble'}"
            with contextlib.suppress(WebDriverException):
                why += f"; {driver.current_url} shows: {text_of(driver)!r}"
            self.line(False, name, why)
            raise Stop(name) from None
        self.line(True, name)
        return found


def waiting(driver, seconds):
    # In the middle of a load the driver complains in many ways; what stays wrong runs into the time limit.
    return WebDriverWait(driver, seconds, poll_frequency=0.1, ignored_exceptions=(WebDriverException,))


# ---- the program ----


class Demo:
    """`dogwatch demo`, to be killed and started again on the same port."""

    def __init__(self, binary, folder):
        self.binary = binary
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.token = None
        self.sign_in = None

    def environment(self):
        ours = {key: value for key, value in os.environ.items() if not key.startswith("DOGWATCH_")}
        return {**ours, "TMPDIR": self.folder}

    def start(self):
        self.process = subprocess.Popen(
            [self.binary, "demo", "--listen", f"127.0.0.1:{self.port}"],
            env=self.environment(), stdout=subprocess.PIPE, text=True)
        lines = queue.Queue()
        threading.Thread(target=self.read, args=(self.process.stdout, lines), daemon=True).start()
        text, end = "", time.monotonic() + 30
        while "Ctrl-C stops" not in text:
            try:
                line = lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise Stop(f"the demo did not start: {text}")
            text += line
        self.sign_in = re.search(r"http://\S+/sign-in/\S+", text).group()
        self.token = re.search(r"DOGWATCH_TOKEN=(\S+)", text).group(1)
        return text

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.put(line)
        lines.put(None)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ctrl-C; the seconds that it took, and the exit code."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=20)
        return time.monotonic() - began, code

    def run(self, *arguments):
        environment = {**self.environment(), "DOGWATCH_URL": self.url, "DOGWATCH_TOKEN": self.token}
        done = subprocess.run([self.binary, *arguments], env=environment, capture_output=True, text=True, timeout=20)
        if done.returncode != 0:
            raise Stop(f"dogwatch {' '.join(arguments)}: {done.stderr}")
        return done.stdout.strip()

    def api(self, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/api/v1" + path, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Stop(f"{path}: {error.code} {error.read().decode()}") from None

    def notify(self, whom, summary, **more):
        return self.api(f"/{whom}/notify", {"summary": summary, **more})["number"]

    def alert(self, number):
        return self.api(f"/alerts/{number}")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def look(url, method="GET", cookie=None):
    """A request as a scanner makes it; the status. Of a stream only the beginning is read."""
    request = urllib.request.Request(url, method=method, headers={"Cookie": cookie} if cookie else {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect())
    try:
        with opener.open(request, timeout=10) as answer:
            if "event-stream" not in answer.headers.get("Content-Type", ""):
                answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


# ---- the browsers ----


def browser(folder, name, size, has_script=True, is_phone=True):
    options = Options()
    options.binary_location = CHROMIUM
    for flag in [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--disable-dev-shm-usage", f"--user-data-dir={folder}/{name}", f"--window-size={size[0]},{size[1]}",
        f"--host-resolver-rules=MAP {OTHER_NAME} 127.0.0.1",
    ]:
        options.add_argument(flag)
    if is_phone:
        # Without script the driver's touch does not work; its mouse does.
        metrics = {"width": size[0], "height": size[1], "pixelRatio": 2.0, "touch": has_script, "mobile": True}
        options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
    if not has_script:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = Service(DRIVER, log_path=f"{folder}/{name}.log")
    driver = webdriver.Chrome(service=service, options=options)
    driver.set_page_load_timeout(20)
    return driver


def text_of(driver):
    return driver.find_element(By.TAG_NAME, "main").text


def all_of(driver, selector):
    return driver.find_elements(By.CSS_SELECTOR, selector)


def one_of(driver, selector):
    return driver.find_element(By.CSS_SELECTOR, selector)


def heading(driver):
    return one_of(driver, "h1").text


def ring_of(driver):
    """The name of the only ring, if exactly one thing rings."""
    rings = [card.get_attribute("data-ring") for card in all_of(driver, ".ringing")]
    return rings[0] if len(rings) == 1 else None


def mark(driver):
    """What would be gone if the page were loaded anew."""
    driver.execute_script("window.marked = true")


def is_marked(driver):
    return driver.execute_script("return window.marked === true")


def press(driver, selector):
    """Presses what may be swapped for its like in the very moment."""
    def attempt(_):
        one_of(driver, selector).click()
        return True
    waiting(driver, 5).until(attempt)


def tab(driver, url):
    driver.switch_to.new_window("tab")
    driver.get(url)
    return driver.current_window_handle


def is_lost(driver):
    """Whether the page says that it is not live."""
    return one_of(driver, "#lost").is_displayed()


def cookie_of(driver):
    return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in driver.get_cookies())


def complaints(driver):
    """What the console holds that should not be there."""
    # The kill is seen as a lost connection, and error pages are errors: both on purpose.
    expected = ("net::ERR_", "/live/", "the server responded with a status of 4")
    found = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    bad = []
    for entry in found:
        is_policy = "Content Security Policy" in entry["message"]
        if is_policy or not any(word in entry["message"] for word in expected):
            bad.append(entry["message"])
    return bad


class Traffic:
    """What a browser asked for, from its own log."""

    def __init__(self, driver):
        self.driver = driver
        self.hosts = set()

    def read(self):
        events = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            events.append((message["method"], message["params"]))
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if url.startswith(("http:", "https:", "ws:", "wss:")):
                    self.hosts.add(url.split("/")[2])
        return events

    def load(self, url):
        """Loads a page with nothing kept; the bytes on the line of everything but the live stream, by address."""
        self.read()
        self.driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        self.driver.get(url)
        asked, size, done = {}, {}, set()

        def is_done(_):
            for method, params in self.read():
                key = params.get("requestId")
                if method == "Network.requestWillBeSent":
                    if params.get("type") != "EventSource" and params["request"]["url"].startswith("http"):
                        asked[key] = params["request"]["url"]
                elif method in ("Network.loadingFinished", "Network.loadingFailed"):
                    # As it came over the line: compressed, and with its headers.
                    size[key] = params.get("encodedDataLength", 0)
                    done.add(key)
            return len(asked) >= 3 and set(asked) <= done

        waiting(self.driver, 10).until(is_done)
        self.driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": False})
        return {asked[key]: size.get(key, 0) for key in asked}


# ---- what is measured in a page ----

# Text that is hard to read: contrast by WCAG 2, against the nearest painted background.
CONTRAST = """
const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
const light = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const back = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const color = parse(getComputedStyle(e).backgroundColor);
    if (color[3] > 0) return color;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0, 1] : [255, 255, 255, 1];
};
const bad = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.checkVisibility() || element.getBoundingClientRect().width < 2) continue;
  const style = getComputedStyle(element);
  const [a, b] = [light(parse(style.color)), light(back(element))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  const size = parseFloat(style.fontSize), isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  if (ratio < (isLarge ? 3 : 4.5)) bad.push(`${element.tagName} "${element.textContent.trim().slice(0, 30)}" ${ratio.toFixed(2)}`);
}
return bad;
"""

SMALL = """
return [...document.querySelectorAll("button, .alerts a, .duties a, .told a, header a, summary")]
  .filter((e) => e.checkVisibility())
  .map((e) => [e.textContent.trim(), e.getBoundingClientRect()])
  .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
  .map(([text, box]) => `"${text}" ${box.width.toFixed(0)}x${box.height.toFixed(0)}`);
"""

WIDE = """
const room = document.documentElement.clientWidth;
const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > room + 1 && !e.closest(".unseen"));
return [document.documentElement.scrollWidth - room, wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 80))];
"""

ALL_LINKS = """
const all = (selector, name) => [...document.querySelectorAll(selector)].map((e) => e.getAttribute(name));
return [...all("[href]", "href"), ...all("[src]", "src"), ...all("[action]", "action"), ...all("[data-live]", "data-live")];
"""

PLAIN_FAULTS = """
const bad = [];
if (document.documentElement.lang !== "en") bad.push("no language");
if (document.querySelectorAll("h1").length !== 1) bad.push("not one h1");
if (document.querySelectorAll("main").length !== 1) bad.push("not one main");
if (!document.title.includes("Dogwatch")) bad.push("no title");
if (document.querySelector("[style], style, script:not([src]), [onclick], [onload]")) bad.push("style or script in the page");
const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
if (new Set(ids).size !== ids.length) bad.push("an id twice");
for (const field of document.querySelectorAll("textarea, input:not([type=hidden]), select")) if (!field.labels.length) bad.push("a field without a label");
for (const button of document.querySelectorAll("button")) if (!button.textContent.trim()) bad.push("a button without words");
return bad;
"""


def shape(driver, size, is_phone):
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": size[0], "height": size[1], "deviceScaleFactor": 2 if is_phone else 1, "mobile": is_phone})


def scheme(driver, word):
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": word}, {"name": "prefers-reduced-motion", "value": "reduce"}]})


def picture(driver, name):
    """Saves how the page looks now: phone and desktop, dark and light."""
    folder = os.environ.get("DOGWATCH_SCREENSHOTS")
    if not folder:
        return
    os.makedirs(folder, exist_ok=True)
    for device, size in (("phone", PHONE), ("desktop", DESKTOP)):
        shape(driver, size, device == "phone")
        for word in ("dark", "light"):
            scheme(driver, word)
            driver.save_screenshot(f"{folder}/{name}-{device}-{word}.png")


# ---- the story ----


class Story:
    def __init__(self, report, demo, folder):
        self.report = report
        self.demo = demo
        self.folder = folder
        self.phone = self.plain = self.desk = self.traffic = None
        self.tabs = {}

    def show(self, name):
        self.phone.switch_to.window(self.tabs[name])

    def enter(self, driver, address):
        driver.get(address)
        press(driver, "form button")
        waiting(driver, 10).until(lambda _: driver.current_url.rstrip("/") == self.demo.url)

    def sign_in(self):
        report, demo, phone = self.report, self.demo, self.phone
        statuses = [look(demo.sign_in, method) for method in ("HEAD", "GET", "GET", "OPTIONS")]
        report.check("looking at the sign-in address does not use it up", statuses[:3] == [200] * 3, statuses)
        phone.get(demo.url)
        report.need("without a session the pages say how to sign in", "not signed in" in text_of(phone)
                    and "dogwatch token create --link" in [code.text for code in all_of(phone, "code")], text_of(phone))
        phone.get(demo.sign_in)
        report.check("the sign-in page has one button", len(all_of(phone, "button")) == 1)
        press(phone, "form button")
        report.wait("the button signs in and leads to Now", phone,
                    lambda: phone.current_url == demo.url + "/" and "One alert waits" in heading(phone))
        now = text_of(phone)
        report.check("Now shows the alert and who is on duty",
                     "disk full on db1" in now and re.search(r"ops.*John.*Bob", now, re.DOTALL), now)
        self.tabs["now"] = phone.current_window_handle
        mark(phone)

    def johns_handset_rings(self):
        report, phone = self.report, self.phone
        href = one_of(phone, ".duties a[href$='/john']").get_attribute("href")
        self.tabs["john"] = tab(phone, href)
        ring = report.wait("John's handset rings", phone, lambda: ring_of(phone))
        report.check("it says what is wrong, and to whom",
                     "John" in heading(phone) and "disk full on db1" in text_of(phone), text_of(phone))
        mark(phone)
        self.tabs["bob"] = tab(phone, self.demo.url + "/handset/bob")
        report.check("Bob's handset is quiet", not all_of(phone, ".ringing"), text_of(phone))
        mark(phone)
        self.tabs["alert"] = tab(phone, self.demo.url + "/alerts/1")
        mark(phone)
        report.check("the alert's page says whom the next step pages",
                     "Bob is paged (step 2), in" in one_of(phone, "ul.next").text, text_of(phone))
        days = [day.text for day in all_of(phone, "h3")]
        report.check("and names the day once", len(days) == len(set(days)) >= 1, days)
        return ring

    def john_does_nothing(self, first):
        report, phone = self.report, self.phone
        self.show("john")
        report.wait("after his wait John's handset rings anew", phone,
                    lambda: (ring_of(phone) or first) != first, seconds=40)
        report.check("without being loaded anew", is_marked(phone))

    def bob_answers(self):
        report, phone = self.report, self.phone
        self.show("bob")
        report.wait("after 45 s Bob's handset rings", phone, lambda: ring_of(phone), seconds=60)
        report.check("without being loaded anew", is_marked(phone))
        self.show("john")
        report.check("John's handset rings on meanwhile", ring_of(phone) is not None, text_of(phone))
        self.show("bob")
        press(phone, "form[action$='/keys/4'] button")
        report.wait("Bob presses 4: his handset stops and says that he has it", phone,
                    lambda: not all_of(phone, ".ringing") and "You have #1" in text_of(phone))
        said = one_of(phone, ".said a")
        report.check("with the headline, which leads to the alert",
                     "disk full on db1" in said.text and said.get_attribute("href").endswith("/alerts/1"), said.text)
        self.show("john")
        report.wait("John's handset stops and says that Bob has it", phone,
                    lambda: not all_of(phone, ".ringing") and "Bob has it" in text_of(phone))
        told = one_of(phone, ".told a")
        report.check("with the headline, too", "disk full on db1" in told.text
                     and told.get_attribute("href").endswith("/alerts/1"), told.text)
        report.check("without being loaded anew", is_marked(phone))
        self.show("now")
        report.wait("Now shows that somebody has it", phone,
                    lambda: "Bob has it" in text_of(phone))
        report.check("without being loaded anew", is_marked(phone))

    def the_timeline_tells_it(self):
        report, phone = self.report, self.phone
        self.show("alert")
        report.wait("the alert's page shows that Bob has it", phone, lambda: "Bob has it" in one_of(phone, ".standing").text)
        report.check("without being loaded anew", is_marked(phone))
        lines = [line.text for line in all_of(phone, ".timeline li")]
        story = [
            "Triggered for the team ops", "Step 1 pages John", "John's handset rings", "John's handset rings",
            "Step 2 pages Bob", "Bob's handset rings", "Acknowledged: Bob, by handset", "John's handset is told: Bob has it",
        ]
        rest = iter(lines)
        missing = [part for part in story if not any(part in line for line in rest)]
        report.check("its timeline tells the story in order", not missing, f"{missing} of {lines}")
        times = [time_.get_attribute("datetime") for time_ in all_of(phone, ".timeline time")]
        report.check("with an exact time on each line", len(times) == len(lines)
                     and times == sorted(times, key=moment), times)
        told = self.demo.alert(1)
        entries = told.get("timeline", [])
        at = {}
        for entry in entries:
            text = entry.get("text", "")
            for part in ("Triggered", "Step 2 pages Bob", "Acknowledged"):
                if text.startswith(part):
                    at.setdefault(part, moment(entry["at"]))
            if text.startswith("John's handset rings"):
                at.setdefault("rings", []).append(moment(entry["at"]))
        rings = at.get("rings", [0, 0])
        report.check("John's second ring came after 20 s", 19.9 <= rings[1] - rings[0] <= 23, rings)
        wait = at.get("Step 2 pages Bob", 0) - at.get("Triggered", 0)
        report.check("Bob was paged after 45 s", 44.9 <= wait <= 48, wait)
        report.check("nothing rang after the acknowledgement", max(rings) <= at.get("Acknowledged", 0), at)

    # ---- live, and not ----

    def a_quiet_page_is_opened(self):
        """A handset on which nothing happens; what it says of its connection is written down."""
        self.tabs["quiet"] = tab(self.phone, self.demo.url + "/handset/nora")
        self.phone.execute_script(
            "const lost = document.getElementById('lost'); window.lost = 0;"
            "new MutationObserver(() => { window.lost += lost.hidden ? 0 : 1; }).observe(lost, { attributes: true });")

    def a_quiet_page_stays_live(self):
        report, phone = self.report, self.phone
        self.show("quiet")
        seconds = phone.execute_script("return performance.now()") / 1000
        report.check(f"a page on which nothing happened for more than {SILENCE} s was live all the time",
                     seconds > SILENCE + 2 and phone.execute_script("return window.lost") == 0 and not is_lost(phone),
                     f"{seconds:.0f} s")

    def a_silent_server_is_noticed(self):
        """A server that stands still closes no connection: only silence tells."""
        report, demo, desk = self.report, self.demo, self.desk
        desk.get(demo.url + "/handset/quentin")
        mark(desk)
        waiting(desk, 5).until(lambda _: desk.execute_script("return document.readyState") == "complete")
        report.check("a page with a connection says nothing of it", not is_lost(desk))
        os.kill(demo.process.pid, signal.SIGSTOP)
        try:
            report.wait("a server that is silent is noticed, though the connection is open", desk,
                        lambda: is_lost(desk) and "Not live: reconnecting" in text_of(desk), seconds=SILENCE + 10)
            picture(desk, "not-live")
        finally:
            os.kill(demo.process.pid, signal.SIGCONT)
        report.wait("when it goes on, the page is live again", desk, lambda: not is_lost(desk), seconds=20)
        number = demo.notify("people/quentin", "after the silence")
        report.wait("and rings", desk, lambda: ring_of(desk) and "after the silence" in text_of(desk))
        report.check("without being loaded anew", is_marked(desk))
        demo.api(f"/alerts/{number}/resolve", {})

    # ---- killed, and started again ----

    def killed_in_the_middle(self):
        report, demo, phone = self.report, self.demo, self.phone
        self.show("john")
        mark(phone)
        number = demo.notify("teams/ops", "disk full on db2", severity="critical")
        self.second = number
        first = report.wait("a second alert makes John's handset ring", phone, lambda: ring_of(phone))
        demo.kill()
        report.wait("killed with -9, the handset says that the connection is lost", phone,
                    lambda: is_lost(phone))
        words = demo.start()
        report.check("started again on the same port, the demo goes on", "/alerts/1" in words, words)
        report.check("with the story as it was", demo.alert(number)["status"] == "triggered"
                     and demo.alert(1)["status"] == "acknowledged")
        report.wait("the handset finds it again and rings on", phone,
                    lambda: ring_of(phone) and not is_lost(phone), seconds=20)
        return first

    def the_story_goes_on(self, first):
        report, phone = self.report, self.phone
        self.show("john")
        report.wait("the plan goes on: it rings anew", phone, lambda: (ring_of(phone) or first) != first, seconds=45)
        report.check("without being loaded anew, and still signed in", is_marked(phone))

    # ---- without script ----

    def sign_in_without_script(self):
        report, demo, plain = self.report, self.demo, self.plain
        plain.get(demo.sign_in)
        press(plain, "form button")
        report.wait("without script the button signs in", plain,
                    lambda: plain.current_url == demo.url + "/" and "for an answer" in heading(plain))
        plain.get(demo.url + "/handset/bob")
        report.check("without script nothing of the script is shown",
                     not [part for part in all_of(plain, "button#sound, #lost") if part.is_displayed()])

    def bob_answers_without_script(self):
        report, demo, plain, phone = self.report, self.demo, self.plain, self.phone

        def rings():
            plain.get(demo.url + "/handset/bob")
            return ring_of(plain)
        report.wait("without script Bob's handset rings when loaded anew", plain, rings, seconds=60)
        press(plain, "form[action$='/keys/4'] button")
        report.wait("without script 4 answers, and the page says so", plain,
                    lambda: f"You have #{self.second}" in text_of(plain) and not all_of(plain, ".ringing"))
        self.show("john")
        report.wait("and John's handset stops", phone, lambda: not all_of(phone, ".ringing"))
        plain.get(f"{demo.url}/alerts/{self.second}")
        report.check("without script the alert's page tells the story", "Acknowledged: Bob, by handset" in text_of(plain))

    def more_without_script(self):
        report, demo, plain = self.report, self.demo, self.plain
        number = demo.notify("people/eve", "fan broken", severity="warning")
        form = f"form[action='/alerts/{number}/acknowledge']"
        plain.get(demo.url + "/")
        press(plain, f"{form} button")
        report.wait("without script an alert is acknowledged from Now", plain,
                    lambda: demo.alert(number)["status"] == "acknowledged" and "Give it back" in text_of(plain))
        one_of(plain, "textarea").send_keys("wait for <b>Monday</b>\nthen call")
        press(plain, ".note button")
        report.wait("without script a note is written", plain, lambda: "wait for <b>Monday</b>" in text_of(plain))
        press(plain, f"form[action='/alerts/{number}/resolve'] button")
        report.wait("without script it is resolved", plain, lambda: not all_of(plain, ".actions") and "Resolved" in text_of(plain))

    def the_handset_looks_again_by_itself(self):
        report, demo, plain = self.report, self.demo, self.plain
        plain.get(demo.url + "/handset/eve")
        report.check("without script Eve's handset is quiet", not all_of(plain, ".ringing"), text_of(plain))
        number = demo.notify("people/eve", "door open")
        report.wait("without script a handset looks again by itself", plain, lambda: ring_of(plain), seconds=25)
        press(plain, "form[action$='/keys/6'] button")
        report.wait("without script the first 6 asks", plain, lambda: all_of(plain, "form[action$='/keys/66']"))
        report.check("and does nothing yet", demo.alert(number)["status"] == "triggered")
        press(plain, "form[action$='/keys/66'] button")
        report.wait("the second 6 resolves", plain, lambda: demo.alert(number)["status"] == "resolved" and not all_of(plain, ".ringing"))

    # ---- looking into the pages ----

    def pages(self, evil):
        return {
            "now": "/", "alert": f"/alerts/{evil}", "handset": "/handset/eve", "quiet-handset": "/handset/quentin",
            "error": "/alerts/999999", "sign-in": "/sign-in/anything",
        }

    def make_pages(self):
        """An alert that means harm, for people of their own: the story goes on undisturbed."""
        for name in ("eve", "quentin", "nora"):
            self.demo.api("/people", {"name": name, "full_name": f"<b>{name}</b>", "contacts": [f"handset:{name}"]})
        return self.demo.notify("people/eve", EVIL_SUMMARY, details=EVIL_DETAILS, links=EVIL_LINKS, severity="error")

    def text_stays_text(self, evil):
        report, demo, desk = self.report, self.demo, self.desk
        for name, path in self.pages(evil).items():
            desk.get(demo.url + path)
            if name == "handset":
                report.wait("Eve's handset rings", desk, lambda: ring_of(desk))
            if name in ("now", "alert", "handset"):
                shown = one_of(desk, "main").get_attribute("textContent")
                report.check(f"{name}: an evil summary is shown as it is", EVIL_SUMMARY in shown, shown)
            found = desk.execute_script(
                "return [...document.querySelectorAll('#hurt, main img, main script, main b:not(.keys b), [onerror], [onmouseover]')].map((e) => e.outerHTML)")
            title = desk.title
            if name == "error":
                report.check("an error's title is a sentence", title == "There is no alert #999999 · Dogwatch", title)
            report.check(f"{name}: nothing of it becomes an element", not found and "hurt" not in title, f"{found} {title}")
        desk.get(f"{demo.url}/alerts/{evil}")
        links = [link.get_attribute("href") for link in all_of(desk, "article ul a")]
        report.check("its links lead where they say, by http only", len(links) == 3 and all(
            link.startswith(FOREIGN + "/") for link in links), links)
        report.check("and tell nobody where they were found", all(
            "noreferrer" in link.get_attribute("rel") for link in all_of(desk, "article ul a")))

    def pages_are_light(self, evil):
        report = self.report
        for name, path in self.pages(evil).items():
            sizes = self.traffic.load(self.demo.url + path)
            total = sum(sizes.values())
            kinds = " ".join(address.rsplit(".", 1)[-1] for address in sizes if "/assets/" in address)
            is_whole = "css" in kinds and "js" in kinds
            report.check(f"{name}: the first load has {total} bytes, all in all", is_whole and total < LIGHT, sizes)

    def pages_fit(self, evil):
        report, desk = self.report, self.desk
        for name, path in self.pages(evil).items():
            desk.get(self.demo.url + path)
            for width in (320, 390, 1280):
                shape(desk, (width, 844), width < 1000)
                over, who = desk.execute_script(WIDE)
                report.check(f"{name}: no scrolling sideways at {width} px", over <= 0 and not who, f"{over} {who}")
                if width == 390:
                    small = desk.execute_script(SMALL)
                    report.check(f"{name}: everything to press is at least 44 px high and wide", not small, small)
            faults = desk.execute_script(PLAIN_FAULTS)
            report.check(f"{name}: heading, title, labels are in place", not faults, faults)
            for word in ("dark", "light"):
                scheme(desk, word)
                bad = desk.execute_script(CONTRAST)
                report.check(f"{name}: text is readable, {word}", not bad, bad)
        shape(desk, DESKTOP, False)

    def focus_is_seen(self, evil):
        report, desk = self.report, self.desk
        desk.get(f"{self.demo.url}/alerts/{evil}")
        unseen, reached = [], []
        for _ in range(12):
            webdriver.ActionChains(desk).send_keys(Keys.TAB).perform()
            tag, text, outline = desk.execute_script(
                "const e = document.activeElement, s = getComputedStyle(e);"
                "return [e.tagName, e.textContent.trim().slice(0, 20), s.outlineStyle + ' ' + s.outlineWidth]")
            if tag == "BODY":
                break
            reached.append(text)
            if outline.startswith("none") or outline.endswith(" 0px"):
                unseen.append(text)
        report.check("with the keyboard everything is reached and seen", not unseen and "I have it" in reached, f"{unseen} {reached}")

    def the_second_six(self):
        """What rings anew does not wait for a second press, and does not take it away."""
        report, demo, desk = self.report, self.demo, self.desk
        number = demo.notify("people/quentin", "first")
        desk.get(demo.url + "/handset/quentin")
        report.wait("Quentin's handset rings", desk, lambda: ring_of(desk))
        desk.execute_script("window.was = document.querySelector('.keys button')")
        press(desk, "form[action$='/keys/6'] button")
        report.wait("the first 6 asks whether it is over", desk, lambda: all_of(desk, "button.sure"))
        mark(desk)
        desk.execute_script("arguments[0].focus()", one_of(desk, "button.sure"))
        other = demo.notify("people/quentin", "second")
        report.wait("another alert rings meanwhile", desk, lambda: len(all_of(desk, ".ringing")) == 2)
        sure = all_of(desk, f"form[action$='/alerts/{number}/keys/66'] button.sure")
        report.check("and the question stays", is_marked(desk) and len(sure) == 1)
        report.check("under the same finger", desk.execute_script(
            "return document.activeElement?.form?.getAttribute('action') ?? ''").endswith(f"/alerts/{number}/keys/66"))
        press(desk, "button.sure")
        report.wait("the second 6 resolves that alert and no other", desk,
                    lambda: demo.alert(number)["status"] == "resolved" and demo.alert(other)["status"] == "triggered"
                    and len(all_of(desk, ".ringing")) == 1)
        self.a_press_counts(other)

    def a_press_counts(self, number):
        """A page may change between the finger's going down and up."""
        report, demo, desk = self.report, self.demo, self.desk
        waiting(desk, 10).until(lambda _: ring_of(desk) and one_of(desk, "form[action$='/keys/4'] button"))
        button = one_of(desk, "form[action$='/keys/4'] button")
        webdriver.ActionChains(desk).click_and_hold(button).perform()
        third = demo.notify("people/quentin", "third")
        seen = one_of(desk, "main").text
        reached = waiting(desk, 10).until(lambda _: demo.alert(third)["pages"] or seen)
        # The stream has told of the third alert when another page shows it.
        self.show("now")
        waiting(self.phone, 10).until(lambda _: "third" in text_of(self.phone))
        webdriver.ActionChains(desk).release().perform()
        report.wait("a press counts, even if the page changes under it", desk,
                    lambda: reached and demo.alert(number)["status"] == "acknowledged")
        report.wait("and what came meanwhile rings", desk, lambda: ring_of(desk) and "third" in text_of(desk))
        demo.api(f"/alerts/{third}/resolve", {})
        report.wait("until it is over", desk, lambda: not all_of(desk, ".ringing"))

    def live_is_as_loaded(self, evil):
        report, demo, desk = self.report, self.demo, self.desk
        desk.get(f"{demo.url}/alerts/{evil}")
        note = {"text": "seen"}
        demo.api(f"/alerts/{evil}/notes", note)
        report.wait("a note is shown at once", desk, lambda: "seen" in one_of(desk, ".timeline").text)
        shown = one_of(desk, "pre").get_attribute("textContent")
        report.check("live, the details look as when loaded", shown == EVIL_DETAILS.replace("\r\n", "\n"), repr(shown[:120]))

    def many_pages_one_after_another(self):
        """A browser holds six connections to one server: a page that was left must give its own back."""
        report, demo, desk = self.report, self.demo, self.desk
        began = time.monotonic()
        for number in range(12):
            desk.get(demo.url + ("/alerts/1", "/handset/eve", "/")[number % 3])
            # The live stream is open.
            waiting(desk, 5).until(lambda _: desk.execute_script(
                "return performance.getEntriesByType('resource').length") >= 2)
        desk.back()
        report.wait("twelve pages, one after another, load at once; going back, too", desk,
                    lambda: "/handset/eve" in desk.current_url and heading(desk))
        report.check("none of them waits for a connection", time.monotonic() - began < 10, time.monotonic() - began)

    def looking_changes_nothing(self, evil):
        report, demo, desk = self.report, self.demo, self.desk
        addresses = set()
        for path in self.pages(evil).values():
            desk.get(demo.url + path)
            addresses.update(desk.execute_script(ALL_LINKS))
        own = sorted(address for address in addresses if address and address.startswith("/"))
        cookie = cookie_of(desk)

        def state():
            alert = demo.alert(evil)
            alert.pop("next", None)
            items = demo.api("/alerts")["items"]
            return alert, [(item["number"], item["status"]) for item in items if item.get("person") == "eve"]
        before = state()
        for address in own:
            for method in ("GET", "HEAD"):
                look(demo.url + address, method, cookie)
        report.check(f"looking at all {len(own)} addresses of the pages changes nothing", len(own) > 15 and state() == before, own)
        report.check("and does not sign out", look(demo.url + "/", "GET", cookie) == 200)

    def only_ones_own_handset(self):
        report, demo, desk = self.report, self.demo, self.desk
        address = demo.run("token", "create", "--link", "--person", "john")
        self.enter(desk, address)
        desk.get(demo.url + "/handset/john")
        report.check("John opens his own handset", "somebody else" not in text_of(desk), text_of(desk))
        desk.get(demo.url + "/handset/bob")
        report.check("Bob's handset refuses John", "somebody else's handset" in text_of(desk), text_of(desk))
        cookie = cookie_of(desk)
        report.check("with the status 403", look(demo.url + "/handset/bob", "GET", cookie) == 403)
        report.check("and its live stream, too", look(demo.url + "/live/handset/bob", "GET", cookie) == 403)
        report.check("and its keys", look(demo.url + "/handset/bob/alerts/1/keys/4", "POST", cookie) == 403)
        desk.get(address)
        press(desk, "form button")
        report.wait("a sign-in address works once", desk, lambda: "has been used" in text_of(desk))
        desk.get(demo.url + "/")
        press(desk, "header summary")
        press(desk, "header form button")
        report.wait("signing out ends the session", desk, lambda: "not signed in" in text_of(desk))
        report.check("for good", look(demo.url + "/", "GET", cookie) == 401)

    def by_another_name(self):
        """Without TLS and not on loopback, browsers leave the Sec-Fetch headers out."""
        report, demo, desk = self.report, self.demo, self.desk
        address = demo.run("token", "create", "--link").replace("127.0.0.1", OTHER_NAME)
        desk.get(address)
        press(desk, "form button")
        report.wait("signing in works without TLS under a name of the network", desk,
                    lambda: "On call" in text_of(desk))
        self.desk.delete_all_cookies()

    def pictures(self, evil):
        if not os.environ.get("DOGWATCH_SCREENSHOTS"):
            return
        demo, desk = self.demo, self.desk
        self.enter(desk, demo.run("token", "create", "--link"))
        for name, path in {**self.pages(evil), "story": "/alerts/1", "john": "/handset/john",
                           "sure": f"/handset/john?did=6.{self.second}", "answered": "/handset/bob?did=4.1.done"}.items():
            desk.get(demo.url + path)
            picture(desk, name)
        shape(desk, DESKTOP, False)

    def last_pictures(self):
        demo, desk = self.demo, self.desk
        if not os.environ.get("DOGWATCH_SCREENSHOTS"):
            return
        for item in demo.api("/alerts")["items"]:
            if item["status"] != "resolved":
                demo.api(f"/alerts/{item['number']}/resolve", {})
        desk.get(demo.url + "/")
        picture(desk, "now-empty")

    # ---- in order ----

    def play(self):
        report, demo = self.report, self.demo
        words = demo.start()
        report.need("the demo starts and prints a sign-in address", demo.sign_in in words)
        self.phone = browser(self.folder, "phone", PHONE)
        self.sign_in()
        first = self.johns_handset_rings()
        # While John does nothing.
        self.desk = browser(self.folder, "desk", DESKTOP, is_phone=False)
        self.traffic = Traffic(self.desk)
        self.enter(self.desk, demo.run("token", "create", "--link"))
        evil = self.make_pages()
        self.text_stays_text(evil)
        self.john_does_nothing(first)
        self.pages_are_light(evil)
        self.pages_fit(evil)
        self.focus_is_seen(evil)
        self.live_is_as_loaded(evil)
        self.many_pages_one_after_another()
        self.looking_changes_nothing(evil)
        self.bob_answers()
        self.the_timeline_tells_it()
        self.plain = browser(self.folder, "plain", PHONE, has_script=False)
        first = self.killed_in_the_middle()
        self.a_quiet_page_is_opened()
        self.sign_in_without_script()
        self.pictures(evil)
        self.the_story_goes_on(first)
        self.more_without_script()
        self.bob_answers_without_script()
        self.the_second_six()
        demo.api(f"/alerts/{evil}/resolve", {})
        self.the_handset_looks_again_by_itself()
        self.a_quiet_page_stays_live()
        self.last_pictures()
        self.enter(self.desk, demo.run("token", "create", "--link"))
        self.a_silent_server_is_noticed()
        self.only_ones_own_handset()
        self.by_another_name()

    def end(self):
        report = self.report
        for name, driver in (("phone", self.phone), ("plain", self.plain), ("desktop", self.desk)):
            if driver is None:
                continue
            bad = complaints(driver)
            report.check(f"{name}: the console has no complaint", not bad, bad)
            traffic = self.traffic if driver is self.desk else Traffic(driver)
            traffic.read()
            own = {f"127.0.0.1:{self.demo.port}", f"{OTHER_NAME}:{self.demo.port}"}
            report.check(f"{name}: no other host was asked", traffic.hosts and traffic.hosts <= own, traffic.hosts)
        if self.demo.process and self.demo.process.poll() is None:
            seconds, code = self.demo.stop()
            report.check("Ctrl-C stops the demo at once, with pages open", code == 0 and seconds < 12, f"{code} {seconds:.1f} s")
            left = [name for name in os.listdir(self.folder) if name.startswith("dogwatch-demo")]
            report.check("and leaves nothing behind", not left, left)

    def close(self):
        for driver in (self.phone, self.plain, self.desk):
            if driver is not None:
                with contextlib.suppress(Exception):
                    driver.quit()
        if self.demo.process and self.demo.process.poll() is None:
            self.demo.kill()


def moment(text):
    """Seconds of an RFC 3339 instant in UTC."""
    whole, _, part = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (part or "0"))


def run(make, parts, longest, usage):
    """Runs the parts of what `make` makes, in order, against the program that the command line names."""
    if len(sys.argv) != 2:
        print(usage)
        return 2

    def too_long(*_):
        raise Stop(f"the whole run took more than {longest} s")

    report = Report()
    # In memory where there is room: a busy disk holds up browsers for longer than the waits last.
    memory = "/dev/shm"
    has_room = os.path.isdir(memory) and shutil.disk_usage(memory).free > 1 << 30
    folder = tempfile.mkdtemp(prefix="dogwatch-browser-", dir=memory if has_room else None)
    story = make(report, Demo(os.path.abspath(sys.argv[1]), folder), folder)
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(longest)
    try:
        for part in parts:
            try:
                part(story)
            except Stop as stop:
                print(f"stopped: {stop}", flush=True)
                report.failed += 0 if report.failed else 1
            except Exception:
                report.line(False, "the test itself", traceback.format_exc())
    finally:
        signal.alarm(60)
        story.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{report.passed} passed, {report.failed} failed in {time.monotonic() - report.began:.0f} s")
    return 1 if report.failed else 0


def on_duty(binary):
    """Who has the first page of the demo's rota now; nobody in its hole, 31 December from 00:00 to 17:00 UTC."""
    folder = tempfile.mkdtemp(prefix="dogwatch-browser-")
    demo = Demo(os.path.abspath(binary), folder)
    try:
        told = re.search(r"^(\w+) is on duty", demo.start(), re.MULTILINE)
        demo.stop()
    finally:
        demo.kill()
        shutil.rmtree(folder, ignore_errors=True)
    return told and told.group(1)


def play():
    """The story as it stands here has John on duty. When it is Bob's day, the two change their parts."""
    first = on_duty(sys.argv[1]) if len(sys.argv) == 2 else "John"
    if first is None:
        print("nobody is on duty in the demo's rota now: the story of two can't be played before 17:00 UTC")
        return 0
    if first == "John":
        return run(Story, (Story.play, Story.end), LONGEST, __doc__)
    parts = {"John": "Bob", "Bob": "John", "john": "bob", "bob": "john"}
    with open(__file__, encoding="utf-8") as file:
        text = re.sub("|".join(parts), lambda name: parts[name.group()], file.read())
    changed = {"__name__": "changed", "__file__": __file__, "__doc__": __doc__}
    exec(compile(text, __file__, "exec"), changed)
    story = changed["Story"]
    return run(story, (story.play, story.end), LONGEST, __doc__)


if __name__ == "__main__":
    sys.exit(play())
