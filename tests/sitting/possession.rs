//! Who proves to hold an offered key, and what else lies beside the proofs.

use std::{collections::BTreeMap, fs};

use officiant::{
    digest::Digest,
    root::{Dialect, Role, SignedRoot},
};

use super::Publisher;
use super::bad_request::ready;
use super::genesis::on_tokens;

const NAME: &str = "localhost:5000/one";
const PROVE: &str = "its owner runs `courier prove` with this plan";

#[test]
fn possession_must_be_proven_for_this_plan_by_this_key() {
    let bench = ready(Dialect::Notary, &[NAME]);
    let plan = fs::read_to_string(bench.path("plan-1.toml")).unwrap();
    let owner = &bench.online[&Role::Targets];
    let told = format!(
        "`{NAME}`: nobody proved to hold key {} of `targets` for this plan [REQUEST-KEY-POP]",
        owner.public().id()
    );
    fs::remove_dir_all(bench.path("media/in-1/proofs")).unwrap();
    bench.refuses(1, &told, PROVE);
    bench.lay_proof(NAME, Role::Targets, owner, b"another plan");
    bench.refuses(1, &told, PROVE);
    bench.lay_proof(NAME, Role::Targets, &Publisher::new(), plan.as_bytes());
    bench.refuses(1, &told, PROVE);
}

#[test]
fn anything_but_proofs_of_this_plan_beside_the_request_is_refused() {
    let bench = ready(Dialect::Notary, &[NAME]);
    let hint = "take it off the media, and find out who put it there";
    let owner = &bench.online[&Role::Targets];
    let folder = "localhost%3a5000%2fone";
    let key = owner.public().id();
    let good = bench.path(&format!("media/in-1/proofs/{folder}/targets-{key}.json"));
    let good = fs::read_to_string(good).unwrap();
    for (path, text) in [
        ("letter.txt".to_owned(), "hello"),
        (format!("{folder}/targets.json"), &good),
        (format!("{folder}/snapshot-{key}.json"), &good),
        (format!("localhost%3a5000%2ftwo/targets-{key}.json"), &good),
        (
            format!("localhost%3a5000%2ftwo/targets-{key}.json"),
            &good.replace("localhost:5000/one", "localhost:5000/two"),
        ),
        (format!("{folder}/targets-{}.json", Digest::of(b"")), "{}"),
    ] {
        let file = bench.scratch.file(&format!("media/in-1/proofs/{path}"), text);
        let told = format!(
            "`proofs/{path}` is no proof for a repository and role of the plan [REQUEST-KEY-POP]"
        );
        bench.refuses(1, &told, hint);
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn two_owners_of_one_role_prove_on_two_media() {
    let bench = ready(Dialect::Notary, &[NAME]);
    let (one, two) = (&bench.online[&Role::Targets], Publisher::new());
    let mut request = bench.request(&BTreeMap::new());
    let repository = request.repositories.values_mut().next().unwrap();
    repository.keys.insert(Role::Targets, vec![one.public(), two.public()]);
    let plan = bench.plan_toml(&on_tokens(), bench.lay_request(&request));
    let pin = format!("\"{}\"", one.public().id());
    let plan = plan.replace(&pin, &format!("{pin}, \"{}\"", two.public().id()));
    bench.lay_plan(&plan, &[Role::Targets]);
    let told = format!(
        "`{NAME}`: nobody proved to hold key {} of `targets` for this plan [REQUEST-KEY-POP]",
        two.public().id()
    );
    bench.refuses(1, &told, PROVE);

    bench.lay_proof(NAME, Role::Targets, &two, plan.as_bytes());
    let file = format!("proofs/localhost%3a5000%2fone/targets-{}.json", two.public().id());
    bench.scratch.file("media/in-1b/officiant-media", "in\n");
    bench.scratch.folder("media/in-1b/proofs/localhost%3a5000%2fone");
    let (here, there) =
        (bench.path(&format!("media/in-1/{file}")), bench.path(&format!("media/in-1b/{file}")));
    fs::copy(&here, &there).unwrap();
    let room = bench.path("room-1.toml");
    let text = fs::read_to_string(&room).unwrap();
    fs::write(&room, text.replace("\"media/in-1\"", "\"media/in-1\", \"media/in-1b\"")).unwrap();
    // Another one by the same key: which of them counted would be by chance.
    bench.lay_proof(NAME, Role::Targets, &two, plan.as_bytes());
    let told = format!("`{file}` is another one on each `in` media [REQUEST-KEY-POP]");
    bench.refuses(1, &told, "one is enough: take it off one of the media");

    fs::remove_file(here).unwrap();
    bench.conduct().ok();
    let root = bench.trust(1).join("metadata/localhost%3a5000%2fone/1.root.json");
    let root = SignedRoot::parse(Dialect::Notary, &fs::read(root).unwrap()).unwrap();
    assert_eq!(root.root().role_keys(Role::Targets).count(), 2);
}
