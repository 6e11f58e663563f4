//! The pages of the guide, whose examples are tests.

/// A page.
pub fn page(name: &str) -> String {
    let path = format!("{}/../../docs/guide/{name}.md", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The language and the text of each code block of a page.
pub fn blocks(name: &str) -> Vec<(String, String)> {
    let guide = page(name);
    let mut blocks = Vec::new();
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language.to_owned(), text.join("\n")));
        }
    }
    blocks
}
