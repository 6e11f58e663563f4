"""What visits to pages in a real browser have in common: signing in, judging a page, taking pictures of it, leaving."""

import os

from demo_story import (
    CONTRAST, DESKTOP, PHONE, PLAIN_FAULTS, SMALL, WIDE,
    browser, complaints, press, scheme, shape, waiting,
)

SIZES = {"phone": PHONE, "desktop": DESKTOP}

# All that is folded is looked at, too.
UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"


class Visit:
    """Browsers that look at a demo; each is signed in by an address of its own, and closed in the end."""

    def __init__(self, report, demo, folder):
        self.report = report
        self.demo = demo
        self.folder = folder
        self.browsers = {}

    def enter(self, name, *whose, device="phone", has_script=True):
        """A browser in which an administrator, or the person that `whose` names, is signed in."""
        driver = self.stranger(name, device, has_script)
        driver.get(self.demo.run("token", "create", "--link", *whose))
        press(driver, "form button")
        waiting(driver, 10).until(lambda _: "/sign-in/" not in driver.current_url)
        return driver

    def stranger(self, name, device="phone", has_script=True):
        """A browser in which nobody is signed in."""
        driver = browser(self.folder, name, SIZES[device], has_script=has_script, is_phone=device == "phone")
        self.browsers[name] = driver
        return driver

    def open(self, driver, path):
        driver.get(self.demo.url + path)

    def unfold(self, driver):
        """Also where no script runs."""
        driver.execute_cdp_cmd("Runtime.evaluate", {"expression": UNFOLD})

    def judge(self, driver, device, path):
        """Plain faults of a page: contrast in both themes, its width, what can't be named or hit."""
        report, size = self.report, SIZES[device]
        self.open(driver, path)
        self.unfold(driver)
        for word in ("dark", "light"):
            scheme(driver, word)
            bad = driver.execute_script(CONTRAST)
            report.check(f"{path} {size[0]} {word}: contrast", not bad, bad)
        wide = driver.execute_script(WIDE)
        report.check(f"{path} {size[0]}: nothing is wider than the screen", wide[0] <= 0, wide)
        for name, script in (("plain faults", PLAIN_FAULTS), ("small targets", SMALL)):
            bad = driver.execute_script(script)
            report.check(f"{path} {size[0]}: {name}", not bad, bad)

    def picture(self, driver, device, name):
        """Saves the whole page as it is shown now, dark and light, where $DOGWATCH_SCREENSHOTS says."""
        folder = os.environ.get("DOGWATCH_SCREENSHOTS")
        if not folder:
            return
        os.makedirs(folder, exist_ok=True)
        size, is_phone = SIZES[device], device == "phone"
        height = driver.execute_script("return document.documentElement.scrollHeight")
        shape(driver, (size[0], min(height, 4000)), is_phone)
        for word in ("dark", "light"):
            scheme(driver, word)
            driver.save_screenshot(f"{folder}/{name}-{device}-{word}.png")
        shape(driver, size, is_phone)

    def consoles_are_quiet(self):
        for name, driver in self.browsers.items():
            bad = complaints(driver)
            self.report.check(f"{name}: the console has no complaint", not bad, bad)

    def close(self):
        for driver in self.browsers.values():
            driver.quit()
        if self.demo.process and self.demo.process.poll() is None:
            self.demo.stop()
