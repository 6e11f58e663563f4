#!/usr/bin/python3
"""Looks at the pages of integrations in a real browser, and sets one up there, without script, as on a phone at night.

    /usr/bin/python3 tests/browser/integrations.py target/debug/dogwatch

Starts `dogwatch demo` as demo_story.py does, whose tools it uses. Prints one line a check; the exit code is 0 if all
passed. Where $DOGWATCH_SCREENSHOTS names a folder, pictures are saved there: phone and desktop, dark and light.
"""

import json
import os
import sys
import urllib.error
import urllib.request

from selenium.webdriver.support.ui import Select

from demo_story import (
    CONTRAST, DESKTOP, LIGHT, PHONE, PLAIN_FAULTS, SMALL, WIDE,
    Traffic,
    all_of, browser, complaints, one_of, press, run, scheme, shape, text_of, waiting,
)

# Seconds for the whole run; it takes about 20.
LONGEST = 120


class Sender:
    def __init__(self, report, demo, folder):
        self.report = report
        self.demo = demo
        self.folder = folder
        self.phone = self.desk = None

    def enter(self, driver):
        driver.get(self.demo.run("token", "create", "--link"))
        press(driver, "form button")
        waiting(driver, 10).until(lambda _: driver.current_url.rstrip("/") == self.demo.url)

    def open(self, driver, path):
        driver.get(self.demo.url + path)

    def send(self, key, body):
        """What a monitoring system sends."""
        url = f"{self.demo.url}/integrations/v1/generic/{key}/"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode()), timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def is_set_up(self):
        report, phone = self.report, self.phone
        self.open(phone, "/")
        press(phone, "header summary")
        press(phone, 'header a[href="/integrations"]')
        report.wait("there is nothing yet", phone, lambda: "Make an integration" in text_of(phone))
        one_of(phone, "#name").send_keys("prometheus")
        one_of(phone, "#description").send_keys("Prometheus in Berlin")
        press(phone, 'form[action="/integrations"] button')
        report.wait("the key is shown", phone, lambda: all_of(phone, "#new-key"))
        old = one_of(phone, "#new-key").text
        report.check("it is a key", len(old) == 32, old)
        press(phone, "details.act summary")
        snippet = one_of(phone, "details.act[open] pre").text
        report.check("what to write has the key in it", f"/integrations/v1/alertmanager/{old}/" in snippet, snippet)
        marked = phone.execute_script("getSelection().selectAllChildren(arguments[0]); return getSelection().toString()",
                                      one_of(phone, "#new-key"))
        report.check("it can be marked and copied", marked.strip() == old, marked)

        report.check("what is sent with it is taken", self.send(old, {"summary": "disk full on db1", "dedup_key": "db1"}) == 200)
        report.check("what can't be read is refused", self.send(old, {"severity": "critical", "text": "x" * 300}) == 422)
        self.open(phone, "/integrations/prometheus")
        report.check("the key is not shown again", old not in phone.page_source, "it is")
        report.check("what came is told", "a new alert" in text_of(phone) and "Refused: " in text_of(phone), text_of(phone))
        press(phone, ".requests summary")
        raw = one_of(phone, ".requests details[open] pre").text
        report.check("and shown as it came", '"severity": "critical"' in raw, raw)

        Select(one_of(phone, "#severity")).select_by_value("warning")
        press(phone, 'form[action$="/test"] button')
        report.wait("a test is sent", phone, lambda: "The test event is alert #" in text_of(phone))
        press(phone, ".said a")
        report.wait("and is an alert", phone, lambda: "TEST of prometheus" in text_of(phone))

        self.open(phone, "/integrations/prometheus")
        Select(one_of(phone, "#overlap")).select_by_value("1h")
        press(phone, 'form[action$="/keys"] button')
        report.wait("a second key is shown", phone, lambda: all_of(phone, "#new-key"))
        new = one_of(phone, "#new-key").text
        report.check("both are good", [self.send(key, {"summary": "x"}) for key in (old, new)] == [200, 200])
        report.check("one of them has an end", "ends" in one_of(phone, ".keys-of").text, one_of(phone, ".keys-of").text)
        seen = phone.execute_script("return [...document.querySelectorAll('button.sure')].some((b) => b.checkVisibility())")
        report.check("nothing is revoked by one press", not seen, "it is")
        press(phone, ".keys-of summary")
        press(phone, ".keys-of details[open] button")
        report.wait("the old one is revoked", phone, lambda: "The key is revoked" in text_of(phone))
        report.check("and is good no more", [self.send(key, {"summary": "x"}) for key in (old, new)] == [401, 200])

    def pages_are_good(self):
        report = self.report
        for path in ("/integrations", "/integrations/prometheus"):
            for driver, size in ((self.phone, PHONE), (self.desk, DESKTOP)):
                self.open(driver, path)
                # All that is folded is looked at, too.
                driver.execute_cdp_cmd("Runtime.evaluate", {"expression": "document.querySelectorAll('details').forEach((d) => { d.open = true; })"})
                for word in ("dark", "light"):
                    scheme(driver, word)
                    bad = driver.execute_script(CONTRAST)
                    report.check(f"{path} {size[0]} {word}: contrast", not bad, bad)
                report.check(f"{path} {size[0]}: nothing is wider than the screen",
                             driver.execute_script(WIDE)[0] <= 0, driver.execute_script(WIDE))
                for name, script in (("plain faults", PLAIN_FAULTS), ("small targets", SMALL)):
                    bad = driver.execute_script(script)
                    report.check(f"{path} {size[0]}: {name}", not bad, bad)
        sizes = Traffic(self.desk).load(self.demo.url + "/integrations/prometheus")
        report.check("a first load is light", sum(sizes.values()) < LIGHT, sizes)

    def pictures(self):
        folder = os.environ.get("DOGWATCH_SCREENSHOTS")
        if not folder:
            return
        os.makedirs(folder, exist_ok=True)
        for name, path in {"integrations": "/integrations", "integration": "/integrations/prometheus"}.items():
            for driver, size, device in ((self.phone, PHONE, "phone"), (self.desk, DESKTOP, "desktop")):
                self.open(driver, path)
                driver.execute_cdp_cmd("Runtime.evaluate", {"expression": "document.querySelectorAll('details').forEach((d, i) => { d.open = i < 2; })"})
                height = driver.execute_script("return document.documentElement.scrollHeight")
                shape(driver, (size[0], min(height, 4000)), device == "phone")
                for word in ("dark", "light"):
                    scheme(driver, word)
                    driver.save_screenshot(f"{folder}/{name}-{device}-{word}.png")
                shape(driver, size, device == "phone")

    def play(self):
        self.demo.start()
        self.phone = browser(self.folder, "phone", PHONE, has_script=False)
        self.desk = browser(self.folder, "desk", DESKTOP, is_phone=False)
        self.enter(self.phone)
        self.enter(self.desk)
        self.is_set_up()
        self.pictures()
        self.pages_are_good()
        for name, driver in (("phone", self.phone), ("desktop", self.desk)):
            bad = complaints(driver)
            self.report.check(f"{name}: the console has no complaint", not bad, bad)

    def close(self):
        for driver in (self.phone, self.desk):
            if driver is not None:
                driver.quit()
        if self.demo.process and self.demo.process.poll() is None:
            self.demo.stop()


if __name__ == "__main__":
    sys.exit(run(Sender, (Sender.play,), LONGEST, __doc__))
