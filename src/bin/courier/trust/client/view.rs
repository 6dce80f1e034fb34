//! What a repository says, as a client verified it.
//!
//! Annex; pure.

use std::collections::BTreeMap;

use officiant::cjson::Value;
use officiant::name::Name;
use officiant::root::online::Signed;
use officiant::root::targets::{self, ListRole, Target, Targets};
use officiant::root::{Root, SignedRoot};

/// A repository: every file in it was verified from the root down.
pub(crate) struct View {
    pub(crate) gun: Name,
    pub(crate) root: SignedRoot,
    pub(crate) snapshot: Signed,
    pub(crate) timestamp: Signed,
    /// The lists, by role.
    pub(crate) lists: BTreeMap<ListRole, List>,
    /// The delegations whose list clients pass over.
    pub(crate) broken: BTreeMap<ListRole, Broken>,
}

/// A list that is served, and does not hold.
pub(crate) struct Broken {
    /// Why, in words that follow its name.
    pub(crate) why: &'static str,
    /// What it says, if it says anything; who signed it is to be seen.
    pub(crate) list: Option<List>,
}

/// A list with its signatures.
#[derive(Clone)]
pub(crate) struct List {
    pub(crate) signed: Signed,
    pub(crate) targets: Targets,
}

impl View {
    /// A repository of which nothing is published yet but its root that is to be.
    pub(crate) fn unpublished(gun: Name, root: SignedRoot) -> Self {
        let none = || Signed { value: Value::Null, signatures: Vec::new() };
        let (timestamp, snapshot) = (none(), none());
        Self { gun, root, timestamp, snapshot, lists: BTreeMap::new(), broken: BTreeMap::new() }
    }

    /// What its root says.
    pub(crate) fn root(&self) -> &Root {
        self.root.root()
    }

    /// The repository's own list.
    pub(crate) fn top(&self) -> Option<&List> {
        self.lists.get(&ListRole::top())
    }

    /// What a tag means to docker: what `targets/releases` says, else what `targets` says itself.
    ///
    /// # Errors
    /// Why `targets/releases` is not to be had: what an older list says instead is not believed.
    pub(crate) fn tag(&self, tag: &str) -> Result<Option<(ListRole, &Target)>, &'static str> {
        let releases = ListRole::releases();
        if let Some(broken) = self.broken.get(&releases) {
            return Err(broken.why);
        }
        let mut found = [releases, ListRole::top()].into_iter().filter_map(|role| {
            let target = self.lists.get(&role)?.targets.targets.get(tag)?;
            self.may_name(&role, tag).then_some((role, target))
        });
        Ok(found.next())
    }

    /// Every list that names a target, with what it says, in the order in which notary looks: the repository's own, then
    /// delegations as they are listed, each before those below it.
    pub(crate) fn named(&self, target: &str) -> Vec<(ListRole, &Target)> {
        let roles = self.roles().into_iter();
        let found = roles.filter_map(|role| {
            let found = self.lists.get(&role)?.targets.targets.get(target)?;
            self.may_name(&role, target).then_some((role, found))
        });
        found.collect()
    }

    /// The roles of all lists, in that order.
    pub(crate) fn roles(&self) -> Vec<ListRole> {
        let mut roles = Vec::new();
        let mut next = vec![ListRole::top()];
        while let Some(role) = next.pop() {
            if let Some(list) = self.lists.get(&role) {
                let below = list.targets.delegations.iter().rev();
                next.extend(below.map(|delegation| delegation.role.clone()));
                roles.push(role);
            }
        }
        roles
    }

    /// Whether every delegation on the way to `role` allows it to name this target.
    pub(crate) fn may_name(&self, role: &ListRole, target: &str) -> bool {
        targets::may_name(role, target, |role| Some(&self.lists.get(role)?.targets))
    }
}
