"""Signs callbacks with Twilio's own validator and reads TwiML as a telephone would.

One JSON request a line on stdin, one answer a line on stdout.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree

from twilio.request_validator import RequestValidator

KNOWN = {
    "Response": set(),
    "Gather": {"input", "numDigits", "timeout", "method", "action"},
    "Say": {"language"},
    "Message": set(),
    "Reject": set(),
}


def tree(element):
    if element.tag not in KNOWN or set(element.attrib) - KNOWN[element.tag]:
        raise ValueError(f"a telephone does not know {element.tag} {element.attrib}")
    return {
        "verb": element.tag,
        "attributes": dict(element.attrib),
        "text": element.text or "",
        "inner": [tree(child) for child in element],
    }


def answer(request):
    if "twiml" in request:
        return tree(ElementTree.fromstring(request["twiml"]))
    fields = {}
    for name, value in request["fields"]:
        fields[name] = value
    return RequestValidator(request["token"]).compute_signature(request["url"], fields)


for line in sys.stdin:
    try:
        print(json.dumps({"ok": answer(json.loads(line))}), flush=True)
    except Exception as error:  # told to the test, which fails
        print(json.dumps({"error": repr(error)}), flush=True)
