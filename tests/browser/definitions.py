#!/usr/bin/python3
"""Looks at the pages of definitions in a real browser, and changes a team there, without script.

    /usr/bin/python3 tests/browser/definitions.py target/debug/dogwatch

Starts `dogwatch demo` as demo_story.py does, whose tools it uses. Prints one line a check; the exit code is 0 if all
passed. Where $DOGWATCH_SCREENSHOTS names a folder, pictures are saved there: phone and desktop, dark and light.
"""

import sys

from demo_story import all_of, one_of, press, run, text_of
from visit import Visit

# Seconds for the whole run; it takes about 15.
LONGEST = 120

PAGES = {
    "definitions": "/definitions",
    "definition": "/definitions/team/ops",
    "definition-new": "/definitions/escalation-plan",
}


class Editor(Visit):
    def write(self, driver, text):
        field = one_of(driver, "#text")
        field.clear()
        field.send_keys(text)

    def is_changed(self):
        report, phone = self.report, self.browsers["phone"]
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

    def pictures(self):
        for device in ("phone", "desktop"):
            driver = self.browsers[device]
            for name, path in PAGES.items():
                self.open(driver, path)
                self.picture(driver, device, name)
            self.open(driver, "/definitions/team/ops")
            self.write(driver, one_of(driver, "#text").get_property("value") + 'ack_timeout = "30m"\n')
            press(driver, 'form[action="/definition/look"] button')
            self.picture(driver, device, "definition-look")

    def play(self):
        self.demo.start()
        self.enter("phone", has_script=False)
        self.enter("desktop", device="desktop")
        self.is_changed()
        self.pictures()
        for device in ("phone", "desktop"):
            for path in PAGES.values():
                self.judge(self.browsers[device], device, path)
        self.consoles_are_quiet()


if __name__ == "__main__":
    sys.exit(run(Editor, (Editor.play,), LONGEST, __doc__))
