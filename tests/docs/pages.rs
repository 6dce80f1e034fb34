//! Links between pages, and the changelog.

use std::collections::BTreeSet;

use super::{pages, top};

/// The anchors of a page, as its headings give them: lower case, hyphens for spaces, no other signs.
fn anchors(page: &str) -> BTreeSet<String> {
    let (mut anchors, mut fenced) = (BTreeSet::new(), false);
    for line in page.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        if fenced || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        anchors.insert(kept.collect::<String>().to_lowercase().replace(' ', "-"));
    }
    anchors
}

/// The targets of `[text](target)` outside of fenced blocks.
fn links(page: &str) -> Vec<String> {
    let (mut links, mut fenced) = (Vec::new(), false);
    for line in page.lines() {
        fenced ^= line.trim_start().starts_with("```");
        for (at, _) in line.match_indices("](") {
            let target = line[at + 2..].split(')').next().unwrap_or_default();
            if !fenced {
                links.push(target.to_owned());
            }
        }
    }
    links
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let mut findings = Vec::new();
    for (path, page) in pages() {
        let folder = top().join(&path).parent().expect("a folder").to_owned();
        for link in links(&page).iter().filter(|link| !link.starts_with("https://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { top().join(&path) } else { folder.join(file) };
            let is_there = match anchor {
                "" => target.exists(),
                anchor => std::fs::read_to_string(&target)
                    .is_ok_and(|text| anchors(&text).contains(anchor)),
            };
            if !is_there {
                findings.push(format!("{path}: `{link}` leads nowhere"));
            }
        }
    }
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn every_page_is_on_the_map_of_the_readme() {
    let readme = std::fs::read_to_string(top().join("README.md")).expect("README.md");
    let mapped = links(&readme);
    for (path, _) in pages().iter().filter(|(path, _)| path != "README.md") {
        assert!(mapped.contains(path), "README.md does not link {path}");
    }
}

#[test]
fn no_line_is_wider_than_the_page() {
    let mut findings = Vec::new();
    for (path, page) in pages() {
        for (at, line) in page.lines().enumerate() {
            // A row of a table, a list of references to code and a command cannot be broken.
            let whole = line.starts_with('|') || line.contains("::") || line.contains(" --");
            if line.chars().count() > 120 && !whole {
                findings.push(format!("{path}:{}: {} letters", at + 1, line.chars().count()));
            }
        }
    }
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn the_changelog_begins_with_the_version_and_the_day_of_the_package() {
    let page = std::fs::read_to_string(top().join("docs/CHANGELOG.md")).expect("a changelog");
    let first = page.lines().find_map(|line| line.strip_prefix("## [")).expect("an entry");
    let (version, day) = first.split_once("] - ").expect("a version and a day");
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    assert!(day == "unreleased" || day == officiant::RELEASED.to_string(), "{day}");
}
