#!/usr/bin/env python3
"""Makes golden.txt: what dateutil says of recurrence rules. README.md says how to run this, and where it corrects
dateutil."""

import itertools
import random
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

FIRST, FAR = 24, 6
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata",
    "Asia/Tokyo", "Pacific/Apia", "America/Santiago", "Asia/Beirut", "Africa/Cairo", "Europe/Dublin",
]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
chance = random.Random(5545)


def some(values, most):
    values = list(values)
    return sorted(chance.sample(values, chance.randint(1, min(most, len(values)))))


def listed(values):
    return ",".join(str(value) for value in values)


def signed(limit, most):
    values = some(range(1, limit + 1), most)
    return [-value if chance.random() < 0.35 else value for value in values]


def weekdays(ordinals):
    days = some(DAYS, 3)
    if ordinals and chance.random() < 0.6:
        days = [f"{chance.choice([1, 2, 3, 4, -1, -2])}{day}" for day in days]
    return days


def rule():
    frequency = chance.choices(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"], [30, 30, 20, 14, 6])[0]
    parts = {"FREQ": frequency}
    if chance.random() < 0.4:
        parts["INTERVAL"] = chance.choice([2, 2, 2, 3, 4, 5, 6, 7, 10, 12, 24, 52])
    if chance.random() < 0.35:
        parts["BYMONTH"] = listed(some(range(1, 13), 4))
    if frequency in ("MONTHLY", "DAILY", "HOURLY", "YEARLY") and chance.random() < 0.3:
        parts["BYMONTHDAY"] = listed(signed(31, 4))
    if frequency == "YEARLY" and "BYMONTHDAY" not in parts and chance.random() < 0.25:
        parts["BYYEARDAY"] = listed(signed(366, 5))
    elif frequency == "YEARLY" and "BYMONTHDAY" not in parts and chance.random() < 0.3:
        # With a weekday: without one, dateutil gives the whole week.
        parts["BYWEEKNO"] = listed(signed(53, 4))
        parts["BYDAY"] = listed(weekdays(False))
    if "BYDAY" not in parts and chance.random() < 0.5:
        parts["BYDAY"] = listed(weekdays(frequency in ("MONTHLY", "YEARLY")))
    if chance.random() < 0.25:
        parts["BYHOUR"] = listed(some(range(24), 3))
    if chance.random() < 0.15:
        parts["BYMINUTE"] = listed(some([0, 10, 15, 30, 45], 2))
    if frequency != "HOURLY" and any(part.startswith("BY") for part in parts) and chance.random() < 0.3:
        parts["BYSETPOS"] = listed(signed(4, 2))
    if chance.random() < 0.3:
        parts["WKST"] = chance.choice(DAYS)
    return parts


def text(parts):
    return ";".join(f"{name}={value}" for name, value in parts.items())


def week_start(parts, day):
    """The beginning of the week of a day."""
    first = DAYS.index(parts.get("WKST", "MO"))
    return day - timedelta(days=(day.weekday() - first) % 7)


def readings(parts, start):
    """The readings of a rule in order, its start among them, without its end."""
    endless = {name: value for name, value in parts.items() if name not in ("COUNT", "UNTIL")}
    begin = start
    # dateutil's first week begins at the start: BYSETPOS would choose from a part of a week.
    if parts["FREQ"] == "WEEKLY" and "BYSETPOS" in parts:
        begin = week_start(parts, start)
        endless.setdefault("BYDAY", DAYS[start.weekday()])
    found = rrulestr(text(endless), dtstart=begin)
    # The start is the first occurrence, whether the rule gives it or not.
    return itertools.chain([start], (reading for reading in found if reading > start))


def with_end(parts, start):
    all_of_them = readings(parts, start)
    if "COUNT" in parts:
        return itertools.islice(all_of_them, int(parts["COUNT"]))
    if "UNTIL" in parts:
        until = datetime.strptime(parts["UNTIL"], "%Y%m%dT%H%M%S")
        rest = itertools.takewhile(lambda reading: reading <= until, all_of_them)
        return itertools.chain([start], (reading for reading in rest if reading > start))
    return all_of_them


def instant(reading, zone):
    return int(reading.replace(tzinfo=ZoneInfo(zone)).astimezone(timezone.utc).timestamp())


def base36(number):
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def packed(instants):
    """The first instant, then what lies between each and the next; N*D is N times D."""
    rows = [base36(instants[0])]
    gaps = [base36(b - a) for a, b in zip(instants, instants[1:])]
    for gap, group in itertools.groupby(gaps):
        length = len(list(group))
        rows.append(gap if length == 1 else f"{length}*{gap}")
    return " ".join(rows)


def stamp(reading):
    return reading.strftime("%Y%m%dT%H%M%S")


def case(zone, start, parts, excluded=(), added=()):
    """The lines of a case; nothing when there is too little to see, or dateutil is too slow."""
    gone = set(excluded)
    seen = []
    horizon = datetime(start.year + 60, 1, 1)
    is_all = True
    for reading in with_end(parts, start):
        # A day more than is shown: the clock may put some off.
        if reading > horizon or len(seen) == FIRST + 30:
            is_all = False
            break
        seen.append(reading)
    if len(seen) < 2:
        return None
    seen = [reading for reading in itertools.chain(seen, added) if reading not in gone]
    instants = sorted({instant(reading, zone) for reading in seen})
    if not instants:
        return None
    is_all = is_all and len(instants) <= FIRST
    lines = [
        f"{zone}|{stamp(start)}|{text(parts)}|{listed(map(stamp, excluded))}|{listed(map(stamp, added))}",
        packed(instants[:FIRST]) + (" ." if is_all else ""),
    ]
    if not is_all and "COUNT" not in parts and "UNTIL" not in parts:
        years = 60 if parts["FREQ"] == "HOURLY" else 200
        since = datetime(chance.randint(2040, 2040 + years), chance.randint(1, 12), chance.randint(1, 28))
        limit = since + timedelta(days=365 * 30)
        later = itertools.dropwhile(lambda reading: reading < since, readings(parts, start))
        later = itertools.takewhile(lambda reading: reading < limit, later)
        later = [reading for reading in itertools.islice(later, FAR + 30) if reading not in gone]
        later += [reading for reading in added if since <= reading < later[-1]] if later else []
        far = {instant(reading, zone) for reading in later}
        far = sorted(second for second in far if second >= instant(since, zone))[:FAR]
        if far:
            lines.append(f"@{base36(instant(since, zone))} {packed(far)}")
    return lines


def random_case():
    zone = chance.choice(ZONES)
    parts = rule()
    start = datetime(chance.randint(1996, 2030), chance.randint(1, 12), chance.randint(1, 28),
                     chance.choice([0, 1, 2, 2, 3, 8, 9, 18, 20, 23]), chance.choice([0, 0, 0, 30]))
    # Mostly a start that the rule gives.
    if chance.random() < 0.8:
        synchronized = rrulestr(text(parts), dtstart=start)
        first = next(iter(synchronized), None)
        if first is None or first > start + timedelta(days=365 * 40):
            return None
        start = first
    ending = chance.random()
    if ending < 0.25:
        parts["COUNT"] = chance.choice([1, 2, 3, 5, 10, 20, 200])
    elif ending < 0.45:
        later = list(itertools.islice(readings(parts, start), 12))
        parts["UNTIL"] = stamp(chance.choice(later) + timedelta(seconds=chance.choice([-1, 0, 0, 1])))
    excluded, added = [], []
    if chance.random() < 0.3:
        known = list(itertools.islice(with_end(parts, start), 10))
        excluded = sorted(chance.sample(known, min(len(known), chance.randint(1, 3))))
        added = sorted(start + timedelta(days=chance.randint(1, 400), hours=chance.randint(0, 23))
                       for _ in range(chance.randint(0, 2)))
    return case(zone, start, parts, excluded, added)


def given(line):
    zone, start, rule_text = line.split("|")
    return case(zone, datetime.strptime(start, "%Y%m%dT%H%M%S"), dict(part.split("=") for part in rule_text.split(";")))


# The examples of RFC 5545, 3.8.5.3 (those by the minute left out), and what is known to go wrong.
GIVEN = """
America/New_York|19970902T090000|FREQ=DAILY;COUNT=10
America/New_York|19970902T090000|FREQ=DAILY;UNTIL=19971224T000000
America/New_York|19970902T090000|FREQ=DAILY;INTERVAL=2
America/New_York|19970902T090000|FREQ=DAILY;INTERVAL=10;COUNT=5
America/New_York|19980101T090000|FREQ=YEARLY;UNTIL=20000131T140000;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA
America/New_York|19980101T090000|FREQ=DAILY;UNTIL=20000131T140000;BYMONTH=1
America/New_York|19970902T090000|FREQ=WEEKLY;COUNT=10
America/New_York|19970902T090000|FREQ=WEEKLY;INTERVAL=2;WKST=SU
America/New_York|19970902T090000|FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH
America/New_York|19970901T090000|FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000;WKST=SU;BYDAY=MO,WE,FR
America/New_York|19970902T090000|FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH
America/New_York|19970905T090000|FREQ=MONTHLY;COUNT=10;BYDAY=1FR
America/New_York|19970905T090000|FREQ=MONTHLY;UNTIL=19971224T000000;BYDAY=1FR
America/New_York|19970907T090000|FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU
America/New_York|19970922T090000|FREQ=MONTHLY;COUNT=6;BYDAY=-2MO
America/New_York|19970928T090000|FREQ=MONTHLY;BYMONTHDAY=-3
America/New_York|19970902T090000|FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15
America/New_York|19970930T090000|FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1
America/New_York|19970910T090000|FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15
America/New_York|19970902T090000|FREQ=MONTHLY;INTERVAL=2;BYDAY=TU
America/New_York|19970610T090000|FREQ=YEARLY;COUNT=10;BYMONTH=6,7
America/New_York|19970310T090000|FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3
America/New_York|19970101T090000|FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200
America/New_York|19970519T090000|FREQ=YEARLY;BYDAY=20MO
America/New_York|19970512T090000|FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO
America/New_York|19970313T090000|FREQ=YEARLY;BYMONTH=3;BYDAY=TH
America/New_York|19970605T090000|FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8
America/New_York|19970902T090000|FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13
America/New_York|19970913T090000|FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13
America/New_York|19961105T090000|FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8
America/New_York|19970904T090000|FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3
America/New_York|19970929T090000|FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2
America/New_York|19970902T090000|FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000
America/New_York|19970902T090000|FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40
America/New_York|19970805T090000|FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO
America/New_York|19970805T090000|FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU
America/New_York|20070115T090000|FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5
Europe/Berlin|20240129T020000|FREQ=MONTHLY;BYMONTHDAY=29,30,31
Europe/Berlin|20240131T083000|FREQ=MONTHLY
Europe/Berlin|20240229T080000|FREQ=YEARLY
Europe/Berlin|20240329T023000|FREQ=DAILY
Europe/Berlin|20241025T023000|FREQ=DAILY
Europe/Berlin|20240330T220000|FREQ=HOURLY
Europe/Berlin|20241026T220000|FREQ=HOURLY;BYMINUTE=0,30
Europe/Berlin|20240330T013000|FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,30
Pacific/Apia|20111227T090000|FREQ=DAILY
Pacific/Apia|20111229T000000|FREQ=HOURLY
Asia/Beirut|20240328T000000|FREQ=DAILY
Asia/Beirut|20240330T000000|FREQ=DAILY;BYHOUR=0,1;BYMINUTE=0,30
Australia/Lord_Howe|20241005T021500|FREQ=DAILY
Australia/Lord_Howe|20250405T014500|FREQ=DAILY
Africa/Cairo|20240425T000000|FREQ=HOURLY;INTERVAL=5
UTC|20231231T000000|FREQ=YEARLY;BYWEEKNO=1,53,-1;BYDAY=MO,SU
UTC|20200229T120000|FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29
UTC|20200101T120000|FREQ=YEARLY;BYYEARDAY=366,-366
UTC|20240105T000000|FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=-1;WKST=WE
UTC|20240105T060000|FREQ=DAILY;BYHOUR=6,12,18;BYSETPOS=1,-1
UTC|20240101T000000|FREQ=HOURLY;INTERVAL=36;BYDAY=MO,TU
"""


def main():
    out = sys.stdout
    print("# zone|start|rule|left out|added; then instants; then those from an instant on. See README.md.", file=out)
    cases = [given(line) for line in GIVEN.split()]
    while len(cases) < 460:
        try:
            found = random_case()
        except ValueError as problem:
            # A rule that dateutil refuses, such as BYSETPOS alone.
            print(problem, file=sys.stderr)
            found = None
        if found:
            cases.append(found)
    for lines in cases:
        print("\n".join(lines), file=out)


main()
