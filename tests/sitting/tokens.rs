//! The table of docs/tokens.md, each cell of it held for real: tokens that nobody here wrote, through the real binary.

mod kryoptic;
mod nss;
mod p11_kit;
mod piv;
mod softhsm;
mod tpm;

use std::{fs, path::Path, process::Command};

use officiant::{room::binding::Binding, root::Dialect, trust::Held};

use super::drill::write_drill;
use super::genesis::{in_shares, on_one_token};
use super::{Bench, Holding, PIN, PlanText};
use crate::harness::command::{Ran, run_with};

/// A kind of token: how one of it is bound to a machine, and how what drives it is reached.
trait Kind {
    /// Puts an empty token there for a name of the plan, and gives the lines of room.toml that bind it.
    fn put_in(&mut self, bench: &Bench, token: &str) -> (String, String);

    /// Has what a rotation begins with laid out by another driver, for kinds that make no keys themselves.
    fn lay_out_first(&mut self) {}

    /// What the seat types, by what it is asked for, that holds what outranks the PIN of each token; for kinds whose keys are
    /// made by it.
    fn so_holder(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The same command where its daemon can be reached, for kinds that have one.
    fn beside(&self, command: Command) -> Command {
        command
    }
}

/// What the columns of the table are called, in their order.
const COLUMNS: [&str; 4] = ["genesis by token", "genesis in shares", "rotate", "drill"];

/// Every row of the table, in its order.
const ROWS: [&str; 8] = [
    softhsm::ROW,
    kryoptic::ROW,
    piv::ROW,
    piv::YKCS11_ROW,
    piv::OPENSC_ROW,
    p11_kit::ROW,
    tpm::ROW,
    nss::ROW,
];

/// Holds each ceremony of a row with new tokens of its kind, and compares what came of it with the table.
#[track_caller]
fn holds<K: Kind>(row: &str, kind: impl Fn() -> K) {
    let found =
        [by_token(&mut kind()), shared(&mut kind()), rotated(&mut kind()), drilled(&mut kind())];
    assert_eq!(found.as_slice(), cells(row), "{row}: {COLUMNS:?}");
}

/// A genesis with one key on one token.
fn by_token(kind: &mut impl Kind) -> String {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    came_of(conduct(&bench, kind, &["officer-a"], &on_one_token()), || {
        assert_eq!(bench.shape("repo.test", 1), "1 of root-a, signed by root-a");
        "works"
    })
}

/// A genesis with one key in shares, 2 of 3.
fn in_three_shares() -> PlanText {
    PlanText { keys: vec![("root-s", "ecdsa-p256", Holding::Shares(2, &SHARES))], ..in_shares() }
}

fn shared(kind: &mut impl Kind) -> String {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    came_of(conduct(&bench, kind, &SHARES, &in_three_shares()), || {
        assert_eq!(bench.shape("repo.test", 1), "1 of root-s, signed by root-s");
        let Held::Shares { shares, .. } = &bench.custody().keys[0].held else {
            panic!("no shares")
        };
        match shares.iter().filter(|share| share.on_token).count() {
            3 => "works",
            0 => "works, each share in the custody folder alone",
            some => panic!("{some} of 3 shares are on their tokens"),
        }
    })
}

/// After a genesis with one key on one token, a rotation that adds a key on another: both sign.
fn rotated(kind: &mut impl Kind) -> String {
    let bench = match after_genesis(kind) {
        Ok(bench) => bench,
        Err(refused) => return refused,
    };
    let plan = PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: vec![("root-b", "ecdsa-p256", Holding::Token("officer-b"))],
        root: vec!["root-a", "root-b"],
        threshold: 2,
        roles: Vec::new(),
        ..on_one_token()
    };
    came_of(conduct(&bench, kind, &["officer-a", "officer-b"], &plan), || {
        assert_eq!(bench.shape("repo.test", 2), "2 of root-a root-b, signed by root-a root-b");
        "works"
    })
}

/// After a genesis with one key on one token, the token proves that it holds the key.
fn drilled(kind: &mut impl Kind) -> String {
    let bench = match after_genesis(kind) {
        Ok(bench) => bench,
        Err(refused) => return refused,
    };
    let drill = |bench: &Bench| write_drill(bench, &["officer-a"], &[]);
    came_of(conduct_what(&bench, kind, &["officer-a"], drill), || {
        let verified = bench.officiant(&["verify", "media/out-2a"]).ok().stdout;
        assert!(
            verified.contains("`0002-drill`: officer-a proved what they hold on"),
            "{verified}"
        );
        "works"
    })
}

/// A room after a genesis with one key on one token, before the next ceremony; the words of the cell where that is refused.
fn after_genesis(kind: &mut impl Kind) -> Result<Bench, String> {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    kind.lay_out_first();
    let first = conduct(&bench, kind, &["officer-a"], &on_one_token());
    if !first.status.success() {
        return Err(came_of(first, || "never"));
    }
    bench.next_room();
    Ok(bench)
}

/// Binds each token and conducts a plan.
fn conduct(bench: &Bench, kind: &mut impl Kind, tokens: &[&str], plan: &PlanText) -> Ran {
    let is_held = !kind.so_holder().is_empty();
    conduct_what(bench, kind, tokens, |bench| {
        let text = fs::read_to_string(bench.write_plan(plan)).unwrap();
        let held = |line: &str| match line.strip_prefix("custodian = ") {
            Some(_) if is_held => format!("{line}\nso_holder = \"seat S\"\n"),
            _ => format!("{line}\n"),
        };
        bench.lay_plan(&text.lines().map(held).collect::<String>(), &plan.roles);
    })
}

/// The same of whatever plan is laid out.
fn conduct_what(
    bench: &Bench,
    kind: &mut impl Kind,
    tokens: &[&str],
    lay_out: impl FnOnce(&Bench),
) -> Ran {
    bench.write_room_bound(tokens, |token| kind.put_in(bench, token));
    let answers = bench.write_answers(tokens, "");
    let types = |token: &&str| -> String {
        let typed = kind.so_holder().iter();
        typed.map(|(what, typed)| format!("\"{what} {token}\" = \"{typed}\"\n")).collect()
    };
    let typed = format!("[pin]\n{}", tokens.iter().map(types).collect::<String>());
    let text = fs::read_to_string(&answers).unwrap().replace(PIN, LONG_PIN);
    let text = text.replace("[pin]\n", &typed);
    fs::write(answers, text).unwrap();
    lay_out(bench);
    run_with(&mut kind.beside(bench.conducting()), "", LIMIT)
}

/// The words of a cell for a ceremony that ended, or was refused.
fn came_of(ran: Ran, works: impl FnOnce() -> &'static str) -> String {
    if ran.status.success() {
        return works().to_owned();
    }
    let refusal = ran.stderr.lines().find_map(|line| line.strip_prefix("error: "));
    let refusal = refusal.unwrap_or_else(|| panic!("{}", ran.stderr));
    // Its name and serial are the test's own.
    let what = refusal.split_once(") ").filter(|(token, _)| token.starts_with("token `"));
    format!("refused: {}", what.map_or(refusal, |(_, what)| what))
}

/// The cells of a row, as people read them.
#[track_caller]
fn cells(row: &str) -> Vec<String> {
    let rows = table();
    let mut found = rows.into_iter().filter(|cells| cells[0] == row);
    let mut cells = found.next().unwrap_or_else(|| panic!("docs/tokens.md has no row `{row}`"));
    assert!(found.next().is_none(), "docs/tokens.md has row `{row}` twice");
    cells.split_off(1)
}

/// The rows of the table, its head first.
fn table() -> Vec<Vec<String>> {
    let page = page();
    let rows = page.lines().skip_while(|line| !line.starts_with("| token |"));
    let rows = rows
        .filter(|line| !line.starts_with("|-"))
        .map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = |row: &str| row.split(" | ").map(str::to_owned).collect();
    rows.map(cells).collect()
}

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tokens.md")).unwrap()
}

#[test]
fn what_each_section_has_for_room_toml_is_read() {
    for section in page().split("\n## ").skip(1) {
        let mut text = "work = \"work\"\n[media]\nin = [\"in\"]\nout = [\"out-1\", \"out-2\"]\n\
                        room = [\"room-1\", \"room-2\"]\n"
            .to_owned();
        for block in section.split("\n\n") {
            if ["    [[module]]", "    [[token]]"].iter().any(|first| block.starts_with(first)) {
                text += &format!("{}\n", block.replace("    ", ""));
            }
        }
        let room = Binding::parse(Path::new("/home/room/room.toml"), text.as_bytes());
        assert_eq!(room.map_err(|error| error.to_string()).unwrap().tokens.len(), 1, "{text}");
    }
}

#[test]
fn every_row_of_the_table_is_played_and_has_a_section_that_says_how() {
    let head: Vec<&str> = ["token"].into_iter().chain(COLUMNS).collect();
    let table = table();
    assert_eq!(table[0], head);
    let rows: Vec<&str> = table[1..].iter().map(|cells| cells[0].as_str()).collect();
    assert_eq!(rows, ROWS);
    let page = page();
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(sections[..ROWS.len()], ROWS);
}

/// Eight characters: kryoptic takes no fewer, YubiKeys no more.
const LONG_PIN: &str = "13579246";
const SHARES: [&str; 3] = ["share-1", "share-2", "share-3"];
/// Cards and TPMs are slow, and the machine may be busy.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(180);
