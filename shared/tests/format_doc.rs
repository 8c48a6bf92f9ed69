//! The description of the formats names every kind with its number and version.

use shared::event::Kind;

#[test]
fn every_kind_is_described() {
    let document = include_str!("../../docs/format.md");
    for &kind in Kind::ALL {
        let title = format!(
            "### {} {}, version {}\n",
            kind as u16,
            kind.name(),
            kind.version()
        );
        assert!(
            document.contains(&title),
            "docs/format.md does not describe {title}"
        );
    }
}
