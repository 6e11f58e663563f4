#!/usr/bin/python3
"""Every page, judged by axe-core, an independent judge of accessibility: dark and light, on a phone and on a desk.

    /usr/bin/python3 tests/browser/accessibility.py target/debug/dogwatch

Needs axe-core in target/axe, where scripts/test puts it. Starts `dogwatch demo` as demo_story.py does, whose tools it
uses, lets an alert arise, and looks at each page as an administrator or as John. Prints one line a page; the exit code is
0 if nothing serious was found on any.
"""

import os
import sys

from demo_story import DESKTOP, PHONE, browser, press, run, scheme, waiting

# Seconds for the whole run; it takes about 40.
LONGEST = 180

AXE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../target/axe/node_modules/axe-core/axe.min.js")

# For an administrator.
PAGES = [
    "/", "/page", "/tonight", "/rehearse", "/rehearse?team=ops", "/teams/ops", "/schedules", "/schedules/ops", "/alerts/1",
    "/alerts/1/why?person=john", "/handset/john", "/integrations", "/integrations/mon", "/definitions",
    "/definitions/team/ops", "/definitions/period",
]
# For a person.
OWN = ["/", "/contacts", "/notifications", "/handset/john", "/alerts/1"]

JUDGE = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ["violations"] }).then(
  (found) => done(found.passes.length < 10 ? ["it looked at nothing"] : found.violations.filter((one) => ["serious", "critical"].includes(one.impact)).map((one) =>
    `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`)),
  (error) => done([String(error)]));
"""


class Judge:
    def __init__(self, report, demo, folder):
        self.report = report
        self.demo = demo
        self.folder = folder
        self.drivers = []
        with open(AXE) as file:
            self.axe = file.read()

    def driver(self, name, size, is_phone, *whose):
        driver = browser(self.folder, name, size, is_phone=is_phone)
        self.drivers.append(driver)
        driver.get(self.demo.run("token", "create", "--link", *whose))
        press(driver, "form button")
        waiting(driver, 10).until(lambda _: "/sign-in/" not in driver.current_url)
        return driver

    def judge(self, driver, path, what):
        driver.get(self.demo.url + path)
        # All that is folded is looked at, too.
        driver.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        driver.execute_script(self.axe)
        found = []
        for word in ("dark", "light"):
            scheme(driver, word)
            found += [f"{word}: {one}" for one in driver.execute_async_script(JUDGE)]
        self.report.check(f"{path} {what}", not found, "\n".join(found))

    def play(self):
        self.demo.start()
        self.demo.run("integration", "create", "mon", "--team", "ops")
        self.demo.run("notify", "ops", "disk full on db1")
        for name, size, is_phone in (("phone", PHONE, True), ("desk", DESKTOP, False)):
            admin = self.driver(f"{name}-admin", size, is_phone)
            admin.set_script_timeout(30)
            for path in PAGES:
                self.judge(admin, path, f"{name}")
            john = self.driver(f"{name}-john", size, is_phone, "--person", "john")
            john.set_script_timeout(30)
            for path in OWN:
                self.judge(john, path, f"{name}, as John")
        stranger = browser(self.folder, "stranger", PHONE)
        self.drivers.append(stranger)
        stranger.set_script_timeout(30)
        for path in ("/", "/nowhere"):
            self.judge(stranger, path, "as a stranger")

    def close(self):
        for driver in self.drivers:
            driver.quit()
        if self.demo.process and self.demo.process.poll() is None:
            self.demo.stop()


if __name__ == "__main__":
    sys.exit(run(Judge, (Judge.play,), LONGEST, __doc__))
