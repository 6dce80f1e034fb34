//! The keys that this thread read last: those of a fleet stand in every root of it, and those of a repository in each of
//! its files, and most of the work of reading one is to see that its point lies on the curve.
//!
//! Ground floor: pure. A key that is found here is what reading its bytes anew would give.

use std::cell::RefCell;

use super::{Error, PublicKey};

/// How many are kept.
const MANY: usize = 16;

thread_local! {
    /// The one that was asked for last stands last.
    static LATELY: RefCell<Vec<PublicKey>> = const { RefCell::new(Vec::new()) };
}

/// The key of these bytes, as `read` reads it where it was not read lately.
pub(super) fn or_read(
    der: &[u8],
    read: impl FnOnce() -> Result<PublicKey, Error>,
) -> Result<PublicKey, Error> {
    // A thread that ends keeps nothing.
    let known = LATELY.try_with(|lately| {
        let mut lately = lately.borrow_mut();
        let at = lately.iter().rposition(|key| key.der() == der)?;
        lately[at..].rotate_left(1);
        lately.last().cloned()
    });
    if let Ok(Some(key)) = known {
        return Ok(key);
    }
    let key = read()?;
    let _ = LATELY.try_with(|lately| {
        let mut lately = lately.borrow_mut();
        if lately.len() == MANY {
            lately.remove(0);
        }
        lately.push(key.clone());
    });
    Ok(key)
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
