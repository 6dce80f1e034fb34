//! Files by path, each wherever its bytes lie.
//!
//! Ground floor: pure.

mod bytes;
mod laying;

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::ops::{Bound, Range};
use std::sync::Arc;

use crate::packed::{self, Packed};
use crate::shelf::Lost;
pub use bytes::{Bytes, Reader, Writer};
pub use laying::{Laying, Unlaid};

/// Files by path, parts joined by `/`. A clone shares what was packed.
#[derive(Clone, Default)]
pub struct Files {
    packed: View,
    /// What came after: a file, or that it is gone.
    above: BTreeMap<Arc<str>, Option<Bytes>>,
}

/// Some of the files that were packed.
#[derive(Clone, Default)]
struct View {
    all: Arc<Packed<Bytes>>,
    range: Range<usize>,
    /// How much of each path is the folder that these are below.
    strip: usize,
}

impl View {
    fn path(&self, at: usize) -> &str {
        &self.all.key(at)[self.strip..]
    }

    /// The place of the first path from `low` on of which something is not true that is true of none after it.
    fn point(&self, low: usize, is: impl Fn(&str) -> bool) -> usize {
        self.all.point(low..self.range.end, |key| is(&key[self.strip..]))
    }

    /// The place of the first path that is not before this one.
    fn first(&self, path: &str) -> usize {
        self.point(self.range.start, |other| other < path)
    }

    fn get(&self, path: &str) -> Option<&Bytes> {
        let at = self.first(path);
        (at < self.range.end && self.path(at) == path).then(|| self.all.value(at))
    }

    /// Those whose paths begin so.
    fn starting(&self, start: &str) -> Range<usize> {
        let first = self.first(start);
        first..self.point(first, |path| path.starts_with(start))
    }
}

impl Files {
    /// The file of a path.
    pub fn get(&self, path: &str) -> Option<&Bytes> {
        match self.above.get(path) {
            Some(above) => above.as_ref(),
            None => self.packed.get(path),
        }
    }

    /// The bytes of a path.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Lost> {
        self.get(path).map(Bytes::read).transpose()
    }

    /// Whether there is a file of that path.
    pub fn contains(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// Puts a file at a path; what was there is gone.
    pub fn insert(&mut self, path: impl Into<Arc<str>>, bytes: impl Into<Bytes>) {
        self.above.insert(path.into(), Some(bytes.into()));
    }

    /// Takes a file away.
    pub fn remove(&mut self, path: &str) {
        match self.packed.get(path) {
            Some(_) => drop(self.above.insert(path.into(), None)),
            None => drop(self.above.remove(path)),
        }
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The paths, in the order of their bytes.
    pub fn paths(&self) -> impl Iterator<Item = &str> + Clone {
        self.iter().map(|(path, _)| path)
    }

    /// The files, in the order of the bytes of their paths.
    pub fn iter(&self) -> Iter<'_> {
        self.range("")
    }

    /// The files whose paths begin so, by their whole paths.
    pub fn range(&self, start: &str) -> Iter<'_> {
        let from = (Bound::Included(start), Bound::Unbounded);
        // What begins so ends before the first path that follows all of it.
        let many = self.above.range::<str, _>(from).take_while(|(path, _)| path.starts_with(start));
        let above = self.above.range::<str, _>(from);
        let (view, left) = (&self.packed, many.count());
        Iter { view, packed: view.starting(start), above, left }
    }

    /// The files below a folder, whose path ends with `/`, by path inside it.
    #[must_use]
    pub fn below(&self, folder: &str) -> Self {
        let View { all, strip, .. } = &self.packed;
        let (range, strip) = (self.packed.starting(folder), strip + folder.len());
        let from = (Bound::Included(folder), Bound::Unbounded);
        let above = self.above.range::<str, _>(from);
        let above = above.take_while(|(path, _)| path.starts_with(folder));
        let above = above.map(|(path, bytes)| (path[folder.len()..].into(), bytes.clone()));
        Self { above: above.collect(), packed: View { all: Arc::clone(all), range, strip } }
    }

    /// All but the files below a folder, whose path ends with `/`.
    #[must_use]
    pub fn without(&self, folder: &str) -> Self {
        let others = self.iter().filter(|(path, _)| !path.starts_with(folder));
        others.map(|(path, bytes)| (path, bytes.clone())).collect()
    }

    /// Puts files below a folder, whose path ends with `/`.
    pub fn put_below(&mut self, folder: &str, files: &Self) {
        for (path, bytes) in files {
            self.insert(format!("{folder}{path}"), bytes.clone());
        }
    }

    /// The same files, packed: for those that are many, and stay.
    #[must_use]
    pub fn packed(&self) -> Self {
        let mut packing = Packing::default();
        self.iter().for_each(|(path, bytes)| packing.push(path, bytes.clone()));
        packing.finish()
    }

    /// All of them, in memory: for folders that are small.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn held(&self) -> Result<BTreeMap<String, Vec<u8>>, Lost> {
        self.iter().map(|(path, bytes)| Ok((path.to_owned(), bytes.read()?))).collect()
    }

    /// The first path, by its bytes, at which these and others differ, or that only one has.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn difference(&self, other: &Self) -> Result<Option<String>, Lost> {
        let mut theirs = other.iter().peekable();
        for (path, bytes) in self.iter() {
            match theirs.next_if(|(their, _)| *their <= path) {
                Some((their, same)) if their == path => {
                    if !bytes.is(same)? {
                        return Ok(Some(path.to_owned()));
                    }
                }
                Some((their, _)) => return Ok(Some(their.to_owned())),
                None => return Ok(Some(path.to_owned())),
            }
        }
        Ok(theirs.next().map(|(path, _)| path.to_owned()))
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Packs files that come in the order of their paths.
#[derive(Default)]
pub struct Packing(packed::Packing<Bytes>);

impl Packing {
    /// Adds the next file.
    pub fn push(&mut self, path: &str, bytes: Bytes) {
        self.0.push(path, bytes);
    }

    /// All of them.
    pub fn finish(self) -> Files {
        let all = self.0.finish();
        let view = View { range: 0..all.len(), all: Arc::new(all), strip: 0 };
        Files { packed: view, above: BTreeMap::new() }
    }
}

/// Files in the order of their paths.
#[derive(Clone)]
pub struct Iter<'a> {
    view: &'a View,
    packed: Range<usize>,
    above: btree_map::Range<'a, Arc<str>, Option<Bytes>>,
    /// How many of those above are left.
    left: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a Bytes);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let packed = (!self.packed.is_empty()).then(|| self.view.path(self.packed.start));
            let above = self.above.clone().next().filter(|_| self.left > 0);
            let (path, bytes) = match (packed, above) {
                (None, None) => return None,
                (Some(path), None) => return Some((path, self.step())),
                (Some(path), Some((above, _))) if *path < **above => {
                    return Some((path, self.step()));
                }
                (_, Some(above)) => above,
            };
            if packed == Some(path) {
                self.packed.start += 1;
            }
            self.above.next();
            self.left -= 1;
            if let Some(bytes) = bytes {
                return Some((path, bytes));
            }
        }
    }
}

impl<'a> Iter<'a> {
    fn step(&mut self) -> &'a Bytes {
        self.packed.start += 1;
        self.view.all.value(self.packed.start - 1)
    }
}

impl<'a> IntoIterator for &'a Files {
    type Item = (&'a str, &'a Bytes);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<P: Into<Arc<str>>, B: Into<Bytes>> FromIterator<(P, B)> for Files {
    fn from_iter<I: IntoIterator<Item = (P, B)>>(files: I) -> Self {
        let above = files.into_iter().map(|(path, bytes)| (path.into(), Some(bytes.into())));
        Self { above: above.collect(), packed: View::default() }
    }
}

impl From<BTreeMap<String, Vec<u8>>> for Files {
    fn from(files: BTreeMap<String, Vec<u8>>) -> Self {
        files.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(path, text)| (*path, text.as_bytes())).collect()
    }

    #[test]
    fn the_files_of_a_folder_are_those_below_it() {
        let all = files(&[("a", "1"), ("b-c", "2"), ("b/c", "3"), ("b/d/e", "4"), ("ba", "5")]);
        for mut all in [all.packed(), all] {
            assert_eq!(all.below("b/").paths().collect::<Vec<_>>(), ["c", "d/e"]);
            assert_eq!(all.below("b/").below("d/").read("e").unwrap(), Some(b"4".to_vec()));
            assert_eq!(all.range("b").count(), 4);
            assert!(all.below("c/").is_empty() && all.below("b/").get("").is_none());
            all.put_below("b/", &files(&[("a", "6"), ("d/e", "7")]));
            all.remove("b/c");
            all.remove("x");
            let paths = ["a", "b-c", "b/a", "b/d/e", "ba"];
            assert_eq!(all.paths().collect::<Vec<_>>(), paths);
            assert_eq!(all.below("b/").paths().collect::<Vec<_>>(), ["a", "d/e"]);
            assert_eq!(all.read("b/d/e").unwrap(), Some(b"7".to_vec()));
            assert!(!all.contains("b/c") && all.contains("ba"));
            assert_eq!(all.packed().difference(&all).unwrap(), None);
            assert_eq!(all.packed().len(), 5);
        }
    }

    #[test]
    fn packed_files_and_what_came_after_are_one_folder() {
        // Every way in which three paths can be packed, put above, or taken away again.
        let paths = ["a", "b", "c"];
        for case in 0..4_usize.pow(3) {
            let state = |at: usize| case / 4_usize.pow(at as u32) % 4;
            let packed = (0..3).filter(|at| state(*at) > 0).map(|at| (paths[at], &b"packed"[..]));
            let mut all = packed.collect::<Files>().packed();
            let mut expected = Vec::new();
            for (at, path) in paths.into_iter().enumerate() {
                match state(at) {
                    1 => expected.push((path, "packed")),
                    2 => {
                        all.insert(path, &b"above"[..]);
                        expected.push((path, "above"));
                    }
                    3 => all.remove(path),
                    _ => {}
                }
            }
            let found = all.held().unwrap();
            let expected = expected.into_iter().map(|(p, b)| (p.to_owned(), b.as_bytes().to_vec()));
            assert_eq!(found, expected.collect(), "case {case}");
        }
    }

    #[test]
    fn the_first_difference_of_two_folders_is_told() {
        let one = [("a", "1"), ("b", "2"), ("c", "3")];
        let told = |other: &[(&str, &str)]| {
            let (one, other) = (files(&one), files(other));
            let told = one.difference(&other).unwrap();
            assert_eq!(told, other.difference(&one).unwrap());
            told
        };
        assert_eq!(told(&one), None);
        assert_eq!(told(&[("a", "1"), ("b", "two"), ("c", "3")]).as_deref(), Some("b"));
        assert_eq!(told(&[("a", "1"), ("c", "3")]).as_deref(), Some("b"));
        assert_eq!(told(&[("a", "1"), ("aa", ""), ("b", "2"), ("c", "3")]).as_deref(), Some("aa"));
        assert_eq!(told(&[("a", "1"), ("b", "2"), ("c", "3"), ("d", "")]).as_deref(), Some("d"));
    }
}
