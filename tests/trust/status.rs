//! `courier status`: what ends in a fleet, for whom it fails, and what a machine is told.

use std::fs;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;

use super::publisher::{Publisher, plain, signed, tagged};
use super::roots::Seen;
use super::{GUN, Team, digest_of};
use crate::harness::command::{Ran, command, run};
use crate::harness::forward::Forward;

/// The day so many days from now, as the table shows it.
fn in_days(days: i64) -> String {
    let at = Timestamp::now() + (24 * days).hours();
    at.to_zoned(TimeZone::UTC).date().to_string()
}

/// Repositories that the notary of ada made, all in her cache.
fn fleet(names: &[&str]) -> Team {
    let team = Team::new();
    for name in names {
        team.notary("ada", &format!("init -p localhost:5000/{name}")).ok();
    }
    team
}

/// `courier status` of whoever saw the repository.
fn status(seen: &Seen, more: &str) -> Ran {
    let mut courier = command(env!("CARGO_BIN_EXE_courier"), &seen.home);
    courier.env("DOCKER_CONFIG", seen.home.join("docker"));
    courier.args(["status", "--server", &seen.proxy.fake.url, GUN]);
    run(courier.args(more.split_whitespace()))
}

/// The columns of a row of the table.
fn cells(line: &str) -> Vec<&str> {
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

#[test]
fn a_fleet_that_holds_is_shown_by_its_first_end_and_exits_with_0() {
    let team = fleet(&["b", "a"]);
    team.scratch.file("ada/fleet", "# ours\n localhost:5000/b and more\n\nlocalhost:5000/a\n");
    let ran = team.courier("ada", "status fleet").ok();
    assert_eq!(ran.stderr, "");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let head = "FIRST,FAILS FOR,BY,REPOSITORY,ROOT,CERTIFICATES,TARGETS,DELEGATIONS,SNAPSHOT";
    assert_eq!(cells(lines[0]).join(","), head);
    let (targets, root) = (in_days(3 * 365), in_days(10 * 365));
    let row = |gun: &str| {
        format!(
            "{targets},everyone,targets,localhost:5000/{gun},{root},{root},{targets},-,{targets}"
        )
    };
    // The one that was made first ends first.
    assert_eq!([cells(lines[1]).join(","), cells(lines[2]).join(",")], [row("b"), row("a")]);
    assert_eq!(lines[3..], ["2 repositories: nothing ends within 90 days"]);
}

#[test]
fn what_ends_within_the_days_that_are_asked_for_exits_with_1_and_says_what_it_means() {
    let seen = Seen::new();
    let ran = status(&seen, "");
    assert_eq!(ran.code(), 1);
    assert_eq!(
        ran.stderr,
        format!(
            "error: something ends within 90 days in 1 repository, first on {}: `{GUN}`\n\
             hint: the table says what helps: roots and their certificates by a ceremony, lists by `courier witness`\n\
             no repository was changed\n",
            in_days(1)
        )
    );
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let row =
        [&in_days(1), "clients", "snapshot", GUN, &in_days(3000), &in_days(4000), &in_days(10)];
    assert_eq!(cells(lines[1])[..7], row);
    assert_eq!(
        lines[2..],
        [
            "`targets` expires: nothing is pulled and nothing signed: who holds a targets key signs, or witnesses it, before",
            "snapshot expires: nothing is pulled, unless the server holds its key and renews it",
            "1 repository: 1 in which something ends within 90 days",
        ]
    );
    assert_eq!(status(&seen, "--within 0").ok().stderr, "");
}

#[test]
fn a_delegation_that_clients_pass_over_has_failed_for_them_already() {
    let mut own = Publisher::new();
    own.delegate(2, &["1.0"]);
    let mut list = tagged(1, &[]);
    list.expires = officiant::root::Expiry::at(Timestamp::now() - 48.hours());
    let by = [(&plain(&own.signers[0]), &own.signers[0])];
    own.lists.insert("targets/releases".to_owned(), signed(&list.value(), &by));
    let scratch = crate::harness::scratch::Scratch::new();
    let proxy = super::proxy::Proxy::showing(&own.state());
    let home = scratch.folder("home");
    let seen = Seen { scratch, own, proxy, home };
    let ran = status(&seen, "--trust-on-first-use");
    assert_eq!(ran.code(), 1);
    let row: Vec<_> = cells(ran.stdout.lines().nth(1).unwrap());
    assert_eq!(row[..4], [&in_days(-2), "clients", "targets/releases", GUN]);
    let helps = "`targets/releases` expires: clients pass over what it lists: `courier witness` with a key of \
                 `targets/releases` helps";
    assert!(ran.stdout.contains(helps), "{}", ran.stdout);
}

#[test]
fn what_clients_refuse_stands_first_with_its_reason_and_is_named() {
    let team = fleet(&["a"]);
    let ran = team.courier("ada", "status localhost:5000/a localhost:5000/b localhost:5000/c");
    assert_eq!(ran.code(), 1);
    let why = "nothing says which root is its own: no pin, no trust cache, no trust folder [TRUST-ANCHOR]";
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], format!("refused    localhost:5000/b: {why}"));
    assert_eq!(lines[1], format!("refused    localhost:5000/c: {why}"));
    assert_eq!(lines[4], "3 repositories: 2 refused, nothing ends within 90 days");
    assert_eq!(
        ran.stderr,
        "error: 2 repositories refused: `localhost:5000/b` and `localhost:5000/c`\n\
         hint: name the trust folder by `--trust-folder`, or pin its root keys; `--trust-on-first-use` believes the \
         server once\n\
         no repository was changed\n"
    );
    // Whoever believes the server once sees it all; and what the server does not know stays refused.
    let line = "status --trust-on-first-use localhost:5000/a localhost:5000/d";
    let ran = team.courier("eve", line);
    assert_eq!(ran.code(), 1);
    let first = ran.stdout.lines().next().unwrap();
    assert_eq!(
        first,
        "refused    localhost:5000/d: the server has no trust data for `localhost:5000/d`"
    );
}

#[test]
fn a_server_that_does_not_answer_exits_with_3_and_hides_nothing_of_another() {
    let team = Team::new();
    let host = team.server.url().replace("https://", "");
    team.notary("ada", &format!("init -p {host}/a")).ok();
    let home = team.home("ada");
    fs::write(home.join("fleet.ics"), "before").unwrap();
    let mut courier = team.server.courier(&home);
    courier.env_remove("DOCKER_CONTENT_TRUST_SERVER");
    courier.args(["status", "--trust-on-first-use", "--ics", "fleet.ics"]);
    // Nobody listens at the first port.
    let ran =
        run(courier.args([format!("{host}/a"), "localhost:1/b".to_owned()]).current_dir(&home));
    assert_eq!(ran.code(), 3);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("no answer  localhost:1/b: https://localhost:1/"), "{}", lines[0]);
    assert_eq!(cells(lines[2])[1..4], ["everyone", "targets", &format!("{host}/a")]);
    assert_eq!(lines[3], "2 repositories: 1 without an answer, nothing ends within 90 days");
    let told: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(told[0], "error: 1 repository gave no answer: `localhost:1/b`");
    assert_eq!(
        told.last().unwrap(),
        &"no repository was changed, and `fleet.ics` is as before: it would lack what gave no answer"
    );
    assert_eq!(fs::read_to_string(home.join("fleet.ics")).unwrap(), "before");
}

/// The values of one property of a calendar, its folded lines joined.
fn values(calendar: &str, name: &str) -> Vec<String> {
    let lines = calendar.replace("\r\n ", "");
    let lines = lines.split("\r\n").filter_map(|line| line.strip_prefix(name));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_calendar_has_an_event_for_each_end_that_keeps_its_name_when_its_day_moves() {
    let mut seen = Seen::new();
    let calendar = |seen: &Seen| {
        let file = seen.home.join("x.ics");
        assert_eq!(status(seen, &format!("--ics {}", file.display())).code(), 1);
        fs::read_to_string(file).unwrap()
    };
    let first = calendar(&seen);
    let day = |days| in_days(days).replace('-', "");
    let starts = values(&first, "DTSTART;VALUE=DATE:");
    assert_eq!(starts[..2], [day(1), day(10)]);
    assert_eq!(starts.len(), 5);
    let told = values(&first, "SUMMARY:");
    assert_eq!(told[0], format!("{GUN}: snapshot expires (clients)"));
    assert_eq!(values(&first, "TRIGGER:"), ["-P12W", "-P3W"].repeat(5));
    let whole = first.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
        && first.ends_with("END:VEVENT\r\nEND:VCALENDAR\r\n");
    assert!(whole, "{first}");

    seen.own.hours = 24 * 20;
    seen.show();
    let second = calendar(&seen);
    let names = |calendar: &str| {
        let mut names = values(calendar, "UID:");
        names.sort();
        names
    };
    assert_eq!(names(&second), names(&first));
    assert_eq!(values(&second, "DTSTART;VALUE=DATE:")[..2], [day(10), day(20)]);
    // On standard output it stands in place of the table.
    let shown = status(&seen, "--ics -").stdout;
    assert_eq!(values(&shown, "UID:"), values(&second, "UID:"));
}

#[test]
fn a_machine_is_told_every_end_of_every_repository() {
    let seen = Seen::new();
    let told: Value = serde_json::from_str(&status(&seen, "--json").stdout).unwrap();
    let repository = &told["repositories"][0];
    assert_eq!((&repository["repository"], &repository["soon"]), (&GUN.into(), &true.into()));
    let ends: Vec<_> = repository["ends"].as_array().unwrap().iter().collect();
    let words: Vec<_> = ends.iter().map(|end| end["what"].as_str().unwrap()).collect();
    assert_eq!(words, ["snapshot", "list", "publishing", "root", "certificates"]);
    assert_eq!(ends[1]["role"], "targets");
    assert_eq!(ends[2]["fails"], "publishers");
    for empty in ["broken", "unanswered", "not_asked"] {
        assert_eq!(told[empty], Value::Array(Vec::new()), "{empty}");
    }
}

#[test]
fn a_list_whose_name_is_mistyped_is_no_repository() {
    let team = Team::new();
    for text in ["fleet.txt", "./fleet.txt", "lists/fleet", "/etc/none"] {
        let ran = team.courier("ada", &format!("status {text}"));
        assert_eq!(ran.code(), 2, "{text}");
        let told =
            format!("error: `{text}` is no file here, and no repository with its registry\n");
        assert!(ran.stderr.starts_with(&told), "{}", ran.stderr);
    }
}

#[test]
fn a_warm_cache_is_asked_two_questions_for_and_a_fleet_shares_its_connections() {
    let seen = Seen::new();
    let asked = || seen.proxy.fake.asked().len();
    let before = asked();
    status(&seen, "");
    assert_eq!(asked() - before, 2, "the timestamp, and the root after the one in the cache");
    let before = asked();
    seen.proxy.verify(&seen.home, &format!("{GUN}:1.0")).ok();
    assert_eq!(asked() - before, 2);

    let team = Team::new();
    let names: Vec<String> = (0..8).map(|number| format!("localhost:5000/{number}")).collect();
    for name in &names {
        team.made_by_notary("ada", name, "1.0");
    }
    let forward = Forward::to(&team.server.url());
    let line = format!("status --jobs 1 --server {} --ca", forward.url());
    let mut courier = team.server.courier(&team.home("ada"));
    let ran = run(courier.args(line.split(' ')).arg(team.server.ca()).args(&names)).ok();
    assert!(
        ran.stdout.ends_with("8 repositories: nothing ends within 90 days\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(forward.connections(), 2, "one for each of the two questions");
    let tags: Vec<String> = names.iter().map(|name| format!("{name}:1.0")).collect();
    let mut courier = team.server.courier(&team.home("ada"));
    let line = format!("verify --server {} --ca", forward.url());
    let ran = run(courier.args(line.split(' ')).arg(team.server.ca()).args(&tags)).ok();
    let right: String =
        names.iter().map(|name| format!("{name}@sha256:{}\n", digest_of("1.0"))).collect();
    assert_eq!((ran.stdout, forward.connections()), (right, 4));
}
