//! Whose the snapshot key is: roots go up by themselves only when the server has it.

use std::collections::BTreeMap;

use officiant::request::Role;
use officiant::root::Dialect;

use super::genesis::{GUN, Genesis};
use super::made::{Soft, Wish, sign};
use super::{said, text};
use crate::harness::notary::NotaryServer;
use crate::harness::scratch::Scratch;

const BOTH: [fn(&Scratch) -> NotaryServer; 2] = [NotaryServer::memory, NotaryServer::with_signer];

#[test]
fn a_genesis_and_a_rotation_go_up_from_one_folder() {
    for server in BOTH {
        let it = Genesis::new(server);
        let second = it.next(&it.first, &it.all(), &it.all(), BTreeMap::new());
        let third = it.next(&second, &it.all(), &it.all(), BTreeMap::new());
        let key = it.key_file();
        let roots = [&it.first, &second, &third];
        let ran = it.publish(&roots, &["--targets-key", text(&key)]).ok();
        assert!(said(&ran).starts_with(&format!("{GUN}: version 0 → 3")), "{ran:?}");
        it.list("new").ok();
    }
}

/// A first root whose `role` has a key that the server never made.
fn foreign(it: &Genesis, role: Role) -> officiant::root::SignedRoot {
    let all = it.all();
    let own = |role| (role, it.first.root().role_keys(role).next().unwrap().1.public().unwrap());
    let roles = Role::ONLINE.map(own).map(|(role, key)| (role, key.clone()));
    let mut roles = BTreeMap::from(roles);
    roles.insert(role, Soft::new().public);
    let wish = Wish { gun: GUN, keys: &all, threshold: 2, roles, days: 3000 };
    sign(&wish.root(Dialect::Notary, None), &all, None)
}

#[test]
fn a_key_that_the_server_does_not_have_is_told_in_our_words() {
    for server in BOTH {
        let it = Genesis::new(server);
        let key = it.key_file();
        for (role, told) in [
            (
                Role::Snapshot,
                "leaves the snapshot key with a client [SNAPSHOT-CLIENT]\n\
                 hint: plan a root whose snapshot key is the one that `courier fetch` brought from the server",
            ),
            (
                Role::Timestamp,
                "names a timestamp key that the server does not have\n\
                 hint: plan a root whose timestamp key is the one that `courier fetch` brought from this server",
            ),
        ] {
            let root = foreign(&it, role);
            let refused = it.publish(&[&root], &["--targets-key", text(&key)]);
            assert_eq!(
                refused.stderr,
                format!(
                    "error: repository `{GUN}`: version 1 {told}\n\
                     no repository was published whole; publish again to see and finish\n"
                )
            );
            assert_eq!(refused.code(), 1);
        }
    }
}
