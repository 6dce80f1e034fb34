//! Plans that begin with another root or another key than the server has: refused before anybody is asked anything.

use officiant::{digest::Digest, root::Dialect};

use super::Bench;
use super::bad_request::rotation;
use super::genesis::on_tokens;
use super::rotate::after_genesis;

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const NAME: &str = "repo.test";
const OWNER: &str = "ask the repository's owner for version and digest of its root, not the courier, and name them in the plan";

/// A bench before its second ceremony, the plan of a rotation that changes nothing but the expiry, and the digest of the
/// one root that there is.
fn rotating() -> (Bench, String, Digest) {
    let bench = after_genesis(Dialect::Tuf);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let plan = std::fs::read_to_string(bench.write_plan(&rotation(&bench))).unwrap();
    let root = Digest::of(&bench.published()[NAME][0]);
    (bench, plan, root)
}

/// Lays the plan with a list of these lines in the place of its repositories.
fn lay_list(bench: &Bench, plan: &str, list: &str) {
    let at = plan.find("[[repository]]").unwrap();
    let end = plan.find("[[token]]").or_else(|| plan.find("[root]")).unwrap();
    let digest = Digest::of(list.as_bytes());
    let named = format!("[repositories]\nlist = \"repositories.txt\"\nsha256 = \"{digest}\"\n");
    bench.scratch.file("repositories.txt", list);
    bench.lay_plan(&format!("{}{named}{}", &plan[..at], &plan[end..]), &[]);
}

#[test]
fn a_root_that_the_plan_names_is_compared_for_a_known_repository_too() {
    let (bench, plan, root) = rotating();
    let other = Digest::of(b"another root");
    let at = format!("`{NAME}`: the server is at root 1, {root}; the plan names");
    let with = |version: u64, digest: Digest| {
        let current = format!("current = {{ version = {version}, sha256 = \"{digest}\" }}\n");
        plan.replace("[repository.pins]\n", &current)
    };
    for (version, digest) in [(1, other), (2, root)] {
        bench.lay_plan(&with(version, digest), &[]);
        bench.refuses(1, &format!("{at} another [REQUEST-FIRST-MET]"), OWNER);
        lay_list(&bench, &plan, &format!("{NAME} {version} {digest}\n"));
        bench.refuses(1, &format!("{at} another [REQUEST-FIRST-MET]"), OWNER);
    }
    lay_list(&bench, &plan, &format!("{NAME} 0 -\n"));
    bench.refuses(1, &format!("{at} none [REQUEST-FIRST-MET]"), OWNER);
    let check = ["check", "plan-2.toml", "--room", "room-2.toml"];
    for list in [format!("{NAME} - -\n"), format!("{NAME} 1 {root}\n")] {
        lay_list(&bench, &plan, &list);
        bench.officiant(&check).ok();
    }
    bench.lay_plan(&with(1, root), &[]);
    bench.officiant(&check).ok();
}

#[test]
fn a_root_that_is_left_to_a_trust_folder_without_one_is_refused() {
    let (mut bench, _, _) = rotating();
    let chain = bench.published().remove(NAME).unwrap();
    bench.repositories = vec!["other.test".to_owned()];
    let request = bench.write_request(&[("other.test".to_owned(), chain)].into());
    let plan = bench.plan_toml(&rotation(&bench), request);
    lay_list(&bench, &plan, "other.test - -\n");
    let told = "`other.test`: the plan leaves its root to the trust folder, which has none [REQUEST-FIRST-MET]";
    bench.refuses(1, told, OWNER);
}

#[test]
fn a_root_of_a_repository_that_the_server_does_not_know_is_refused() {
    let bench = Bench::new(Dialect::Tuf, &[NAME]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let plan = std::fs::read_to_string(bench.write_plan(&on_tokens())).unwrap();
    lay_list(&bench, &plan, &format!("{NAME} 1 {}\n", Digest::of(b"a root")));
    let told =
        format!("`{NAME}`: the plan names a root, and the server has none [REQUEST-FIRST-MET]");
    bench.refuses(1, &told, OWNER);
}
