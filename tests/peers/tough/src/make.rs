//! Makes a chain of roots with tough, as its users publish it.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use tough::editor::signed::SignedRole;
use tough::key_source::{KeySource, LocalKeySource};
use tough::schema::{KeyHolder, RoleKeys, RoleType, Root, Signed};

/// Writes `N.root.json` for each of `sets`, root keys between commas that all must sign; `online` are the keys of
/// targets, snapshot and timestamp. Keys are files of private keys: PKCS#8, in DER, or in PEM for RSA.
pub async fn make(folder: &Path, online: &[String], sets: &[String]) {
    // In whole seconds, as TUF has it.
    let expires = jiff::Timestamp::now().as_second() + 20 * 86_400;
    let mut previous: Option<(Root, Vec<&str>)> = None;
    for (version, set) in (1..).zip(sets) {
        let keys: Vec<&str> = set.split(',').collect();
        let mut root = Root {
            spec_version: "1.0.31".to_owned(),
            consistent_snapshot: true,
            version: NonZeroU64::new(version).unwrap(),
            expires: jiff::Timestamp::from_second(expires).unwrap(),
            keys: HashMap::new(),
            roles: HashMap::new(),
            _extra: HashMap::new(),
        };
        add(&mut root, RoleType::Root, &keys).await;
        for (role, key) in
            [RoleType::Targets, RoleType::Snapshot, RoleType::Timestamp].into_iter().zip(online)
        {
            add(&mut root, role, &[key]).await;
        }
        let mut file = sign(&root, root.clone(), &keys).await;
        if let Some((holder, old)) = previous.take() {
            // Keys that stay sign once.
            let kept: Vec<_> = file.signatures.iter().map(|s| s.keyid.clone()).collect();
            let more = sign(&root, holder, &old).await.signatures;
            file.signatures.extend(more.into_iter().filter(|s| !kept.contains(&s.keyid)));
        }
        let mut text = serde_json::to_vec_pretty(&file).unwrap();
        text.push(b'\n');
        std::fs::write(folder.join(format!("{version}.root.json")), text).unwrap();
        previous = Some((root, keys));
    }
}

fn source(key: &str) -> Box<dyn KeySource> {
    Box::new(LocalKeySource { path: key.into() })
}

async fn add(root: &mut Root, role: RoleType, keys: &[&str]) {
    let mut ids = Vec::new();
    for key in keys {
        let key = source(key).as_sign().await.unwrap().tuf_key();
        ids.push(key.key_id().unwrap());
        root.keys.insert(key.key_id().unwrap(), key);
    }
    let threshold = NonZeroU64::new(keys.len() as u64).unwrap();
    root.roles.insert(role, RoleKeys { keyids: ids, threshold, _extra: HashMap::new() });
}

/// Signs by those keys that `holder` lists for the root role.
async fn sign(root: &Root, holder: Root, keys: &[&str]) -> Signed<Root> {
    let keys: Vec<_> = keys.iter().map(|key| source(key)).collect();
    let (holder, random) = (KeyHolder::Root(holder), SystemRandom::new());
    let signed = SignedRole::new(root.clone(), &holder, &keys, &random).await.unwrap();
    signed.signed().clone()
}
