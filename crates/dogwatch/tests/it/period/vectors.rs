//! Golden answers, made with Naemon itself and corrected where Naemon is wrong, asked of the program.
//!
//! They are kept with the `rota` crate, whose test of them says how they are written.

use serde_json::Value;

use super::run;

/// What is promised: nothing beyond this many seconds is in the answers.
const HORIZON: i64 = 2_922 * 86_400;

fn base36(digits: &str) -> i64 {
    i64::from_str_radix(digits, 36).unwrap()
}

/// A question and what has to come back.
struct Case {
    line: String,
    t: i64,
    inside: bool,
    ends: Option<i64>,
}

#[test]
fn all_golden_answers_agree() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rota/tests/naemon");
    let answers = std::fs::read_to_string(folder.join("answers.txt")).unwrap();
    let mut lines = answers.lines().filter(|line| !line.starts_with('#'));
    let mut configs: std::collections::BTreeMap<String, Vec<Case>> = std::collections::BTreeMap::new();
    while let (Some(names), Some(rows)) = (lines.next(), lines.next()) {
        let names: Vec<&str> = names.split(' ').collect();
        let mut t = 0;
        for row in rows.split(' ') {
            let sign = row.find(['+', '-']).unwrap();
            t += base36(&row[..sign]);
            let line = format!("{{\"tz\":\"{}\",\"period\":\"{}\",\"t\":{t}}}\n", names[2], names[1]);
            let ends = Some(&row[sign + 1..]).filter(|ends| *ends != "*").map(|ends| t + base36(ends));
            let case = Case { line, t, inside: &row[sign..=sign] == "+", ends };
            configs.entry(names[0].to_owned()).or_default().push(case);
        }
    }
    let mut asked = 0;
    for (config, cases) in &configs {
        let input: String = cases.iter().map(|case| case.line.as_str()).collect();
        let ran = run(&folder, &["period", "eval", "--config", &format!("{config}.cfg")], &input);
        assert_eq!(ran.code, 0, "{config}");
        assert_eq!(ran.out.lines().count(), cases.len());
        for (case, line) in cases.iter().zip(ran.out.lines()) {
            let answer: Value = serde_json::from_str(line).unwrap();
            let (here, change) =
                if case.inside { ("next_valid", "next_invalid") } else { ("next_invalid", "next_valid") };
            let agrees = match case.ends {
                Some(end) => answer[change] == end,
                None => answer[change].as_i64().is_none_or(|change| change > case.t + HORIZON),
            };
            assert!(
                agrees && answer["in"] == case.inside && answer[here] == case.t,
                "{config}: {line}, but it ends at {:?}",
                case.ends
            );
            asked += 1;
        }
    }
    assert_eq!(asked, 56_080);
}
