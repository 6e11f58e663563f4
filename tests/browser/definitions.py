#!/usr/bin/python3
"""Looks at the pages of definitions in a real browser, and changes a team there, without script.

    /usr/bin/python3 tests/browser/definitions.py target/debug/dogwatch

Starts `dogwatch demo` as demo_story.py does, whose tools it uses. Prints one line a check; the exit code is 0 if all
passed. Where $DOGWATCH_SCREENSHOTS names a folder, pictures are saved there: phone and desktop, dark and light.
"""

import os
import sys

from demo_story import (
    CONTRAST, DESKTOP, PHONE, PLAIN_FAULTS, SMALL, WIDE,
    all_of, browser, complaints, one_of, press, run, scheme, shape, text_of, waiting,
)

# Seconds for the whole run; it takes about 15.
LONGEST = 120

PAGES = {
    "definitions": "/definitions",
    "definition": "/definitions/team/ops",
    "definition-new": "/definitions/escalation-plan",
}


class Editor:
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

    def write(self, driver, text):
        field = one_of(driver, "#text")
        field.clear()
        field.send_keys(text)

    def is_changed(self):
        report, phone = self.report, self.phone
        self.open(phone, "/")
        press(phone, "header summary")
        press(phone, 'header a[href="/definitions"]')
        report.wait("all definitions are there", phone, lambda: "Escalation plans 1" in text_of(phone))
        press(phone, 'a[href="/definitions/team/ops"]')
        said = one_of(phone, "#text").get_property("value")
        report.check("a team is shown as in a file", said.startswith('[[team]]\nname = "ops"'), said)
        self.write(phone, said + 'description = "who <keep> it up"\n')
        press(phone, 'form[action="/definition/look"] button')
        report.wait("the difference is shown", phone, lambda: "What would change" in text_of(phone))
        report.check("with what is new", one_of(phone, ".fields ins").text == "who <keep> it up", text_of(phone))
        press(phone, 'form[action="/definition/save"] button')
        report.wait("it is saved", phone, lambda: "Saved. It is in force." in text_of(phone))
        self.write(phone, '[[team]]\nname = "ops"\nmembers = ["nobody"]\n')
        press(phone, 'form[action="/definition/look"] button')
        report.wait("what is wrong is said", phone, lambda: all_of(phone, ".refused pre"))
        wrong = one_of(phone, ".refused pre").text
        report.check("at its place", "team ops:3:" in wrong, wrong)

    def pages_are_good(self):
        report = self.report
        for path in PAGES.values():
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

    def pictures(self):
        folder = os.environ.get("DOGWATCH_SCREENSHOTS")
        if not folder:
            return
        os.makedirs(folder, exist_ok=True)
        for driver, size, device in ((self.phone, PHONE, "phone"), (self.desk, DESKTOP, "desktop")):
            for name, path in PAGES.items():
                self.open(driver, path)
                self.shoot(driver, size, device, f"{folder}/{name}")
            self.open(driver, "/definitions/team/ops")
            said = one_of(driver, "#text").get_property("value")
            self.write(driver, said + 'ack_timeout = "30m"\n')
            press(driver, 'form[action="/definition/look"] button')
            self.shoot(driver, size, device, f"{folder}/definition-look")

    def shoot(self, driver, size, device, path):
        height = driver.execute_script("return document.documentElement.scrollHeight")
        shape(driver, (size[0], min(height, 4000)), device == "phone")
        for word in ("dark", "light"):
            scheme(driver, word)
            driver.save_screenshot(f"{path}-{device}-{word}.png")
        shape(driver, size, device == "phone")

    def play(self):
        self.demo.start()
        self.phone = browser(self.folder, "phone", PHONE, has_script=False)
        self.desk = browser(self.folder, "desk", DESKTOP, is_phone=False)
        self.enter(self.phone)
        self.enter(self.desk)
        self.is_changed()
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
    sys.exit(run(Editor, (Editor.play,), LONGEST, __doc__))
