#!/usr/bin/python3
"""Without a connection: the page of what is going on says what was known last, and how old that is.

    /usr/bin/python3 tests/browser/offline.py target/debug/dogwatch

Starts `dogwatch demo` as demo_story.py does, whose tools it uses, and stops it while somebody looks. Prints one line a
check; the exit code is 0 if all passed. Where $DOGWATCH_SCREENSHOTS names a folder, a picture is saved there.
"""

import sys

from demo_story import heading, press, run, text_of, waiting
from visit import Visit

# Seconds for the whole run; it takes about 10.
LONGEST = 90

KEPT = "const done = arguments[arguments.length - 1]; caches.has('now').then(done)"


class Traveller(Visit):
    def arrive(self, name):
        """Somebody has seen what is going on."""
        driver = self.enter(name)
        driver.set_script_timeout(10)
        waiting(driver, 10).until(lambda _: driver.execute_script("return navigator.serviceWorker.controller !== null"))
        self.open(driver, "/")
        waiting(driver, 10).until(lambda _: driver.execute_async_script(KEPT))
        return driver

    def play(self):
        report = self.report
        self.demo.start()
        self.demo.run("notify", "ops", "disk full on db1")
        phone, leaver = self.arrive("phone"), self.arrive("leaver")
        shown = heading(phone)
        report.check("an alert is shown", "disk full on db1" in text_of(phone), text_of(phone))
        press(leaver, "header summary")
        press(leaver, 'form[action="/sign-out"] button')
        waiting(leaver, 10).until(lambda _: "not signed in" in text_of(leaver) or "signed out" in text_of(leaver).lower())
        report.check("who signs out leaves nothing behind", not leaver.execute_async_script(KEPT), "it is kept")
        self.demo.stop()
        self.open(phone, "/")
        report.check("without a connection it is what was known last", heading(phone) == shown, text_of(phone))
        report.check("with the alert", "disk full on db1" in text_of(phone), text_of(phone))
        report.check("and how old it is", "No connection. This is what was known on" in text_of(phone), text_of(phone))
        self.picture(phone, "phone", "offline")


if __name__ == "__main__":
    sys.exit(run(Traveller, (Traveller.play,), LONGEST, __doc__))
