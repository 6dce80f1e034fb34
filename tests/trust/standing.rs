//! What is said when nothing is changed, when only some is, and when nobody knows.

use super::proxy::{Proxy, State};
use super::{GUN, Team, digest_of};
use crate::courier::fake::reply;
use crate::harness::command::run;

const OTHER: &str = "localhost:5000/admin/other";

#[test]
fn what_is_so_already_is_not_published_again() {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    team.key("bob");
    let add = format!("signer add bob {GUN} --key ../bob/bob.pub");
    team.courier("ada", &add).ok();
    let layout = team.layout("bob", "1");
    let sign = format!("sign {GUN}:1 --layout {layout} --trust-on-first-use");
    team.courier("bob", &sign).ok();
    let before = State::recorded(&team.server, &team.home("guest"), GUN);
    let said = |told: &str| format!("{GUN}\n  {told}\n  nothing was changed: it is so already\n");
    let manifest = team.manifest(&layout);
    let told = format!("`1` is sha256:{manifest} in `targets/bob` and `targets/releases`");
    assert_eq!(team.courier("bob", &sign).ok().stdout, said(&told));
    assert_eq!(team.courier("ada", &add).ok().stdout, said("`bob` signs with 1 key"));
    let digest = digest_of("0.1");
    let line = format!("add {GUN} 0.1 --sha256 {digest} --length 528");
    let told = format!("`0.1` is sha256:{digest} in `targets`");
    assert_eq!(team.courier("ada", &line).ok().stdout, said(&told));
    let ran = team.courier("bob", &format!("{sign} --apart ../change --json")).ok().stdout;
    let json: serde_json::Value = serde_json::from_str(&ran).unwrap();
    assert_eq!(
        (&json[0]["lists"], &json[0]["apart"]),
        (&serde_json::json!([]), &serde_json::Value::Null)
    );
    let line = format!("delegation add {GUN} targets/bob ../bob/bob.pub --all-paths");
    assert_eq!(team.courier("ada", &line).ok().stdout, said("`targets/bob` is delegated to"));
    let after = State::recorded(&team.server, &team.home("guest"), GUN);
    assert_eq!(before.0, after.0);
}

#[test]
fn what_was_done_before_a_repository_is_refused_is_shown_and_said() {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    team.key("bob");
    let line = format!("signer add bob {GUN} {OTHER} --key ../bob/bob.pub");
    let ran = team.courier("ada", &format!("{line} --trust-on-first-use"));
    assert_eq!(ran.code(), 1);
    assert!(
        ran.stdout.starts_with(&format!("{GUN}\n  `bob` signs with 1 key\n")),
        "{}",
        ran.stdout
    );
    assert_eq!(
        ran.stderr,
        format!(
            "error: the server has no trust data for `{OTHER}`\n\
             hint: see that it is named rightly, and that this is its server\n\
             done before: `{GUN}`; here nothing was trusted and nothing was changed\n"
        )
    );
    // What is typed wrong is found before anything is done.
    let ran = team.courier("ada", &format!("revoke {GUN}:0.1 {OTHER}"));
    assert_eq!((ran.code(), ran.stdout.as_str()), (2, ""));
    let ran = team.courier("ada", &format!("revoke {GUN} {GUN}:0.1 --all-tags"));
    assert_eq!((ran.code(), ran.stdout.as_str()), (2, ""));
    team.courier("guest", &format!("verify {GUN}:0.1 --trust-on-first-use")).ok();
}

/// A publisher before a server that answers an upload by `status`, and goes on showing what it had.
fn before_a_server_that_answers(status: &'static str, body: &'static str) -> String {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    let state = State::recorded(&team.server, &team.home("ada"), GUN);
    let proxy = Proxy::disturbing(&state, move |file, _, stream| {
        if file.is_empty() {
            reply(stream, status, "", body);
        }
        file.is_empty()
    });
    let mut courier = team.server.courier(&team.home("ada"));
    courier.args(["add", GUN, "2", "--server", &proxy.fake.url, "--length", "528", "--sha256"]);
    let ran = run(courier.arg(digest_of("2").to_string()));
    assert_eq!((ran.code() != 0, ran.stdout.as_str()), (true, ""));
    ran.stderr
}

#[test]
fn a_change_that_was_sent_is_not_said_to_be_nothing() {
    let sent = "the change was sent: `courier inspect` shows whether the server has it\n";
    assert_eq!(
        before_a_server_that_answers("200 OK", ""),
        format!(
            "error: repository `{GUN}`: what is served for `targets` is not what was uploaded [PUBLISH-COMPARED]\n\
             hint: fetch again to see; call who runs the server\n{sent}"
        )
    );
    let lost = before_a_server_that_answers("502 Bad Gateway", "");
    assert!(
        lost.starts_with(&format!(
            "error: repository `{GUN}`: the server does not take the change\n"
        )),
        "{lost}"
    );
    assert!(lost.ends_with(sent), "{lost}");
    let no = before_a_server_that_answers("400 Bad Request", "{}");
    assert!(no.ends_with("nothing was trusted and nothing was changed\n"), "{no}");
}
