#!/usr/bin/python3
"""Looks at the pages of integrations in a real browser, and sets one up there, without script, as on a phone at night.

    /usr/bin/python3 tests/browser/integrations.py target/debug/dogwatch

Starts `dogwatch demo` as demo_story.py does, whose tools it uses. Prints one line a check; the exit code is 0 if all
passed. Where $DOGWATCH_SCREENSHOTS names a folder, pictures are saved there: phone and desktop, dark and light.
"""

import json
import sys
import urllib.error
import urllib.request

from selenium.webdriver.support.ui import Select

from demo_story import LIGHT, Traffic, all_of, one_of, press, run, text_of
from visit import Visit

# Seconds for the whole run; it takes about 20.
LONGEST = 120


class Sender(Visit):
    def send(self, key, body):
        """What a monitoring system sends."""
        url = f"{self.demo.url}/integrations/v1/generic/{key}/"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode()), timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def is_set_up(self):
        report, phone = self.report, self.browsers["phone"]
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
        for device in ("phone", "desktop"):
            for path in ("/integrations", "/integrations/prometheus"):
                self.judge(self.browsers[device], device, path)
        sizes = Traffic(self.browsers["desktop"]).load(self.demo.url + "/integrations/prometheus")
        self.report.check("a first load is light", sum(sizes.values()) < LIGHT, sizes)

    def pictures(self):
        for device in ("phone", "desktop"):
            for name, path in {"integrations": "/integrations", "integration": "/integrations/prometheus"}.items():
                self.open(self.browsers[device], path)
                self.unfold(self.browsers[device])
                self.picture(self.browsers[device], device, name)

    def play(self):
        self.demo.start()
        self.enter("phone", has_script=False)
        self.enter("desktop", device="desktop")
        self.is_set_up()
        self.pictures()
        self.pages_are_good()
        self.consoles_are_quiet()


if __name__ == "__main__":
    sys.exit(run(Sender, (Sender.play,), LONGEST, __doc__))
