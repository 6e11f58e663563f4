#!/usr/bin/python3
"""Every page, judged by axe-core, an independent judge of accessibility: dark and light, on a phone and on a desk.

    /usr/bin/python3 tests/browser/accessibility.py target/debug/dogwatch

Needs axe-core in target/axe, where scripts/test puts it. Starts `dogwatch demo` as demo_story.py does, whose tools it
uses, lets an alert arise, and looks at each page as an administrator or as John. Prints one line a page; the exit code is
0 if nothing serious was found on any.
"""

import os
import sys

from demo_story import run, scheme
from visit import Visit

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


class Judge(Visit):
    def __init__(self, *demo):
        super().__init__(*demo)
        with open(AXE) as file:
            self.axe = file.read()

    def look(self, driver, path, what):
        self.open(driver, path)
        self.unfold(driver)
        driver.set_script_timeout(30)
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
        for device in ("phone", "desktop"):
            admin = self.enter(f"{device}-admin", device=device)
            for path in PAGES:
                self.look(admin, path, device)
            john = self.enter(f"{device}-john", "--person", "john", device=device)
            for path in OWN:
                self.look(john, path, f"{device}, as John")
        stranger = self.stranger("stranger")
        for path in ("/", "/nowhere"):
            self.look(stranger, path, "as a stranger")


if __name__ == "__main__":
    sys.exit(run(Judge, (Judge.play,), LONGEST, __doc__))
