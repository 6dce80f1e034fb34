//! Publishers whose keys lie on PKCS#11 tokens, a signer's and a targets key: docker takes what they sign.

use super::{GUN, Team};
use crate::harness::pty::Pty;
use crate::harness::softhsm::{MODULE, SoftHsm};

const PIN: &str = "123456";

/// Types the PIN at each question for it, and nothing else.
#[track_caller]
fn typed(team: &Team, softhsm: &SoftHsm, who: &str, line: &str) -> String {
    let mut courier = team.server.courier(&team.home(who));
    courier.env("SOFTHSM2_CONF", softhsm.configuration()).args(line.split_whitespace());
    let mut pty = Pty::start(&courier);
    pty.expect("PIN for token");
    pty.send_line(PIN);
    let ended = pty.finish();
    assert!(ended.status.success() && !ended.transcript.contains(PIN), "{}", ended.transcript);
    ended.transcript
}

#[test]
fn a_signer_whose_key_never_leaves_a_token_releases_a_tag_with_one_pin() {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    let softhsm = SoftHsm::token(&team.scratch, "bob", PIN);
    let uri = format!("pkcs11:token=bob?module-path={MODULE}");
    typed(&team, &softhsm, "bob", &format!("key generate bob --token {uri}"));
    team.courier("ada", &format!("signer add bob {GUN} --key ../bob/bob.pub")).ok();
    let layout = team.layout("bob", "1.0");
    let sign = format!("sign {GUN}:1.0 --layout {layout} --trust-on-first-use");
    // One PIN for the two lists.
    let told = typed(&team, &softhsm, "bob", &sign);
    assert!(told.contains("in `targets/bob` and `targets/releases`"), "{told}");
    let inspected = team.docker("guest", &format!("trust inspect --pretty {GUN}")).ok().stdout;
    let row = format!("1.0          {}   bob", team.manifest(&layout));
    assert!(inspected.contains(&row), "{inspected}");
    let files = std::fs::read_dir(team.home("bob").join("docker/trust/private")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| name.ends_with(".pkcs11")));
}

#[test]
fn a_targets_key_on_a_token_begins_a_repository_without_a_pin_and_is_proved_with_one() {
    let team = Team::new();
    let softhsm = SoftHsm::token(&team.scratch, "ada", PIN);
    let uri = format!("pkcs11:token=ada?module-path={MODULE}");
    let line = format!("key generate --role targets --gun {GUN} --token {uri}");
    typed(&team, &softhsm, "ada", &line);
    team.scratch.folder("in");
    let told = team.courier("ada", &format!("init {GUN} --out ../in")).ok().stdout;
    assert!(told.contains(&format!("for `targets` of {GUN}, found\n")), "{told}");
    team.scratch.file("ada/plan.toml", "");
    let prove = format!("prove plan.toml --repository {GUN} --role targets --out ../in");
    typed(&team, &softhsm, "ada", &prove);
    assert!(team.scratch.path().join("in/proofs").is_dir());
}
