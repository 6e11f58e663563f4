//! Coming from Naemon or Nagios: what is imported pages whom they would tell, and the report says what does not.

mod guide;
mod random_text;
mod scenarios;
mod site;
mod traps;

use dogwatch::definition::{Definitions, Owner, Wanted};
use dogwatch::naemon::{Imported, Settings, import};
use jiff::Timestamp;
use rota::syntax;

use crate::support::command::{folder, run};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

/// Imports a text, in UTC.
fn imported(text: &str) -> (Imported, String) {
    let document = syntax::read_text("site.cfg", text);
    let imported = import(&document, &Settings::new("UTC".to_owned(), NOW));
    let report = imported.report.show(&document.files, &imported.routes);
    (imported, report)
}

/// What was imported, in force; it has to be without errors.
fn in_force(imported: &Imported) -> Definitions {
    let wanted = Wanted {
        owner: Owner::Files("main".to_owned()),
        documents: imported.documents.clone(),
        prune: false,
        force: false,
    };
    let changed = Definitions::default().change(&wanted, NOW);
    changed.unwrap_or_else(|errors| panic!("{errors:#?}")).definitions
}

#[test]
fn the_sample_configuration_of_debian_is_imported_checked_and_applied() {
    let house = super::as_code::House::new("");
    let main = "/etc/nagios4/nagios.cfg";
    assert!(std::path::Path::new(main).exists(), "the package nagios4-core is needed; see scripts/test");
    let ran = house.run(&["import", "naemon", main, "--zone", "Europe/Berlin", "--out", "imported"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.ends_with("for 7 hosts and services; checked, no errors\n"), "{}", ran.err);
    let report = std::fs::read_to_string(house.folder.path().join("imported/report.txt")).unwrap();
    assert!(
        report.contains("contact \"nagiosadmin\": person \"nagiosadmin\", email:nagios@localhost"),
        "{report}"
    );
    assert!(report.contains("admins-2: localhost;Current Load"), "{report}");
    assert!(report.contains("service \"localhost;SSH\" has notifications_enabled 0"), "{report}");
    assert_eq!(house.run(&["check", "imported"]).code, 0);
    assert!(house.ok(&["apply", "imported"]).contains("+ team \"admins\""));
    assert_eq!(house.ok(&["apply", "imported"]), "nothing to do\n");
}

#[test]
fn a_main_configuration_names_its_files_its_zone_and_the_length_of_an_interval() {
    let files = folder(&[
        (
            "etc/naemon.cfg",
            "cfg_file=objects/people.cfg\ncfg_dir=conf.d\ninterval_length=30\nuse_timezone=:America/New_York\n",
        ),
        ("etc/objects/people.cfg", "define contact {\n contact_name john\n email john@example.org\n}\n"),
        (
            "etc/conf.d/deep/h.cfg",
            "define host {\n host_name h\n contacts john\n notification_interval 10\n}\n",
        ),
        ("etc/conf.d/readme.txt", "not read"),
    ]);
    let ran = run(files.path(), &["import", "naemon", "etc/naemon.cfg"], "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("zone = \"America/New_York\"") && ran.out.contains("after = \"5m\""),
        "{}",
        ran.out
    );
    let ran = run(files.path(), &["import", "naemon", "etc/naemon.cfg", "--zone", "Mars"], "");
    assert!(ran.code == 1 && ran.err.contains("there is no zone \"Mars\""), "{}", ran.err);
    let ran = run(files.path(), &["import", "naemon", "nothing.cfg"], "");
    assert!(ran.code == 1 && ran.err.contains("nothing.cfg"), "{}", ran.err);
}
