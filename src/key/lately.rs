//! The keys that this thread read last: those of a fleet stand in every root of it, and those of a repository in each of
//! its files, and most of the work of reading one is to see that its point lies on the curve.
//!
//! Ground floor: pure. A key that is found here is what reading its bytes anew would give.

use std::cell::RefCell;

use super::{Error, PublicKey};

#[derive(Default)]
struct Lately {
    keys: Vec<PublicKey>,
    /// Which of them is forgotten next.
    oldest: usize,
}

/// How many are kept.
const MANY: usize = 16;

thread_local! {
    static LATELY: RefCell<Lately> = RefCell::default();
}

/// The key of these bytes, as `read` reads it where it was not read lately.
pub(super) fn or_read(
    der: &[u8],
    read: impl FnOnce() -> Result<PublicKey, Error>,
) -> Result<PublicKey, Error> {
    let known =
        LATELY.try_with(|lately| lately.borrow().keys.iter().find(|key| key.der() == der).cloned());
    if let Ok(Some(key)) = known {
        return Ok(key);
    }
    let key = read()?;
    // A thread that ends keeps nothing.
    let _ = LATELY.try_with(|lately| lately.borrow_mut().keep(key.clone()));
    Ok(key)
}

impl Lately {
    fn keep(&mut self, key: PublicKey) {
        match self.keys.len() < MANY {
            true => self.keys.push(key),
            false => {
                self.keys[self.oldest] = key;
                self.oldest = (self.oldest + 1) % MANY;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_once_while_it_is_among_the_last_and_what_is_none_is_read_each_time() {
        let key = |n: u8| PublicKey::from_ed25519(&[n; 32]).unwrap();
        let (first, reads) = (key(200), std::cell::Cell::new(0));
        let read = |key: &PublicKey| {
            let again = or_read(key.der(), || {
                reads.set(reads.get() + 1);
                Ok(key.clone())
            });
            assert_eq!(again.unwrap(), *key);
            reads.get()
        };
        assert_eq!((read(&first), read(&first)), (0, 0));
        for n in 0..MANY {
            key(n as u8);
        }
        assert_eq!((read(&first), read(&first)), (1, 1));
        for _ in 0..2 {
            assert!(or_read(b"none", || Err(Error::NotSpki)).is_err());
        }
    }
}
