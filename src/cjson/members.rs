//! The members of an object: sorted by key, each key once, shared by all clones.
//!
//! Ground floor: pure, touches nothing.

use std::collections::BTreeSet;
use std::ops::Index;
use std::sync::Arc;

use smol_str::SmolStr;

use super::Value;

/// The members of an object in the byte order of their keys. Metadata is read much and changed little: a clone costs a
/// count, and a change copies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members(Arc<[Member]>);

type Member = (SmolStr, Value);

impl Members {
    /// The value of a member.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.place(key).ok().and_then(|at| self.0.get(at)).map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let at = self.place(key).ok()?;
        Arc::make_mut(&mut self.0).get_mut(at).map(|(_, value)| value)
    }

    /// Whether there is such a member.
    pub fn contains_key(&self, key: &str) -> bool {
        self.place(key).is_ok()
    }

    /// Adds a member, or gives it another value, and says what it had.
    pub fn insert(&mut self, key: impl Into<SmolStr>, value: Value) -> Option<Value> {
        let key = key.into();
        match self.place(&key) {
            Ok(at) => {
                let member = Arc::make_mut(&mut self.0).get_mut(at);
                member.map(|(_, old)| std::mem::replace(old, value))
            }
            Err(at) => {
                let mut all = self.0.to_vec();
                all.insert(at, (key, value));
                self.0 = all.into();
                None
            }
        }
    }

    /// Takes a member out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.place(key).ok()?;
        let mut all = self.0.to_vec();
        let (_, value) = all.remove(at);
        self.0 = all.into();
        Some(value)
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (SmolStr, Value)> {
        self.0.iter()
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key.as_str())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(key))
    }
}

impl Index<&str> for Members {
    type Output = Value;

    /// The value of a member, which is there.
    fn index(&self, key: &str) -> &Value {
        &self.0[self.place(key).unwrap_or(usize::MAX)].1
    }
}

/// Of two values of one key the later stays.
impl<K: Into<SmolStr>> FromIterator<(K, Value)> for Members {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(members: I) -> Self {
        let mut all: Vec<Member> = members.into_iter().map(|(k, v)| (k.into(), v)).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        Self(all.into())
    }
}

impl<'a> IntoIterator for &'a Members {
    type Item = &'a (SmolStr, Value);
    type IntoIter = std::slice::Iter<'a, (SmolStr, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The members of an object that is being read: nearly every file has them in order already.
#[derive(Default)]
pub(super) struct Reading {
    all: Vec<Member>,
    /// Every key so far, once one came out of order.
    seen: Option<BTreeSet<SmolStr>>,
}

impl Reading {
    /// Says whether a key came before.
    pub(super) fn has(&mut self, key: &SmolStr) -> bool {
        let last = self.all.last().map(|(last, _)| last);
        if self.seen.is_none() && last.is_none_or(|last| last < key) {
            return false;
        }
        let all = &self.all;
        let seen =
            self.seen.get_or_insert_with(|| all.iter().map(|(key, _)| key.clone()).collect());
        !seen.insert(key.clone())
    }

    /// Adds one that did not come before.
    pub(super) fn add(&mut self, key: SmolStr, value: Value) {
        self.all.push((key, value));
    }

    pub(super) fn finish(mut self) -> Members {
        if self.seen.is_some() {
            self.all.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        Members(self.all.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(members: &Members) -> Vec<&str> {
        members.keys().collect()
    }

    #[test]
    fn members_stand_in_order_whatever_the_order_in_which_they_came() {
        let mut members = Members::default();
        for (at, key) in ["b", "", "ab", "c", "a"].into_iter().enumerate() {
            assert_eq!(members.insert(key, Value::Integer(at as i64)), None);
        }
        assert_eq!(keys(&members), ["", "a", "ab", "b", "c"]);
        assert_eq!(members.insert("b", Value::Null), Some(Value::Integer(0)));
        assert_eq!(members["b"], Value::Null);
        assert_eq!(members.remove("ab"), Some(Value::Integer(2)));
        assert_eq!((members.remove("ab"), members.get("ab"), members.len()), (None, None, 4));
        let again: Members = [("c", 3), ("a", 1), ("c", 4)]
            .into_iter()
            .map(|(key, number)| (key, Value::Integer(number)))
            .collect();
        assert_eq!((keys(&again), &again["c"]), (vec!["a", "c"], &Value::Integer(4)));
    }

    #[test]
    fn a_change_of_a_clone_is_its_own() {
        let first: Members = [("a", Value::Null)].into_iter().collect();
        let mut second = first.clone();
        *second.get_mut("a").unwrap() = Value::Bool(true);
        second.insert("b", Value::Null);
        assert_eq!((&first["a"], first.contains_key("b")), (&Value::Null, false));
        assert!(second.contains_key("b") && !second.is_empty());
    }
}
