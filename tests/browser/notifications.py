#!/usr/bin/python3
"""Push messages in a real browser: what the service worker shows, and what its button does.

    /usr/bin/python3 tests/browser/notifications.py target/debug/dogwatch

Starts `dogwatch serve` itself, on a free port and with a temporary folder of its own. Needs Debian's packages
chromium, chromium-driver and python3-selenium, and nothing of the network: the browser is handed the message as its
push service would hand it. Prints one line a check; the exit code is 0 if all passed.
"""

import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

TOKEN = "test-0123456789abcdefghijklmnop"
# Seconds until something that a page does by itself counts as not done.
PATIENCE = 20

# The service worker's own text, with what a browser gives it replaced by what remembers.
PRESS = """
const [message, done] = [arguments[0], arguments[arguments.length - 1]];
(async () => {
  const text = await (await fetch("/service-worker.js")).text();
  const listeners = {};
  const shown = [];
  const worker = {
    addEventListener: (name, listener) => { listeners[name] = listener; },
    registration: { showNotification: async (title, options) => { shown.push({ title, ...options }); } },
    clients: {},
  };
  new Function("self", text)(worker);
  let work;
  listeners.notificationclick({
    action: "answer",
    notification: { data: message, close() {} },
    waitUntil: (promise) => { work = promise; },
  });
  await work;
  done(shown);
})().catch((error) => done(String(error)));
"""


class Hook(http.server.BaseHTTPRequestHandler):
    """Keeps what it is told."""

    def do_POST(self):
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Report:
    def __init__(self):
        self.failed = 0

    def check(self, what, passed, seen=""):
        print(f"{'ok' if passed else 'FAILED'}: {what}{'' if passed else f': {seen}'}", flush=True)
        self.failed += not passed


def wait(ask):
    """The first answer that is something, or the last."""
    until = time.monotonic() + PATIENCE
    while True:
        found = ask()
        if found or time.monotonic() > until:
            return found
        time.sleep(0.1)


def browser(folder):
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--user-data-dir={folder}/profile"]:
        options.add_argument(argument)
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def play(program, folder, report):
    hook = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    hook.told = []
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    environment = {**os.environ, "DOGWATCH_ADMIN_TOKEN": TOKEN, "DOGWATCH_WEBHOOK_ALLOW": "127.0.0.1"}
    command = [program, "serve", "--listen", "127.0.0.1:0", "--database", f"sqlite:{folder}/d.db"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    driver = None
    try:
        url = next(line.split()[2] for line in server.stdout if line.startswith("listening on "))

        def api(method, path, body=None):
            data = None if body is None else json.dumps(body).encode()
            headers = {"Authorization": f"Bearer {TOKEN}"}
            request = urllib.request.Request(url + path, data, headers, method=method)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)

        contact = f"webhook:http://127.0.0.1:{hook.server_port}/"
        api("POST", "/api/v1/people", {"name": "john", "full_name": "John", "contacts": [contact]})
        driver = browser(folder)
        driver.execute_cdp_cmd("Browser.grantPermissions", {"origin": url, "permissions": ["notifications"]})
        driver.get(api("POST", "/api/v1/sign-ins", {"person": "john"})["url"])
        driver.find_element(By.CSS_SELECTOR, "main button").click()
        driver.get(url + "/notifications")
        state = wait(lambda: next((t for t in [driver.find_element(By.ID, "push-state").text] if "Looking" not in t), None))
        report.check("the page says how it stands", state == "Off: this browser shows nothing.", state)
        report.check("and has a button", driver.find_element(By.ID, "push-on").is_displayed())
        report.check("the page tells which contact to add", "push:john" in driver.find_element(By.TAG_NAME, "main").text)

        message = {"title": "CRITICAL ops: disk full", "body": "Alert #1", "tag": "one", "stays": True, "open": "/",
                   "answer": "/answer/x/y", "label": "I have it"}

        def deliver(data):
            # A fresh browser's first registrations; which of them it is, it does not say.
            for registration in range(3):
                try:
                    driver.execute_cdp_cmd("ServiceWorker.enable", {})
                    driver.execute_cdp_cmd("ServiceWorker.deliverPushMessage",
                                           {"origin": url + "/", "registrationId": str(registration), "data": data})
                except WebDriverException:
                    pass

        def shown():
            return driver.execute_async_script(
                "const done = arguments[0]; navigator.serviceWorker.ready.then((r) => r.getNotifications()).then((all) =>"
                " done(all.map((n) => ({ title: n.title, body: n.body, tag: n.tag, stays: n.requireInteraction,"
                " actions: n.actions.map((a) => a.title) }))));")

        # Again until it is active; the same tag makes it the same notification.
        found = wait(lambda: deliver(json.dumps(message)) or shown())
        wanted = [{"title": message["title"], "body": "Alert #1", "tag": "one", "stays": True, "actions": ["I have it", "Open"]}]
        report.check("a push message is shown while nobody asks for it", found == wanted, found)
        deliver(json.dumps({**message, "body": "Alert #1, again"}))
        found = wait(lambda: [n for n in shown() if n["body"].endswith("again")])
        report.check("a newer one takes its place", len(shown()) == 1 and bool(found), shown())
        deliver("no JSON")
        found = wait(lambda: [n for n in shown() if n["tag"] == "unreadable"])
        report.check("one that can't be read is shown, too", bool(found), shown())

        # The button, by the address that a real page has: a webhook is told it.
        api("POST", "/api/v1/people/john/notify", {"summary": "disk full"})
        told = wait(lambda: hook.told)
        report.check("John is paged", bool(told))
        driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
        driver.get(url + "/notifications")
        answer = urllib.parse.urlparse(told[0]["answer_url"]).path + "?via=push"
        answered = driver.execute_async_script(PRESS, {**message, "answer": answer})
        report.check("the button answers, and says what was done",
                     isinstance(answered, list) and answered[0]["body"] == "You have #1. Nobody else is paged any more.", answered)
        acknowledged = api("GET", "/api/v1/alerts/1")["acknowledged"]
        report.check("it is recorded as what it was", acknowledged["by"] == "John" and acknowledged["via"] == "push", acknowledged)
        answered = driver.execute_async_script(PRESS, {**message, "answer": "/answer/page_nobody/x"})
        report.check("what was not done is said aloud",
                     isinstance(answered, list) and answered[0]["title"].startswith("NOT ANSWERED: "), answered)
    finally:
        if driver:
            driver.quit()
        server.terminate()
        server.wait(timeout=20)
        hook.shutdown()


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        play(sys.argv[1], folder, report)
    sys.exit(1 if report.failed else 0)


main()
