//! Rust source as the house reads it: which paths it names, without comments and without texts.

use std::{fs, path::Path};

use super::top;

/// One source file.
pub(super) struct Source {
    /// Its path from the top, such as `src/root/diff.rs`.
    pub(super) path: String,
    /// Its code: no comments, no contents of strings, and not the unit tests at its end.
    pub(super) code: String,
}

impl Source {
    /// The module's path below the crate, such as `root::diff`; binaries are `main` and `bin::courier::…`.
    pub(super) fn module(&self) -> String {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let path = path.strip_suffix(".rs").unwrap_or(path);
        path.strip_suffix("/mod").unwrap_or(path).replace('/', "::")
    }

    /// The modules in files of their own that it declares for tests alone: `#[cfg(test)] pub(crate) mod fixture;`.
    fn test_modules(&self) -> Vec<String> {
        let module = self.module();
        let parent = if module == "lib" { String::new() } else { format!("{module}::") };
        let declared = self.code.split("#[cfg(test)]").skip(1).filter_map(|rest| {
            let (words, _) = rest.split_once(';')?;
            let mut words = words.split_whitespace().rev();
            let name = words.next()?;
            (words.next()? == "mod").then(|| format!("{parent}{name}"))
        });
        declared.collect()
    }

    /// Every path the code names that begins with `crate`, `officiant`, `std`, `self` or `super`, made absolute:
    /// `crate::…` or `std::…`, with groups spread out.
    pub(super) fn paths(&self) -> Vec<String> {
        let code: String = squeeze(&self.code);
        let mut found = Vec::new();
        for (at, _) in code.match_indices("::") {
            let start = code[..at].rfind(|c: char| !is_word(c)).map_or(0, |i| i + 1);
            let head = &code[start..at];
            let absolute = match head {
                "crate" | "officiant" => "crate".to_owned(),
                "std" | "core" => "std".to_owned(),
                "super" => parent(&format!("crate::{}", self.module())),
                "self" => format!("crate::{}", self.module()),
                _ => continue,
            };
            if !code[..start].ends_with("::") {
                spread(&absolute, &code[at..], &mut found);
            }
        }
        found
    }
}

/// Every Rust file below a folder of the repository, by path, but for modules of tests alone.
pub(super) fn sources(folder: &str) -> Vec<Source> {
    let (mut sources, mut tests) = (Vec::new(), Vec::new());
    for path in files(folder).into_iter().filter(|path| path.ends_with(".rs")) {
        let code = code(&fs::read_to_string(top().join(&path)).expect(&path));
        let source = Source { path, code };
        tests.extend(source.test_modules());
        sources.push(source);
    }
    sources.retain(|source| !tests.contains(&source.module()));
    for source in &mut sources {
        if let Some(tests) = source.code.find("#[cfg(test)]\nmod tests") {
            source.code.truncate(tests);
        }
    }
    sources
}

/// Every file below a folder of the repository, by path, without what is built.
pub(super) fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    walk(&top().join(folder), &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        if path.is_dir() {
            if entry.file_name() != "target" {
                walk(&path, found);
            }
        } else {
            let path = path.strip_prefix(top()).expect("below the top");
            found.push(path.to_str().expect("a plain name").to_owned());
        }
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Drops white space, except where it stands between two words.
fn squeeze(code: &str) -> String {
    let mut squeezed = String::with_capacity(code.len());
    for word in code.split_whitespace() {
        if squeezed.ends_with(is_word) && word.starts_with(is_word) {
            squeezed.push(' ');
        }
        squeezed.push_str(word);
    }
    squeezed
}

fn parent(path: &str) -> String {
    path.rsplit_once("::").map_or(path, |(parent, _)| parent).to_owned()
}

/// Follows `rest`, which begins with `::`, through names and groups, and notes each whole path; returns what is left.
fn spread<'a>(path: &str, rest: &'a str, found: &mut Vec<String>) -> &'a str {
    let Some(rest) = rest.strip_prefix("::") else {
        found.push(path.to_owned());
        return rest;
    };
    if let Some(mut rest) = rest.strip_prefix('{') {
        while !rest.is_empty() && !rest.starts_with('}') {
            let before = rest;
            rest = item(path, rest, found);
            rest = &rest[rest.find([',', '}']).unwrap_or(rest.len())..];
            rest = rest.strip_prefix(',').unwrap_or(rest);
            assert_ne!(before.len(), rest.len(), "a group that cannot be read: {before}");
        }
        return rest.strip_prefix('}').unwrap_or(rest);
    }
    item(path, rest, found)
}

fn item<'a>(path: &str, rest: &'a str, found: &mut Vec<String>) -> &'a str {
    let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    match name {
        "" | "self" => spread(path, rest, found),
        "super" => spread(&parent(path), rest, found),
        _ => spread(&format!("{path}::{name}"), rest, found),
    }
}

/// Replaces comments and the contents of strings by blanks; lines stay lines.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = string(rest, code.chars().next_back()) {
            length
        } else {
            code.push(letter);
            rest = &rest[letter.len_utf8()..];
            continue;
        };
        code.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[skipped..];
    }
    code
}

/// The length of the string or letter literal that `rest` begins with, if it begins with one.
fn string(rest: &str, before: Option<char>) -> Option<usize> {
    let hashes = rest.strip_prefix('r').map(|r| r.len() - r.trim_start_matches('#').len());
    if let Some(hashes) = hashes
        && rest[1 + hashes..].starts_with('"')
        && !before.is_some_and(|c| is_word(c) && c != 'b')
    {
        let (start, end) = (hashes + 2, format!("\"{}", "#".repeat(hashes)));
        return rest[start..].find(&end).map(|at| start + at + end.len());
    }
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut letters = rest.char_indices().skip(1);
    let mut inside = 0;
    while let Some((at, letter)) = letters.next() {
        match letter {
            // 'a, a lifetime: the quote does not close after one letter.
            _ if quote == '\'' && inside == 1 && letter != '\'' => return None,
            '\\' => {
                letters.next();
                if quote == '\'' {
                    return rest[at + 2..].find('\'').map(|end| at + 2 + end + 1);
                }
            }
            _ if letter == quote => return Some(at + 1),
            _ => {}
        }
        inside += 1;
    }
    None
}

#[test]
fn paths_are_read_through_groups_and_not_in_comments_or_texts() {
    let text = r##"
        //! [`crate::no`]
        use crate::{a::{self, b}, c::*};
        use super::d::E as F; /* std::no */
        fn f<'a>(x: &'a str) -> char { let s = "crate::no \" crate::no"; r#"std::no"#; std::fs::read(x); '"' }
        #[cfg(test)]
mod tests { use std::no; }"##;
    let mut cut = code(text);
    cut.truncate(cut.find("#[cfg(test)]\nmod tests").unwrap());
    let source = Source { path: "src/x/y.rs".to_owned(), code: cut };
    let expected = ["crate::a", "crate::a::b", "crate::c", "crate::x::d::E", "std::fs::read"]
        .map(str::to_owned);
    assert_eq!(source.paths(), expected);
    assert_eq!(source.module(), "x::y");
    let code =
        "#[cfg(test)]\npub(crate) mod fixture;\n#[cfg(test)]\nmod tests { use a; }".to_owned();
    let source = Source { path: "src/x/mod.rs".to_owned(), code };
    assert_eq!(source.test_modules(), ["x::fixture"]);
}
