//! Very many values by text, in order: each costs its text, its value, and four bytes more.
//!
//! Ground floor: pure.

use std::ops::Range;

/// Values by text. What is packed does not change.
#[derive(Clone, Debug)]
pub struct Packed<T> {
    text: String,
    /// Where the key of each ends.
    ends: Vec<u32>,
    values: Vec<T>,
}

impl<T> Default for Packed<T> {
    fn default() -> Self {
        Self { text: String::new(), ends: Vec::new(), values: Vec::new() }
    }
}

impl<T> Packed<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The key at a place.
    pub fn key(&self, at: usize) -> &str {
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.text[begin..self.ends[at] as usize]
    }

    /// The value at a place.
    pub fn value(&self, at: usize) -> &T {
        &self.values[at]
    }

    /// The first of these places whose key is not what is true of all before it and of none after.
    pub fn point(&self, mut places: Range<usize>, is: impl Fn(&str) -> bool) -> usize {
        while !places.is_empty() {
            let middle = places.start + places.len() / 2;
            match is(self.key(middle)) {
                true => places.start = middle + 1,
                false => places.end = middle,
            }
        }
        places.start
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&T> {
        let at = self.point(0..self.len(), |other| other < key);
        (at < self.len() && self.key(at) == key).then(|| self.value(at))
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.key(at))
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.values.iter()
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.keys().zip(self.values())
    }
}

/// Packs what comes in the order of its keys, or is put into it at the end.
#[derive(Clone, Debug)]
pub struct Packing<T>(Packed<T>);

impl<T> Default for Packing<T> {
    fn default() -> Self {
        Self(Packed::default())
    }
}

impl<T> Packing<T> {
    /// Adds the next one.
    pub fn push(&mut self, key: &str, value: T) {
        self.0.text.push_str(key);
        self.0.ends.push(u32::try_from(self.0.text.len()).unwrap_or(u32::MAX));
        self.0.values.push(value);
    }

    /// All of them, which came in order.
    pub fn finish(self) -> Packed<T> {
        let Packed { mut text, mut ends, mut values } = self.0;
        text.shrink_to_fit();
        ends.shrink_to_fit();
        values.shrink_to_fit();
        Packed { text, ends, values }
    }

    /// All of them, put into order; each has a key of its own.
    pub fn in_order(self) -> Packed<T> {
        let Packed { text, ends, values } = self.0;
        let keys = Packed { text, ends, values: vec![(); values.len()] };
        let mut all: Vec<(u32, T)> = (0..).zip(values).collect();
        all.sort_unstable_by(|(a, _), (b, _)| keys.key(*a as usize).cmp(keys.key(*b as usize)));
        let mut ordered = Self::default();
        all.into_iter().for_each(|(at, value)| ordered.push(keys.key(at as usize), value));
        ordered.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_in_any_order_is_found_by_its_key() {
        for count in (0..7_u32).chain([8, 9]) {
            let mut packing = Packing::default();
            // 7 has no divisor in common with these counts, so each key comes once.
            let all: Vec<u32> = (0..count).map(|n| n * 7 % count.max(1)).collect();
            all.iter().for_each(|n| packing.push(&format!("key {n}"), *n + 100));
            let packed = packing.in_order();
            let mut expected: Vec<u32> = all.clone();
            expected.sort_unstable();
            let names: Vec<String> = expected.iter().map(|n| format!("key {n}")).collect();
            assert!(packed.keys().eq(names.iter().map(String::as_str)), "{count}");
            for (name, n) in names.iter().zip(&expected) {
                assert_eq!(packed.get(name), Some(&(n + 100)));
            }
            assert_eq!(packed.get("key"), None);
            assert_eq!(packed.get("key 99"), None);
            assert_eq!(packed.iter().count(), packed.len());
            assert_eq!(packed.is_empty(), count == 0);
        }
    }
}
