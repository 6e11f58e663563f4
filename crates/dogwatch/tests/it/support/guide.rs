//! The pages of the guide, whose examples are tests.

/// The language and the text of each code block of a page.
pub fn blocks(page: &str) -> Vec<(String, String)> {
    let path = format!("{}/../../docs/guide/{page}.md", env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(path).unwrap();
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
