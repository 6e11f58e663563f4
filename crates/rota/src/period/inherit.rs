//! Templates: what a definition says once all that it uses is taken in.
//!
//! The rules are Naemon's. A weekday, and the list of excluded periods, are taken whole from the
//! first of the definition itself and its templates, in order, that has any. Exceptions add up;
//! one whose days are there already is left out. Among exceptions of one form the order decides,
//! and Naemon's is peculiar: own ones first, then those of each template *from its last to its
//! first*, so that a template's own template comes before it. That order is kept, for it is what the
//! text means; where it changes an answer, there is a warning.
//!
//! Read next: [`super::compile`].

use std::collections::{HashMap, HashSet};

use super::calendar::MAX_EXCEPTIONS;
use super::check::{self, Form};
use super::dates::Dates;
use super::definition::{Days, Definition, Rule, Weekday};
use super::graph;
use super::shape::Shape;
use crate::diagnostic::{Problem, Spanned};
use crate::suggest;

/// A line of some definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LineId {
    definition: usize,
    rule: usize,
}

/// A line of days, ready for use.
#[derive(Clone, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) shape: Shape,
    /// Nothing for a weekday.
    pub(crate) exception: Option<(Form, Dates)>,
}

/// All lines of all definitions.
#[derive(Debug)]
pub(crate) struct Lines<'a>(Vec<Vec<Line<'a>>>);

impl<'a> Lines<'a> {
    fn new(definitions: &'a [Definition]) -> Self {
        let line = |rule: &'a Rule| Line {
            rule,
            shape: check::shape(rule),
            exception: check::exception(&rule.days.value),
        };
        let lines = definitions.iter().map(|d| d.rules.iter().map(line).collect());
        Lines(lines.collect())
    }

    pub(crate) fn get(&self, id: LineId) -> &Line<'a> {
        &self.0[id.definition][id.rule]
    }
}

/// What a definition says with everything it inherits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved<'a> {
    pub(crate) alias: Option<&'a str>,
    pub(crate) weekdays: [Option<LineId>; 7],
    /// In order of precedence within each form.
    pub(crate) exceptions: Vec<LineId>,
    /// The order that one would expect, when it is another.
    pub(crate) expected: Option<Vec<LineId>>,
    pub(crate) exclude: &'a [Spanned<String>],
}

/// Takes in the templates of all definitions.
pub(crate) fn resolve<'a>(
    definitions: &'a [Definition],
    problems: &mut Vec<Problem>,
) -> (Lines<'a>, Vec<Resolved<'a>>) {
    let lines = Lines::new(definitions);
    let uses = find_templates(definitions, problems);
    let edges: Vec<Vec<usize>> = uses.iter().map(|uses| uses.iter().map(|(to, _)| *to).collect()).collect();
    let (order, circles) = graph::order(&edges);
    let mut closing = HashSet::new();
    for circle in circles {
        let names: Vec<String> = circle.path.iter().map(|&n| template_name(&definitions[n])).collect();
        let span = uses[circle.from][circle.edge].1.span;
        let message = format!("templates use each other in a circle: {}", names.join(" -> "));
        problems.push(Problem::error(span, message).hint("take one of these names away"));
        closing.insert((circle.from, circle.edge));
    }
    let mut resolved: Vec<Resolved<'a>> = vec![Resolved::default(); definitions.len()];
    for index in order {
        let used: Vec<(usize, &Spanned<String>)> = uses[index]
            .iter()
            .enumerate()
            .filter(|(edge, _)| !closing.contains(&(index, *edge)))
            .map(|(_, used)| *used)
            .collect();
        let mut own = own(&definitions[index], index);
        for &(template, name) in &used {
            inherit(&mut own, &resolved[template], &lines, &definitions[index], name, problems);
        }
        take_exceptions(&mut own, &used, &resolved, &lines, &definitions[index], problems);
        resolved[index] = own;
    }
    (lines, resolved)
}

/// What each period says with everything that it inherits, as a definition that uses no template: it means the same
/// alone. Pure templates are left out. What is wrong with the definitions is told by [`super::compile`].
pub fn flatten(definitions: &[Definition]) -> Vec<Definition> {
    let (lines, resolved) = resolve(definitions, &mut Vec::new());
    let periods = definitions.iter().zip(&resolved).filter(|(definition, _)| definition.name.is_some());
    let flat = periods.filter(|(definition, _)| definition.register).map(|(definition, resolved)| {
        let ids = resolved.weekdays.iter().flatten().chain(&resolved.exceptions);
        let alias = resolved.alias.map(|alias| Spanned { value: alias.to_owned(), span: None });
        Definition {
            alias: definition.alias.clone().or(alias),
            template: None,
            uses: Vec::new(),
            exclude: resolved.exclude.to_vec(),
            rules: ids.map(|id| lines.get(*id).rule.clone()).collect(),
            ..definition.clone()
        }
    });
    flat.collect()
}

fn template_name(definition: &Definition) -> String {
    let name = definition.template.as_ref().or(definition.name.as_ref());
    name.map_or_else(String::new, |name| name.value.clone())
}

/// For each definition the templates that it uses, and the names by which it does.
fn find_templates<'a>(
    definitions: &'a [Definition],
    problems: &mut Vec<Problem>,
) -> Vec<Vec<(usize, &'a Spanned<String>)>> {
    let mut templates: HashMap<&str, usize> = HashMap::new();
    for (index, definition) in definitions.iter().enumerate() {
        let Some(name) = &definition.template else {
            continue;
        };
        if let Some(&first) = templates.get(name.value.as_str()) {
            let first = definitions[first].template.as_ref().and_then(|name| name.span);
            let message = format!("there is another template \"{}\"", name.value);
            problems.push(
                Problem::error(name.span, message)
                    .hint("give one of them another name")
                    .related(first, "the other is here"),
            );
        } else {
            templates.insert(&name.value, index);
        }
    }
    let mut find = |used: &'a Spanned<String>| {
        let found = templates.get(used.value.as_str()).copied();
        if found.is_none() {
            problems.push(no_template(used, definitions));
        }
        found.map(|index| (index, used))
    };
    definitions.iter().map(|definition| definition.uses.iter().filter_map(&mut find).collect()).collect()
}

fn no_template(used: &Spanned<String>, definitions: &[Definition]) -> Problem {
    let name = used.value.as_str();
    let named = |d: &&Definition| d.name.as_ref().is_some_and(|n| n.value == name);
    let problem = Problem::error(used.span, format!("there is no template \"{name}\""));
    if let Some(period) = definitions.iter().find(named) {
        return problem
            .hint(format!(
                "there is a period of that name; add a line \"name {name}\" to it, so that others can use it"
            ))
            .related(period.name.as_ref().and_then(|name| name.span), "the period");
    }
    let templates = definitions.iter().filter_map(|d| d.template.as_ref());
    let problem = problem.hint("\"use\" takes the \"name\" of another definition");
    problem.maybe_hint(suggest::did_you_mean(name, templates.map(|n| n.value.as_str())))
}

fn own(definition: &Definition, index: usize) -> Resolved<'_> {
    let mut own = Resolved {
        alias: definition.alias.as_ref().map(|alias| alias.value.as_str()),
        exclude: &definition.exclude,
        ..Resolved::default()
    };
    for (rule, line) in definition.rules.iter().enumerate() {
        let id = LineId { definition: index, rule };
        match line.days.value {
            // The last line for a weekday counts.
            Days::Weekday(weekday) => own.weekdays[weekday as usize] = Some(id),
            _ => own.exceptions.push(id),
        }
    }
    own
}

/// Takes in everything of a template but its exceptions.
fn inherit<'a>(
    own: &mut Resolved<'a>,
    template: &Resolved<'a>,
    lines: &Lines<'a>,
    definition: &Definition,
    name: &Spanned<String>,
    problems: &mut Vec<Problem>,
) {
    own.alias = own.alias.or(template.alias);
    if own.exclude.is_empty() {
        own.exclude = template.exclude;
    } else if !template.exclude.is_empty() && definition.exclude.is_empty() && own.exclude != template.exclude
    {
        let message = format!("what template \"{}\" excludes is not excluded here", name.value);
        problems.push(Problem::warning(name.span, message).hint(
            "only the first template with an \"exclude\" counts; write the whole list in this definition",
        ));
    }
    let mut lost: Vec<String> = Vec::new();
    for weekday in Weekday::ALL {
        let slot = &mut own.weekdays[weekday as usize];
        match (*slot, template.weekdays[weekday as usize]) {
            (None, theirs) => *slot = theirs,
            (Some(ours), Some(theirs)) => {
                let ours_is_own =
                    definition.rules.iter().any(|rule| std::ptr::eq(rule, lines.get(ours).rule));
                if !ours_is_own && lines.get(ours).shape != lines.get(theirs).shape {
                    lost.push(format!("{} {}", weekday.name(), lines.get(theirs).shape));
                }
            }
            (Some(_), None) => {}
        }
    }
    if !lost.is_empty() {
        let message = format!(
            "an earlier template has other hours, so these of \"{}\" do not count: {}",
            name.value,
            lost.join(", ")
        );
        problems.push(
            Problem::warning(name.span, message)
                .hint("hours of templates are never merged; write the weekdays in this definition"),
        );
    }
}

fn take_exceptions<'a>(
    own: &mut Resolved<'a>,
    used: &[(usize, &Spanned<String>)],
    resolved: &[Resolved<'a>],
    lines: &Lines<'a>,
    definition: &Definition,
    problems: &mut Vec<Problem>,
) {
    if used.is_empty() {
        return;
    }
    let dates = |id: LineId| lines.get(id).exception.map(|(_, dates)| dates);
    let mut seen: HashSet<_> = own.exceptions.iter().map(|&id| dates(id)).collect();
    let mut seen_expected = seen.clone();
    let mut expected = own.exceptions.clone();
    for (template, _) in used {
        let template = &resolved[*template];
        for &id in template.exceptions.iter().rev() {
            if seen.insert(dates(id)) {
                own.exceptions.push(id);
            }
        }
        for &id in template.expected.as_ref().unwrap_or(&template.exceptions) {
            if seen_expected.insert(dates(id)) {
                expected.push(id);
            }
        }
    }
    if own.exceptions.len() > MAX_EXCEPTIONS {
        let message = format!(
            "{} has more than {MAX_EXCEPTIONS} lines of dates with its templates",
            definition.label()
        );
        problems.push(Problem::error(definition.place.span, message));
        own.exceptions.truncate(MAX_EXCEPTIONS);
    } else if own.exceptions != expected {
        own.expected = Some(expected);
    }
}
