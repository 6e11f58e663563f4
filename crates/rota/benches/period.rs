//! How fast a period answers.
fn main() {
    divan::main();
}
