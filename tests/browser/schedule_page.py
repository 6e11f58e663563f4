#!/usr/bin/python3
"""Looks at the pages of schedules in a real browser, and takes duty there.

    /usr/bin/python3 tests/browser/schedule_page.py target/debug/dogwatch

Starts `dogwatch demo` as demo_story.py does, whose tools it uses, and adds people and a schedule of its own.
Prints one line a check; the exit code is 0 if all passed. Where $DOGWATCH_SCREENSHOTS names a folder, pictures
are saved there: phone and desktop, dark and light, week and month, and how the page prints.
"""

import base64
import datetime
import os
import sys

from selenium.webdriver.common.by import By

from demo_story import (
    CONTRAST, DESKTOP, LIGHT, PHONE, PLAIN_FAULTS, SMALL, WIDE,
    Traffic,
    all_of, press, run, scheme, shape, text_of,
)
from visit import Visit

# Seconds for the whole run; it takes about 30.
LONGEST = 120

# What of a picture can't be read: text that leaves the picture, or bars without a name.
PICTURE_FAULTS = """
const bad = [];
for (const picture of document.querySelectorAll("svg.picture")) {
  const frame = picture.getBoundingClientRect();
  if (picture.getAttribute("role") !== "img" || !picture.querySelector("title").textContent) bad.push("no title");
  for (const text of picture.querySelectorAll(":scope > text, .now text")) {
    if (getComputedStyle(text).display === "none") continue;
    const box = text.getBoundingClientRect();
    if (box.left < frame.left - 1 || box.right > frame.right + 1) bad.push(`"${text.textContent}" leaves the picture`);
  }
  for (const bar of picture.querySelectorAll("svg")) {
    if (!bar.querySelector("title").textContent) bad.push("a bar without words");
    if (bar.querySelector("rect").getBoundingClientRect().width < 1) bad.push("a bar that can't be seen");
  }
}
return bad;
"""

# The contrast of each bar's text against the bar.
BAR_CONTRAST = """
const light = (color) => {
  const [r, g, b] = color.match(/[\\d.]+/g).map(Number);
  const [x, y, z] = [r, g, b].map((c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const bad = [];
for (const bar of document.querySelectorAll("svg.picture svg:not(.gap)")) {
  const text = bar.querySelector("text");
  if (!text) continue;
  const [a, b] = [light(getComputedStyle(text).fill), light(getComputedStyle(bar.querySelector("rect")).fill)].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) bad.push(`${bar.className.baseVal} ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
}
return bad;
"""

# No hidden field has a label.
FAULTS = PLAIN_FAULTS.replace('"textarea, input, select"', '"textarea, input:not([type=hidden]), select"')


class Rota(Visit):
    def define(self):
        """A schedule with all that can be drawn: two roles, nights, a gap, overrides and leave."""
        api = self.demo.api
        people = [("carol", "Carol Anne Müller-Lüdenscheidt"), ("dave", "Dave"), ("erin", "Erin O'Neill"), ("frank", "Frank")]
        for name, full_name in people:
            api("/people", {"name": name, "full_name": full_name, "zone": "Europe/Berlin", "contacts": [f"handset:{name}"]})
        day = datetime.date.today()
        monday = day - datetime.timedelta(days=day.weekday())
        start = (monday - datetime.timedelta(days=28)).isoformat()
        every = {"zone": "Europe/Berlin", "start": start}
        api("/rotations", {"name": "weekly", "members": ["carol", "dave", "erin"], "every": "1 week", "handoff": "monday 08:00", **every})
        api("/rotations", {"name": "nights", "members": ["frank", "erin"], "every": "1 day", "handoff": "20:00", **every})
        hours = [{"days": "monday - thursday", "hours": ["00:00-08:00", "20:00-24:00"]}]
        api("/periods", {"name": "night", "template": "night", "rules": hours})
        office = [{"days": "monday - friday", "hours": "08:00-20:00"}]
        api("/periods", {"name": "office", "template": "office", "rules": office})
        api("/schedules", {"name": "web", "description": "The shop, day and night.", "zone": "Europe/Berlin", "layers": [
            {"name": "weeks", "rotation": "weekly"},
            {"name": "nights", "rotation": "nights", "period": "night"},
            {"name": "second", "role": "secondary", "rotation": "weekly", "ahead": 1, "period": "office"},
        ]})
        api("/teams", {"name": "web", "members": ["carol", "dave", "erin", "frank"], "schedule": "web"})
        at = lambda days, hour: f"{monday + datetime.timedelta(days=days)}T{hour:02}:00"
        saturday = 5 if day.weekday() < 5 else 12
        api("/schedules/web/overrides", {"person": "frank", "from": at(saturday, 12), "until": at(saturday + 1, 18),
                                         "reason": "a wedding"})
        api("/people/erin/leave", {"from": at(saturday + 2, 0)[:10], "until": at(saturday + 4, 0)[:10], "reason": "away"})

    def pages_are_good(self):
        report, phone, desk = self.report, self.phone, self.desk
        for path in ("/schedules", "/schedules/web", "/schedules/web?view=month", "/schedules/ops?view=month&zone=Asia/Kolkata"):
            for driver, size in ((phone, PHONE), (desk, DESKTOP)):
                self.open(driver, path)
                for word in ("dark", "light"):
                    scheme(driver, word)
                    for name, script in (("contrast", CONTRAST), ("contrast of bars", BAR_CONTRAST)):
                        bad = driver.execute_script(script)
                        report.check(f"{path} {size[0]} {word}: {name}", not bad, bad)
                report.check(f"{path} {size[0]}: nothing is wider than the screen",
                             driver.execute_script(WIDE)[0] <= 0, driver.execute_script(WIDE))
                for name, script in (("plain faults", FAULTS), ("pictures", PICTURE_FAULTS), ("small targets", SMALL)):
                    bad = driver.execute_script(script)
                    report.check(f"{path} {size[0]}: {name}", not bad, bad)
        sizes = Traffic(desk).load(self.demo.url + "/schedules/web")
        report.check("a first load is light", sum(sizes.values()) < LIGHT, sizes)

    def gaps_are_seen(self):
        report, phone = self.report, self.phone
        self.open(phone, "/schedules/web")
        words = [word.text for word in all_of(phone, "svg.picture text")]
        report.check("the weekend without a second has the word nobody", "nobody" in words, words)
        report.check("and stands below in words", "Nobody is on call as secondary" in text_of(phone), text_of(phone))

    def frank_takes_it(self):
        """As a person, on a phone without script."""
        report, plain = self.report, self.enter("plain", "--person", "frank", has_script=False)
        self.open(plain, "/schedules/web?view=week")
        on_call = lambda: [holder.text for holder in all_of(plain, ".oncall")]
        # By the hour and the day he has the other duty anyway.
        before = on_call()
        button = plain.find_element(By.CSS_SELECTOR, ".standings button")
        report.check("the button says until when", "I take it" in button.text and "until" in button.text, button.text)
        button.click()
        report.wait("Frank has it", plain, lambda: "Frank has it" in text_of(plain))
        report.check("and the page shows him", on_call().count("Frank") == before.count("Frank") + 1, text_of(plain))
        press(plain, ".standings button")
        report.wait("he hands it back", plain, lambda: "Frank has handed it back" in text_of(plain))
        report.check("and is on call no more than before", on_call() == before, text_of(plain))

    def pictures(self):
        folder = os.environ.get("DOGWATCH_SCREENSHOTS")
        if not folder:
            return
        os.makedirs(folder, exist_ok=True)
        for name, path in {"schedules": "/schedules", "week": "/schedules/web", "month": "/schedules/web?view=month",
                           "demo-month": "/schedules/ops?view=month", "now": "/"}.items():
            for driver, size, device in ((self.phone, PHONE, "phone"), (self.desk, DESKTOP, "desktop")):
                shape(driver, size, device == "phone")
                self.open(driver, path)
                self.picture(driver, device, f"schedule-{name}")
            self.open(self.desk, path)
            scheme(self.desk, "light")
            printed = self.desk.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": False})
            with open(f"{folder}/schedule-{name}.pdf", "wb") as file:
                file.write(base64.b64decode(printed["data"]))

    def prints_on_one_sheet(self):
        self.open(self.desk, "/schedules/ops")
        printed = base64.b64decode(self.desk.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
        pages = printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ")
        self.report.check("a week prints on one sheet", pages == 1, pages)
        self.report.check("of A4, landscape", b"841.9" in printed and b"594.9" in printed, "another size")

    def play(self):
        self.demo.start()
        self.define()
        self.phone = self.enter("phone", "--person", "carol")
        self.desk = self.enter("desktop", device="desktop")
        self.gaps_are_seen()
        self.frank_takes_it()
        self.pictures()
        self.pages_are_good()
        self.prints_on_one_sheet()
        self.consoles_are_quiet()


if __name__ == "__main__":
    sys.exit(run(Rota, (Rota.play,), LONGEST, __doc__))
