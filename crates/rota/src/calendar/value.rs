//! Dates and times as iCalendar writes them (RFC 5545, 3.3.4 and 3.3.5).

use jiff::civil::{Date, DateTime, Time};

/// Reads `20261231`; nothing when that is no date.
pub fn date(text: &str) -> Option<Date> {
    if text.len() != 8 {
        return None;
    }
    let year = number(text.get(..4)?)?;
    // Two digits always fit.
    Date::new(year, number(text.get(4..6)?)? as i8, number(text.get(6..)?)? as i8).ok()
}

/// Reads `20261231T235959`, without the `Z` of UTC; nothing when that is no date and time. A leap second is
/// read as the second before it, as RFC 5545 says.
pub fn date_time(text: &str) -> Option<DateTime> {
    let (day, time) = text.split_once('T')?;
    if time.len() != 6 {
        return None;
    }
    let hour = number(time.get(..2)?)? as i8;
    let minute = number(time.get(2..4)?)? as i8;
    let second = match number(time.get(4..)?)? {
        60 => 59,
        second => second as i8,
    };
    Some(date(day)?.to_datetime(Time::new(hour, minute, second, 0).ok()?))
}

/// Up to four digits and nothing else.
fn number(digits: &str) -> Option<i16> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_dates_and_times_are_read() {
        assert_eq!(date("20240229").unwrap().to_string(), "2024-02-29");
        assert_eq!(date_time("20240229T235960").unwrap().to_string(), "2024-02-29T23:59:59");
        for wrong in ["20230229", "2024022", "202402290", "2024-2-9", "+2024021", "２０２", "", "20241301"]
        {
            assert_eq!(date(wrong), None, "{wrong}");
        }
        for wrong in
            ["20240229T2359", "20240229T240000", "20240229T235961", "20240229 235900", "20240229T235900Z"]
        {
            assert_eq!(date_time(wrong), None, "{wrong}");
        }
    }
}
