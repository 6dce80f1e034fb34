//! People who type what is not so: three times, and the ceremony waits for the right words.

use officiant::ceremony::fact::Fact;
use officiant::record::Body;
use officiant::root::Dialect;

use super::Bench;
use super::genesis::on_tokens;
use super::rotate::after_genesis;

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const COMPARE: &str = "compare paper and machine: one of them is not what it should be";

/// The last line of a refusal at a step, before anything was signed.
pub(crate) fn waits_at(step: u32) -> String {
    format!("nothing was signed; the record holds what was done; `resume` goes on at step {step}")
}

/// A genesis answered wrongly once, and then rightly.
#[track_caller]
fn stops_and_goes_on(bench: &Bench, answer: &str, told: [&str; 3]) {
    bench.write_answers(&TOKENS, answer);
    bench.stops(|| bench.conduct(), 1, told);
    bench.write_answers(&TOKENS, "");
    bench.resume().ok();
}

fn genesis() -> Bench {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_tokens());
    bench
}

#[test]
fn words_of_another_plan_are_refused() {
    let told =
        "the words of the plan's digest, from the reviewers' paper were wrong 3 times [PLAN-WORDS]";
    let answer = "plan-words = \"zoo zoo zoo zoo zoo zoo\"\n";
    stops_and_goes_on(
        &genesis(),
        answer,
        [
            told,
            COMPARE,
            "nothing was signed; the work folder holds a record; `resume` goes on at step 1",
        ],
    );
}

#[test]
fn words_of_another_trust_folder_are_refused() {
    let bench = after_genesis(Dialect::Notary);
    bench.write_room(&TOKENS);
    let plan = super::rotate::renewal(&bench);
    bench.write_plan(&plan);
    let told = "the words of the last closing digest, from its signed page were wrong 3 times [TRUST-WORDS]";
    let answer = "trust-words = \"zoo zoo zoo zoo zoo zoo\"\n";
    stops_and_goes_on(&bench, answer, [told, COMPARE, &waits_at(2)]);
}

#[test]
fn a_watch_that_disagrees_with_the_machine_is_refused() {
    let bench = genesis();
    let watch = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(20);
    let answer = format!("\"watch witness\" = \"{}\"\n", watch.strftime("%Y-%m-%d %H:%M"));
    bench.write_answers(&TOKENS, &answer);
    let ran = bench.conduct();
    let told = bench.told(&ran);
    assert!(
        told.contains("error: the watch of witness and the machine's clock are more than 5 minutes apart [CLOCK-WINDOW]\nhint: read that watch again, in UTC; if it was right, set the machine's clock to UTC\n"),
        "{told}"
    );
    assert_eq!(ran.code(), 1);
    bench.write_answers(&TOKENS, "\"watch operator\" = \"half past two\"\n");
    let told = "operator gave no date and time [CLOCK-WINDOW]";
    let hint = "find a watch that shows UTC, and `resume`";
    bench.stops(|| bench.resume(), 1, [told, hint, &waits_at(2)]);
    bench.write_answers(&TOKENS, "");
    bench.resume().ok();
}

#[test]
fn words_that_a_custodian_types_wrong_let_no_token_sign() {
    let told = "the words of the consent digest, as it was read: by typing them you let your token sign were wrong 3 times [CONSENT-CUSTODIAN]";
    let answer = "\"consent officer-a\" = \"zoo zoo zoo zoo\"\n";
    stops_and_goes_on(&genesis(), answer, [told, COMPARE, &waits_at(13)]);
}

#[test]
fn words_that_the_second_reader_reads_otherwise_are_refused() {
    let told = "the words of what `officiant show` says on the other machine were wrong 3 times [SECOND-READER]";
    let answer = "second-reader-words = \"zoo zoo zoo zoo\"\n";
    stops_and_goes_on(&genesis(), answer, [told, COMPARE, &waits_at(12)]);
}

/// What stood on the screen before a text.
#[track_caller]
fn before<'a>(screen: &'a str, text: &str) -> &'a str {
    screen.split_once(text).unwrap_or_else(|| panic!("`{text}` is missing: {screen}")).0
}

#[test]
fn what_must_come_from_elsewhere_does_not_stand_on_the_screen_before() {
    let bench = genesis();
    bench.write_answers(&TOKENS, "\"consent officer-a\" = \"zoo zoo zoo zoo\"\n");
    let ran = bench.conduct();
    assert_eq!(ran.code(), 1);
    let screen = &ran.stderr;
    // No time of the machine before people said what their watches show.
    let opening = before(screen, "[2] operator — your watch in UTC");
    let digits = |at: usize| opening.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let times = opening.match_indices(':').filter(|(at, _)| digits(at + 1) && digits(at - 1));
    assert_eq!(times.count(), 0, "{opening}");
    assert!(opening.contains("\n        done: the words are right\n"), "{opening}");
    // No word of the consent digest before the second reader gave four, and all of them before any custodian is asked.
    let consent = bench.record().entries().iter().find_map(|entry| match &entry.body {
        Body::Done { fact: Fact::RootsDrafted { consent, .. } } => Some(*consent),
        _ => None,
    });
    let words = consent.unwrap().words();
    let first = format!("\n   1 {:<8}", words[0]);
    let hex = consent.unwrap().grouped()[..39].to_owned();
    let reading = before(screen, "[12] second reader — words");
    assert!(!reading.contains(&first) && !reading.contains(&hex), "{reading}");
    let signing = before(screen, "[13] seat of officer-a — words");
    assert!(signing.contains(&first) && signing.contains(&hex), "{signing}");
    // After a restart the custodians are shown them again.
    bench.write_answers(&TOKENS, "");
    let ran = bench.resume().ok();
    assert!(before(&ran.stderr, "[13] seat of officer-a — words").contains(&hex), "{}", ran.stderr);
}

#[test]
fn a_resumed_record_must_be_the_one_on_paper() {
    let bench = genesis();
    bench.write_answers(&TOKENS, "\"insert officer-c\" = \"absent on the train\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.write_answers(&TOKENS, "resume-words = \"zoo zoo zoo zoo zoo zoo\"\n");
    let ran = bench.resume();
    assert_eq!(ran.code(), 1);
    let told = bench.told(&ran);
    let last = format!(
        "error: the words of the checkpoint page of part Opening were wrong 3 times [RESUME-HEAD]\nhint: {COMPARE}\n{}\n",
        waits_at(7)
    );
    assert!(told.ends_with(&last), "{told}");
    bench.write_answers(&TOKENS, "");
    bench.resume().ok();
}

#[test]
fn a_repository_that_changes_otherwise_is_typed_by_name() {
    // Two repositories change alike, the third loses its own targets key.
    let names = ["localhost:5000/a", "localhost:5000/b", "localhost:5000/c"];
    let bench = Bench::new(Dialect::Notary, &names);
    bench.write_room(&TOKENS);
    let mut request = bench.request(&Default::default());
    let extra = super::Publisher::new();
    let last = request.repositories.values_mut().last().unwrap();
    let role = officiant::root::Role::Snapshot;
    last.keys.get_mut(&role).unwrap().push(extra.public());
    let digest = bench.lay_request(&request);
    let plan = bench.plan_toml(&on_tokens(), digest);
    let own = format!("snapshot = [\"{}\"", bench.online[&role].public().id());
    let at = plan.rfind(&own).unwrap() + own.len();
    let plan = format!("{}, \"{}\"{}", &plan[..at], extra.public().id(), &plan[at..]);
    bench.lay_plan(&plan, &on_tokens().roles);
    let told = "`localhost:5000/c` changes otherwise than the others, and was not typed by name [FLEET-OUTLIER]";
    let answer = "\"outlier localhost:5000/c\" = \"localhost:5000/a\"\n";
    let hint = "find out why it differs; `resume` shows it again";
    stops_and_goes_on(&bench, answer, [told, hint, &waits_at(12)]);
}
