//! Some dozens of repositories in one ceremony.

use officiant::root::Dialect;

use super::Bench;
use super::genesis::on_tokens;
use super::left::planned;
use super::rotate::renewal;
use crate::harness::command::flat;

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];

#[test]
fn two_dozen_repositories_get_their_first_root_in_one_ceremony() {
    let names: Vec<String> = (1..=24).map(|n| format!("localhost:5000/team-{n}/app")).collect();
    let bench = Bench::new(Dialect::Notary, &names.iter().map(String::as_str).collect::<Vec<_>>());
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&on_tokens());
    let screen = bench.conduct().ok().stderr;
    // They change alike: one group, whose names that could be mistaken are said.
    for said in [
        "\n        24 repositories: localhost:5000/team-1/app, localhost:5000/team-2/app,",
        "\n        look twice: `localhost:5000/team-1/app`, `localhost:5000/team-10/app`,",
        ": 24 signatures made and verified; new keys: 3 signed, 2",
        "\n        24 roots complete, walked by every client\n",
    ] {
        assert!(screen.contains(said), "{said}\n{screen}");
    }
    let all = "2 of root-a root-b root-c, signed by root-a root-b root-c";
    for name in &names {
        assert_eq!(bench.shape(name, 1), all, "{name}");
        assert_eq!(bench.certificates(name, 1), planned(name, 3));
    }
    let verified = bench.officiant(&["verify", "media/out-1a/trust"]).ok().stdout;
    let verified = flat(&verified);
    for name in &names {
        let proved = format!("`{name}`: 1 root (made here), each signed by its own threshold");
        assert!(verified.contains(&proved), "{proved}\n{verified}");
    }
}

#[test]
fn repositories_whose_keys_get_equal_certificates_are_renewed_together() {
    let mut bench = Bench::new(Dialect::Notary, &["localhost:5000/a/app", "localhost:5000/b/web"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&on_tokens());
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&renewal(&bench));
    let screen = bench.conduct().ok().stderr;
    let screen = flat(&screen);
    for said in [
        "2 repositories: localhost:5000/a/app, localhost:5000/b/web:",
        "stays, with a new certificate for `NAME` from ",
    ] {
        assert!(screen.contains(said), "{said}\n{screen}");
    }
    assert!(!screen.contains("stands alone"), "{screen}");
}
