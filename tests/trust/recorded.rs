//! Replays of what a real server once served: older, expired, mixed, cut short, of somebody else.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use super::proxy::{Proxy, State, cache, refused};
use super::{GUN, Team, cached, digest_of};
use crate::courier::made::{Soft, pem};
use crate::harness::command::{LIMIT, faketime, run, run_with};

/// Three moments of one repository on a real server, the tag `1.0` meaning another digest in each, in
/// `targets/releases`.
pub(super) struct Moments {
    pub(super) team: Team,
    pub(super) states: [State; 3],
}

impl Moments {
    pub(super) fn new() -> Self {
        let team = Team::new();
        team.made_by_notary("ada", GUN, "old");
        let ada = team.home("ada");
        let notary = |line: &str| team.notary("ada", line).ok();
        let signer = Soft::new();
        fs::write(ada.join("user.pem"), pem("PUBLIC KEY", signer.public.der())).unwrap();
        fs::write(ada.join("user-key.pem"), signer.pkcs8()).unwrap();
        notary("key import user-key.pem --role user");
        notary(&format!("delegation add -p {GUN} targets/releases user.pem --all-paths"));
        let states = ["one", "two", "three"].map(|content| {
            let digest = digest_of(content);
            notary(&format!("addhash -p {GUN} 1.0 528 --sha256 {digest} -r targets/releases"));
            State::recorded(&team.server, &ada, GUN)
        });
        Self { team, states }
    }

    /// A person who saw one of the moments.
    fn who_saw(&self, proxy: &Proxy, who: &str, moment: usize) -> PathBuf {
        let home = self.team.home(who);
        proxy.show(&self.states[moment]);
        let content = ["one", "two", "three"][moment];
        proxy.gives(&home, &format!("--trust-on-first-use {GUN}:1.0"), &right(content));
        home
    }
}

/// What is printed of the tag when it means this content.
pub(super) fn right(content: &str) -> String {
    format!("{GUN}@sha256:{}\n", digest_of(content))
}

#[test]
fn what_was_served_before_is_refused_to_whoever_saw_more() {
    let moments = Moments::new();
    let [one, two, three] = &moments.states;
    let proxy = Proxy::showing(one);
    // Undisturbed, each moment is what it is, one after the other.
    let home = moments.who_saw(&proxy, "eve", 0);
    for (state, content) in [(two, "two"), (three, "three")] {
        proxy.show(state);
        proxy.gives(&home, &format!("{GUN}:1.0"), &right(content));
    }
    for older in [one, two] {
        proxy.show(older);
        let (found, had) = (older.version("timestamp"), three.version("timestamp"));
        proxy.is_refused(
            &home,
            &format!("{GUN}:1.0"),
            1,
            &format!(
                "error: repository `{GUN}`: the server has `timestamp` version {found}, version {had} was seen before [TRUST-ROLLBACK]"
            ),
        );
    }
}

#[test]
fn what_was_served_weeks_ago_is_refused_to_whoever_never_saw_more() {
    let moments = Moments::new();
    let proxy = Proxy::showing(&moments.states[0]);
    let home = moments.who_saw(&proxy, "eve", 0);
    let library = faketime();
    let before = cache(&home);
    // The server signs a timestamp for two weeks.
    for (days, frozen) in [(13, false), (15, true)] {
        let mut courier = proxy.verifying(&home, &format!("{GUN}:1.0"));
        courier.env("LD_PRELOAD", &library).env("FAKETIME", format!("+{days}d"));
        let ran = run(courier.env("DONT_FAKE_MONOTONIC", "1"));
        match frozen {
            false => assert_eq!(ran.ok().stdout, right("one")),
            true => refused(
                &ran,
                1,
                &format!(
                    "error: repository `{GUN}`: what the server has for `timestamp` has expired [TRUST-SERVED]"
                ),
            ),
        }
    }
    assert!(cache(&home) == before);
}

#[test]
fn files_of_several_moments_are_not_mixed() {
    let moments = Moments::new();
    let [one, two, three] = &moments.states;
    let proxy = Proxy::showing(one);
    let (warm, cold) = (moments.who_saw(&proxy, "warm", 1), moments.team.home("cold"));
    for (role, older) in
        [("snapshot", one), ("snapshot", two), ("targets/releases", one), ("targets/releases", two)]
    {
        proxy.show(&three.with(role, older.file(role)));
        let first = format!(
            "error: repository `{GUN}`: what the server has for `{role}` is not the one that is named by what was signed over it [TRUST-SERVED]"
        );
        proxy.is_refused(&warm, &format!("{GUN}:1.0"), 1, &first);
        proxy.is_refused(&cold, &format!("--trust-on-first-use {GUN}:1.0"), 1, &first);
    }
    // One role's file in the place of another's.
    for (role, other) in
        [("timestamp", "snapshot"), ("timestamp", "targets"), ("timestamp", "targets/releases")]
    {
        proxy.show(&three.with(role, three.file(other)));
        let first = format!(
            "error: repository `{GUN}`: what the server has for `{role}` is of another role [TRUST-SERVED]"
        );
        proxy.is_refused(&warm, &format!("{GUN}:1.0"), 1, &first);
    }
    proxy.show(three);
    proxy.gives(&warm, &format!("{GUN}:1.0"), &right("three"));
    proxy.gives(&cold, &format!("--trust-on-first-use {GUN}:1.0"), &right("three"));
}

#[test]
fn files_that_are_cut_short_are_refused() {
    let moments = Moments::new();
    let last = &moments.states[2];
    for role in ["timestamp", "snapshot", "targets", "targets/releases"] {
        let home = moments.team.home(&format!("cut-{}", role.replace('/', "-")));
        let whole = last.file(role);
        let proxy = Proxy::showing(&last.with(role, &whole[..whole.len() / 2]));
        let why = match role {
            "timestamp" => "is no metadata",
            _ => "is not the one that is named by what was signed over it",
        };
        let line = format!("--trust-on-first-use {GUN}:1.0");
        let first = format!(
            "error: repository `{GUN}`: what the server has for `{role}` {why} [TRUST-SERVED]"
        );
        proxy.is_refused(&home, &line, 1, &first);

        // The connection ends before the answer does.
        let name = last.name(role);
        let asked = name.clone();
        let proxy = Proxy::disturbing(last, move |file, right, stream| {
            if file == name {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", right.len());
                let _ = stream.write_all(&[head.as_bytes(), &right.as_bytes()[..20]].concat());
            }
            file == name
        });
        let first = format!("error: {}/v2/{GUN}/_trust/tuf/{asked}: no answer", proxy.fake.url);
        proxy.is_refused(&home, &line, 3, &first);
        assert_eq!(cache(&home).len(), 0);
    }
}

#[test]
fn the_whole_of_another_repository_is_refused_to_whoever_saw_this_one() {
    let moments = Moments::new();
    let other = "localhost:5000/other/demo";
    moments.team.made_by_notary("eve", other, "1.0");
    let others = State::recorded(&moments.team.server, &moments.team.home("eve"), other);
    let proxy = Proxy::showing(&others);
    let home = moments.who_saw(&proxy, "warm", 0);
    proxy.show(&others);
    proxy.is_refused(
        &home,
        &format!("{GUN}:1.0"),
        1,
        &format!(
            "error: repository `{GUN}`: what the server has for `timestamp` is not signed by the keys that are named for it [TRUST-SERVED]"
        ),
    );
    // Nor does first use take it: its certificate is of another name.
    let cold = moments.team.home("cold");
    proxy.is_refused(
        &cold,
        &format!("--trust-on-first-use {GUN}:1.0"),
        1,
        &format!(
            "error: repository `{GUN}`: the root does not hold: version 1: no root certificate is valid for `{GUN}` [WALK]"
        ),
    );
}

#[test]
fn a_root_that_notary_rotates_is_followed_and_what_was_before_is_refused() {
    let moments = Moments::new();
    let last = &moments.states[2];
    let proxy = Proxy::showing(last);
    let home = moments.who_saw(&proxy, "warm", 2);
    let ada = moments.team.home("ada");
    let mut notary = moments.team.server.notary(&ada);
    notary.arg("--trustDir").arg(ada.join("docker/trust")).args(["key", "rotate", GUN, "root"]);
    run_with(&mut notary, "yes\n", LIMIT).ok();
    let rotated = State::recorded(&moments.team.server, &ada, GUN);
    proxy.show(&rotated);
    proxy.gives(&home, &format!("{GUN}:1.0"), &right("three"));
    let root = fs::read_to_string(cached(&home, GUN, "root")).unwrap();
    assert_eq!(root, rotated.0["2.root.json"]);
    // The old root with all that stood around it, newer versions hidden.
    proxy.show(last);
    let (found, had) = (last.version("timestamp"), rotated.version("timestamp"));
    proxy.is_refused(
        &home,
        &format!("{GUN}:1.0"),
        1,
        &format!(
            "error: repository `{GUN}`: the server has `timestamp` version {found}, version {had} was seen before [TRUST-ROLLBACK]"
        ),
    );
}
