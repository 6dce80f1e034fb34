//! A key in shares over tokens and people who have a key of `age`: made, proven and used, in a practice and a rehearsal.

use std::fs;
use std::path::PathBuf;

use officiant::{
    key::AgeKey,
    root::{Dialect, Role},
    trust::Held,
};

use super::abandon::write_abandon;
use super::drill::write_drill;
use super::genesis::in_shares;
use super::reshare::{custody, write_reshare};
use super::{Bench, Holding, PIN, PlanText};
use crate::harness::command::{Ran, command, flat, run};

const TOKENS: [&str; 1] = ["share-1"];
const PEOPLE: [&str; 2] = ["lawyer", "notary"];

/// A genesis with one key in shares, 2 of 3: one on a token, two with people.
pub(super) fn among_people() -> PlanText {
    PlanText {
        keys: vec![("root-s", "ecdsa-p256", Holding::Recipients(2, &TOKENS, &PEOPLE))],
        ..in_shares()
    }
}

/// Has `age-keygen` make the identity of a person; gives it.
pub(super) fn identity(bench: &Bench, name: &str) -> String {
    let file = format!("{name}.txt");
    // Nothing is there, or an earlier one that is lost.
    let _ = fs::remove_file(bench.path(&file));
    run(command("age-keygen", bench.scratch.path()).args(["--output", &file])).ok();
    let public = run(command("age-keygen", bench.scratch.path()).args(["-y", &file])).ok();
    bench.scratch.file(&format!("{name}.pub"), public.stdout);
    let text = fs::read_to_string(bench.path(&file)).unwrap();
    text.lines().find(|line| line.starts_with("AGE-")).unwrap().to_owned()
}

/// The lines of a plan about a person, whose key lies in a file of that name.
pub(super) fn planned(bench: &Bench, name: &str) -> String {
    let age = fs::read_to_string(bench.path(&format!("{name}.pub"))).unwrap();
    let age = age.trim();
    format!("[[recipient]]\nname = \"{name}\"\ncustodian = \"seat of {name}\"\nage = \"{age}\"\n")
}

/// Writes answers: the first person's identity is in a file, the second types it.
pub(super) fn answer(bench: &Bench, typed: &str, more: &str) {
    let text = format!(
        "[pin]\nshare-1 = \"{PIN}\"\nnotary = \"{typed}\"\n[answer]\n\"identity lawyer\" = \"lawyer.txt\"\n{more}"
    );
    bench.scratch.file(&format!("answers-{}.toml", bench.number), text);
}

/// A room, and the identity of the second person.
fn room() -> (Bench, String) {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    identity(&bench, "lawyer");
    let typed = identity(&bench, "notary");
    answer(&bench, &typed, "\"media notary\" = \"home\"\n");
    bench.scratch.folder("home");
    bench.write_plan(&among_people());
    (bench, typed)
}

/// A room after a genesis, before the next ceremony; and the identity of the second person.
pub(super) fn after_genesis() -> (Bench, String) {
    let (mut bench, typed) = room();
    bench.conduct().ok();
    assert_eq!(bench.shape("repo.test", 1), "1 of root-s, signed by root-s");
    bench.next_room();
    bench.write_room(&TOKENS);
    answer(&bench, &typed, "");
    (bench, typed)
}

/// The file that a person took home.
fn at_home(bench: &Bench) -> PathBuf {
    let mut files = fs::read_dir(bench.path("home")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

/// Other targets, signed with the shares.
fn rotate(bench: &mut Bench) -> Ran {
    bench.online.insert(Role::Targets, super::Publisher::new());
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(bench.number - 1)),
        keys: Vec::new(),
        roles: vec![Role::Targets],
        ..in_shares()
    });
    bench.conduct()
}

const NO_TOKEN: &str = "\"insert share-1\" = \"absent on the train\"\n";

#[test]
fn a_key_among_people_is_made_and_signs_by_their_identities_alone() {
    let (mut bench, typed) = after_genesis();
    let custody = custody(&bench, 1);
    let known = custody.recipients.iter().map(|known| (known.name.as_str(), known.age.as_str()));
    let keys = PEOPLE.map(|name| fs::read_to_string(bench.path(&format!("{name}.pub"))).unwrap());
    assert_eq!(known.collect::<Vec<_>>(), [("lawyer", keys[0].trim()), ("notary", keys[1].trim())]);
    let Held::Shares { set, shares, .. } = &custody.keys[0].held else { panic!("no shares") };
    let held: Vec<&str> = shares.iter().map(|share| share.holder.as_str()).collect();
    assert_eq!(held, ["share-1", "lawyer", "notary"]);
    let kept = fs::read(bench.path(&format!("media/room-1/custody/{set}/3.age"))).unwrap();
    assert_eq!(fs::read(at_home(&bench)).unwrap(), kept);
    // The identities lie where their holders put them, and nowhere else.
    let lawyer = fs::read_to_string(bench.path("lawyer.txt")).unwrap();
    let lawyer = lawyer.lines().find(|line| line.starts_with("AGE-")).unwrap();
    let mut grep = command("grep", bench.scratch.path());
    grep.args(["-rlaF", "-e", &typed, "-e", lawyer, "media", "work-1", "home"]);
    assert_eq!(run(&mut grep).stdout, "", "an identity lies somewhere");
    // The one from the custody folder, the other from home; the token stays away.
    let home = format!("{NO_TOKEN}\"share notary\" = \"{}\"\n", at_home(&bench).display());
    answer(&bench, &typed, &home);
    let screen = flat(&rotate(&mut bench).ok().stderr);
    let said = "an identity stores nothing: its custodian's receipt carries these words";
    assert!(screen.contains(said), "{screen}");
    assert_eq!(bench.shape("repo.test", 2), "1 of root-s, signed by root-s");
    bench.officiant(&["verify", "media/out-2a"]).ok();
    let report =
        fs::read_to_string(bench.path("media/out-1a/trust/ceremonies/0001-genesis/report.html"))
            .unwrap();
    let rests = "is sealed to a key of `age`: where its identity lies, and who else has it, rests on its holder.";
    assert!(flat(&report).replace("<code>age</code>", "`age`").contains(rests));
    let share = bench.path(&format!("media/room-1/custody/{set}/3.age"));
    let share = share.to_str().unwrap();
    let printed = bench.officiant(&["share", "print", share, "--trust", "media/out-2a"]);
    let what = format!(
        "error: share 3 of set {set} is held by recipient `notary`, not by a paper [SHARE-HOLDER]\nhint: a recipient's share is a file: it is copied as it is\n"
    );
    assert!(printed.stderr.starts_with(&what), "{}", printed.stderr);
    let losses =
        bench.officiant(&["custody", "media/out-2a/trust", "--lost", "lawyer"]).ok().stdout;
    assert!(losses.contains("lawyer"), "{losses}");
}

#[test]
fn another_identity_is_refused_by_name_and_resume_asks_once_more() {
    let (mut bench, typed) = after_genesis();
    let stranger = identity(&bench, "stranger");
    answer(&bench, &stranger, NO_TOKEN);
    let ran = rotate(&mut bench);
    let what = "error: share 3: the identity does not open the sealed file [SHARE-IDENTITY]\n\
                hint: its holder looks for the identity that the plan names, and `resume` asks once more\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
    // What is no identity is told without a word of it.
    answer(&bench, &typed[..70], NO_TOKEN);
    let ran = bench.resume();
    let what =
        "error: the identity is damaged: a letter of it is wrong or missing [SHARE-IDENTITY]\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
    assert!(!ran.stderr.contains(&typed[16..40]));
    answer(&bench, &typed, &format!("{NO_TOKEN}\"share lawyer\" = \"lawyer.pub\"\n"));
    let ran = bench.resume();
    assert!(
        ran.stderr.contains(
            ", as recipient `lawyer` has it, is not the one that was made [SHARE-COMMITMENT]\n"
        ),
        "{}",
        ran.stderr
    );
    answer(&bench, &typed, NO_TOKEN);
    bench.resume().ok();
    assert_eq!(bench.shape("repo.test", 2), "1 of root-s, signed by root-s");
}

#[test]
fn a_share_is_not_made_for_a_key_whose_identity_is_not_there() {
    let (bench, typed) = room();
    // The plan names a key that its holder does not have.
    let stranger = identity(&bench, "stranger");
    answer(&bench, &stranger, "");
    let ran = bench.conduct();
    let what = "error: share 3: the identity does not open the sealed file [SHARE-IDENTITY]\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
    answer(&bench, &typed, "");
    let second = flat(&bench.resume().ok().stderr);
    let erase = "is made anew; erase what was given of it to recipients";
    assert!(second.contains(erase), "{second}");
    assert_eq!(bench.shape("repo.test", 1), "1 of root-s, signed by root-s");
}

#[test]
fn a_person_of_a_plan_takes_a_receipt_for_the_share_home() {
    let (bench, _) = room();
    let seats = ["desk", "seat of share-1", "seat of lawyer", "seat of notary", "window"];
    let roles = ["operator", "custodian", "custodian", "custodian", "witness"];
    let people = |seats: [&str; 5]| {
        let rows = seats.iter().zip(roles);
        let rows =
            rows.map(|(seat, role)| format!("{{ seat = \"{seat}\", roles = [\"{role}\"] }},\n"));
        let extra = format!("person = [\n{}]\n", rows.collect::<String>());
        bench.write_plan(&PlanText { extra, ..among_people() })
    };
    people(["desk", "seat of share-1", "seat of lawyer", "SEAT of notary", "window"]);
    let checked = bench.officiant(&["check", "plan-1.toml", "--room", "room-1.toml"]);
    let what = "seats `seat of notary` and `SEAT of notary` read alike: write one in one way";
    assert!(checked.stderr.lines().next().unwrap().ends_with(what), "{}", checked.stderr);
    people(seats);
    bench.conduct().ok();
    for name in PEOPLE {
        let path = bench.path(&format!("media/room-1/custody/receipts/0001-{name}.txt"));
        let receipt = fs::read_to_string(path).unwrap();
        let key = fs::read_to_string(bench.path(&format!("{name}.pub"))).unwrap();
        assert!(receipt.contains(&format!("held        recipient {name}\n")), "{receipt}");
        assert!(receipt.contains(&format!("serial      {}\n", key.trim())), "{receipt}");
    }
}

#[test]
fn a_key_that_stands_in_for_a_persons_in_rehearsals_gets_no_share() {
    let (bench, _) = room();
    let (stand_in, _) = AgeKey::of_rehearsal("notary").unwrap();
    bench.scratch.file("notary.pub", stand_in.as_str());
    bench.write_plan(&among_people());
    let ran = bench.conduct();
    let what = "error: the key of recipient `notary` is that of a rehearsal: anybody can compute its identity [SHARE-IDENTITY]\n\
                hint: name the key that its holder has, in a new plan\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
    bench.rehearse().ok();
}

#[test]
fn people_prove_in_a_drill_that_they_have_their_identities_and_open_nothing() {
    let (mut bench, typed) = after_genesis();
    let drill = |bench: &Bench| {
        write_drill(bench, &["share-1"], &[]);
        let plan = bench.path(&format!("plan-{}.toml", bench.number));
        let text = fs::read_to_string(&plan).unwrap();
        let people = PEOPLE.map(|name| planned(bench, name)).concat();
        fs::write(&plan, text + &people).unwrap();
    };
    drill(&bench);
    let screen = flat(&bench.conduct().ok().stderr);
    for said in [
        "share 2 of key root-s is the one that was made; the identity fits",
        "share 3 of key root-s is the one that was made; the identity fits",
        "every share is its own; the identity fits",
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    let verified = bench.officiant(&["verify", "media/out-2a"]).ok().stdout;
    let proved = "`0002-drill`: share-1, lawyer and notary proved what they hold on";
    assert!(verified.contains(proved), "{verified}");
    // One whose identity is gone says so, and the trust folder does not say that it proved anything.
    bench.next_room();
    bench.write_room(&TOKENS);
    answer(&bench, &typed, "\"share lawyer\" = \"absent its identity is lost\"\n");
    drill(&bench);
    bench.conduct().ok();
    let told = [
        "recipient lawyer was not here: its identity is lost",
        "step 6 was left out: recipient lawyer is not here: its identity is lost",
    ];
    assert_eq!(bench.remarks(), told);
    let verified = bench.officiant(&["verify", "media/out-3a"]).ok().stdout;
    assert!(verified.contains("`0003-drill`: share-1 and notary proved"), "{verified}");
}

#[test]
fn the_shares_of_an_abandoned_key_are_named_to_be_erased() {
    let (mut bench, typed) = room();
    answer(&bench, &typed, "\"second-reader\" = \"maybe\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    write_abandon(&bench, None);
    bench.conduct().ok();
    let left = [("lawyer", 2), ("notary", 3)].map(|(name, index)| {
        format!(
            "recipient {name} may have share {index} of key root-s, which is not used: erase every copy of it"
        )
    });
    assert_eq!(bench.remarks(), left);
    assert!(bench.custody().recipients.is_empty());
}

#[test]
fn recipients_of_a_plan_that_are_not_right_are_told() {
    let (bench, _) = room();
    let path = bench.path("plan-1.toml");
    let plan = fs::read_to_string(&path).unwrap();
    let [lawyer, notary] = PEOPLE.map(|name| planned(&bench, name));
    let key = |lines: &str| lines.split('"').nth(5).unwrap().to_owned();
    for (old, new, what) in [
        (key(&notary), key(&lawyer), "recipients `lawyer` and `notary` have one key"),
        (
            key(&notary),
            format!("{}q", key(&notary)),
            "no `age` recipient: X25519 (`age1…`), or a YubiKey (`age1yubikey1…`)",
        ),
        (
            "\"notary\"]".to_owned(),
            "\"lawyer\"]".to_owned(),
            "key `root-s` has two shares on one recipient",
        ),
        (
            "\"notary\"]".to_owned(),
            "\"judge\"]".to_owned(),
            "recipient `notary` holds no share of this plan",
        ),
        (
            notary.clone(),
            String::new(),
            "recipient `notary` is named by a key, and by no `[[recipient]]`",
        ),
        (
            "name = \"notary\"".to_owned(),
            "name = \"share-1\"".to_owned(),
            "a token and a recipient are called `share-1`",
        ),
        (
            "seat of notary".to_owned(),
            "seat of share-1".to_owned(),
            "key `root-s`: seat of share-1 holds two shares, on `share-1` and `notary` [SHARE-HOLDER]",
        ),
    ] {
        assert_eq!(plan.matches(&old).count(), 1, "{old}");
        fs::write(&path, plan.replace(&old, &new)).unwrap();
        let ran = bench.officiant(&["check", "plan-1.toml", "--room", "room-1.toml"]);
        assert!(ran.stderr.lines().next().unwrap().ends_with(what), "{what}\n{}", ran.stderr);
        assert_ne!(ran.code(), 0);
    }
}

#[test]
fn a_known_recipient_keeps_its_seat_and_its_key() {
    let (bench, _) = after_genesis();
    let lawyer = planned(&bench, "lawyer");
    identity(&bench, "lawyer");
    let other = planned(&bench, "lawyer");
    for (lines, what) in [
        (
            lawyer.replace("seat of lawyer", "seat X"),
            "`lawyer` is held by `seat of lawyer` by the trust folder, by `seat X` in the plan",
        ),
        (other, "recipient `lawyer` is known, by the name or the key of `lawyer`"),
        (
            lawyer
                .replace("name = \"lawyer\"", "name = \"judge\"")
                .replace("seat of judge", "seat of lawyer"),
            "recipient `lawyer` is known, by the name or the key of `judge`",
        ),
    ] {
        let name = lines.split('"').nth(1).unwrap().to_owned();
        let shares =
            format!("{{ threshold = 2, tokens = [\"share-1\"], recipients = [\"{name}\"] }}");
        write_reshare(&bench, "root-s", &shares);
        let path = bench.path("plan-2.toml");
        let plan = fs::read_to_string(&path).unwrap();
        let (head, rest) = plan.split_once("[[token]]").unwrap();
        let (_, key) = rest.split_once("[[key]]").unwrap();
        fs::write(&path, format!("{head}{lines}[[key]]{key}")).unwrap();
        let ran = bench.officiant(&["check", "plan-2.toml", "--room", "room-2.toml"]);
        assert!(ran.stderr.lines().next().unwrap().ends_with(what), "{what}\n{}", ran.stderr);
    }
    // A new set among other holders, one of whom is known: it opens by the same identity.
    let (mut again, typed) = after_genesis();
    let shares = "{ threshold = 2, tokens = [\"share-1\"], recipients = [\"notary\"] }";
    write_reshare(&again, "root-s", shares);
    let path = again.path("plan-2.toml");
    let plan = fs::read_to_string(&path).unwrap();
    let (head, rest) = plan.split_once("[[token]]").unwrap();
    fs::write(&path, format!("{head}[[key]]{}", rest.split_once("[[key]]").unwrap().1)).unwrap();
    answer(&again, &typed, "\"share lawyer\" = \"absent on holiday\"\n");
    again.conduct().ok();
    let held = custody(&again, 2).keys[0].held.clone();
    let Held::Shares { shares, .. } = held else { panic!("no shares") };
    let held: Vec<&str> = shares.iter().map(|share| share.holder.as_str()).collect();
    assert_eq!(held, ["share-1", "notary"]);
    assert_eq!(custody(&again, 2).recipients.len(), 2);
    again.next_room();
    again.write_room(&TOKENS);
    answer(&again, &typed, "");
    rotate(&mut again).ok();
    assert_eq!(again.shape("repo.test", 2), "1 of root-s, signed by root-s");
}

#[test]
fn a_key_among_people_is_rehearsed_without_their_identities() {
    let (bench, typed) = room();
    let ran = bench.rehearse().ok();
    assert!(
        !ran.stderr.contains(&typed) && ran.stderr.contains("identities/lawyer.txt"),
        "{}",
        ran.stderr
    );
    let (mut bench, _) = after_genesis();
    fs::remove_file(bench.path("lawyer.txt")).unwrap();
    bench.online.insert(Role::Targets, super::Publisher::new());
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: Vec::new(),
        roles: vec![Role::Targets],
        ..in_shares()
    });
    bench.rehearse().ok();
}

#[test]
fn an_identity_that_is_typed_as_a_path_is_told_nowhere() {
    let (bench, typed) = room();
    answer(&bench, &typed, "");
    let text = fs::read_to_string(bench.path("answers-1.toml")).unwrap();
    let text = text.replace("lawyer.txt", &typed);
    fs::write(bench.path("answers-1.toml"), text).unwrap();
    let ran = bench.conduct();
    let what = "error: what was typed is no path of a file that can be read [SHARE-IDENTITY]\n";
    assert!(ran.code() == 1 && ran.stderr.contains(what), "{}", ran.stderr);
    // The question shows what is typed at it, and nothing else does.
    assert_eq!(ran.stderr.matches(&typed[20..]).count(), 3, "{}", ran.stderr);
    let (_, told) = ran.stderr.split_once(&what[..20]).unwrap();
    assert!(!told.contains(&typed[20..]), "{told}");
}

#[test]
fn no_sealed_share_is_given_onto_media_of_the_ceremony() {
    let (bench, typed) = room();
    for media in ["media/out-1a", "media/room-1", "work-1"] {
        answer(&bench, &typed, &format!("\"media notary\" = \"{media}\"\n"));
        let ran = if media.ends_with("1a") { bench.conduct() } else { bench.resume() };
        let what = format!(
            "error: `{media}` is on media of this ceremony, or in its work folder [MEDIA-KIND]\n"
        );
        assert!(ran.code() == 1 && ran.stderr.contains(&what), "{media}: {}", ran.stderr);
    }
    answer(&bench, &typed, "\"media notary\" = \"home\"\n");
    bench.resume().ok();
}
