#!/usr/bin/env python3
"""Makes golden.json: calendars, and what recurring-ical-events says takes place in them. README.md says how to run
this."""

import json
import random
from datetime import date, datetime, timedelta, timezone

import icalendar
import recurring_ical_events
from zoneinfo import ZoneInfo

chance = random.Random(7986)
FROM, TO = datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2026, 12, 1, tzinfo=timezone.utc)
SHOWN = (FROM + timedelta(days=3)).timestamp(), (TO - timedelta(days=3)).timestamp()
ZONES = {
    "Europe/Berlin": "Europe/Berlin",
    "America/New_York": "America/New_York",
    "W. Europe Standard Time": "Europe/Berlin",
    "/freeassociation.sourceforge.net/Europe/London": "Europe/London",
}
RULES = ["", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=DAILY;INTERVAL=5",
         "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=WEEKLY;COUNT=12", "FREQ=YEARLY", "FREQ=DAILY;UNTIL={until}"]


def stamp(moment):
    return moment.strftime("%Y%m%d") if type(moment) is date else moment.strftime("%Y%m%dT%H%M%S")


class Writer:
    """One way to write moments."""

    def __init__(self, kind):
        self.kind = kind
        self.name = chance.choice(list(ZONES))

    def property(self, name, *moments):
        parameter = {"utc": "", "floating": "", "day": ";VALUE=DATE", "zone": f";TZID={self.name}"}[self.kind]
        if " " in self.name and chance.random() < 0.5:
            parameter = parameter.replace(self.name, f'"{self.name}"')
        values = ",".join(stamp(moment) + ("Z" if self.kind == "utc" else "") for moment in moments)
        return f"{name}{parameter}:{values}"

    def until(self, moment):
        if self.kind in ("day", "floating"):
            return stamp(moment)
        zone = timezone.utc if self.kind == "utc" else ZoneInfo(ZONES[self.name])
        return stamp(moment.replace(tzinfo=zone).astimezone(timezone.utc)) + "Z"


def event(number):
    write = Writer(chance.choices(["zone", "utc", "day", "floating"], [6, 2, 3, 1])[0])
    is_day = write.kind == "day"
    # Hours and months in which no clock is changed between the start of an event and its end.
    start = datetime(2026, chance.choice([1, 2, 4, 5, 6, 9]), chance.randint(5, 20), chance.choice([4, 8, 13, 20]))
    days = chance.randint(1, 6)
    rule = chance.choice(RULES).format(until=write.until((start + timedelta(days=40)).date() if is_day
                                                         else start + timedelta(days=40)))
    length = timedelta(hours=chance.choice([1, 2, 4])) if not is_day else timedelta(days=days)
    start = start.date() if is_day else start
    lines = [f"UID:{number}@example.org", f"SUMMARY:event {number}", write.property("DTSTART", start)]
    if chance.random() < 0.6:
        lines.append(write.property("DTEND", start + length))
    else:
        lines.append(f"DURATION:P{days}D" if is_day else f"DURATION:PT{int(length.total_seconds()) // 3600}H")
    if rule:
        lines.append("RRULE:" + rule)
    blocks = []
    if rule:
        base = "\r\n".join(lines)
        known = [one.start for one in recurring_ical_events.of(parse([base])).between(FROM, TO)]
        known = sorted({one if is_day else one.replace(tzinfo=None) for one in known})
        picked = chance.sample(known, min(len(known), 3))
        rest = [one for one in picked]
        if rest and chance.random() < 0.5:
            lines.append(write.property("EXDATE", rest.pop()))
        if chance.random() < 0.3:
            lines.append(write.property("RDATE", start + timedelta(days=chance.randint(50, 60))
                                        if is_day else start + timedelta(days=3, hours=1)))
        for one in rest:
            if chance.random() < 0.5:
                moved = one + timedelta(days=1) if is_day else one + timedelta(hours=2)
                override = [lines[0], f"SUMMARY:moved {number}", write.property("RECURRENCE-ID", one),
                            write.property("DTSTART", moved), write.property("DTEND", moved + length), "SEQUENCE:1"]
                if chance.random() < 0.3:
                    override.append("STATUS:CANCELLED")
                blocks.append("\r\n".join(override))
    blocks.insert(0, "\r\n".join(lines))
    return blocks


def text(blocks):
    inside = "".join(f"BEGIN:VEVENT\r\n{block}\r\nEND:VEVENT\r\n" for block in blocks)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{inside}END:VCALENDAR\r\n"


def parse(blocks):
    # The oracle does not know the names of zones that are to be mapped.
    known = text(blocks)
    for name, iana in ZONES.items():
        known = known.replace(f'TZID="{name}"', f"TZID={iana}").replace(f"TZID={name}", f"TZID={iana}")
    return icalendar.Calendar.from_ical(known)


def instant(moment):
    if type(moment) is date:
        moment = datetime(moment.year, moment.month, moment.day)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo("Europe/Berlin"))
    return int(moment.timestamp())


def main():
    cases = []
    for _ in range(90):
        blocks = [block for number in range(chance.randint(1, 3)) for block in event(number)]
        found = []
        for one in recurring_ical_events.of(parse(blocks)).between(FROM, TO):
            if str(one.get("STATUS", "")) == "CANCELLED":
                continue
            begins = instant(one.start)
            # At the edges the library asks of whole days in no zone.
            if SHOWN[0] <= begins < SHOWN[1]:
                found.append([begins, instant(one.end), str(one["SUMMARY"])])
        cases.append({"text": text(blocks), "occurrences": sorted(found)})
    print("[" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in cases) + "]")


main()
