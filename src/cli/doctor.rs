//! `doctor`: whether this machine is fit for a ceremony.
//!
//! Roof: reads what the kernel says and the files of modules; a vault child tells what its fence is worth here.

use serde::Serialize;

use super::args::Doctor;
use super::command::{print, room};
use super::folder::json;
use super::reading;
use crate::RELEASED;
use crate::advisory;
use crate::child::vault::Vault;
use crate::child::{Fence, Launch};
use crate::digest::Digest;
use crate::paper::{self, Paper};
use crate::refusal::{Exit, Refusal};
use crate::room::binding::{Binding, module_digest};
use crate::room::clock::{Clock, SystemClock};
use crate::room::entropy;
use crate::room::machine::{Finding, Grade, Machine, Offer, clock};
use crate::wording::{Count, List, one_line};

/// Runs `doctor`.
///
/// # Errors
/// A room file that cannot be read; and, when all is told, that something is bad.
pub(super) fn doctor(args: &Doctor) -> Result<(), Refusal> {
    let room = args.room.as_deref().map(room).transpose()?;
    let checkup = Checkup::of(&Machine::below("/", entropy::is_ready()), room.as_ref())?;
    if args.json {
        print(&json(&checkup)?)?
    } else {
        print(&checkup.text())?
    }
    checkup.verdict()
}

/// What was found.
#[derive(Debug, Serialize)]
struct Checkup {
    schema: &'static str,
    findings: Vec<Finding>,
    digests: Vec<Program>,
    offers: Vec<Offer>,
}

/// A program by its digest.
#[derive(Debug, Serialize)]
struct Program {
    name: String,
    sha256: Digest,
    words: Vec<&'static str>,
}

impl Checkup {
    fn of(machine: &Machine, room: Option<&Binding>) -> Result<Self, Refusal> {
        let tool = reading::tool()?;
        let mut checkup = Self {
            schema: "officiant-doctor-1",
            findings: machine.findings(),
            digests: Vec::new(),
            offers: Vec::new(),
        };
        checkup.findings.push(clock(SystemClock.now(), RELEASED));
        checkup.findings.extend(fence(machine));
        checkup.program(format!("officiant {}", tool.version), tool.sha256);
        let (many, until) = (advisory::count(), advisory::KNOWN_UNTIL);
        let known = format!("{many} weaknesses of tokens are known to it, until {until}");
        checkup.findings.push(Finding::ok("advisories", known));
        checkup
            .findings
            .push(Finding::ok("binary", "its digest is below; paper says what it must be"));
        match room {
            Some(room) => checkup.modules(room),
            None => checkup.offered(machine),
        }
        Ok(checkup)
    }

    fn program(&mut self, name: String, sha256: Digest) {
        self.digests.push(Program { name, sha256, words: sha256.words().to_vec() });
    }

    /// The modules that the room file names.
    fn modules(&mut self, room: &Binding) {
        for module in &room.modules {
            let finding = match module_digest(&module.path) {
                Ok(sha256) => {
                    self.program(format!("module {}", module.name), sha256);
                    Finding::ok("module", format!("`{}`: its digest is below", module.name))
                }
                Err(error) => {
                    let refusal = error.refusal();
                    let hint = List::and(&refusal.hints).to_string();
                    Finding::bad("module", refusal.to_string(), hint)
                }
            };
            self.findings.push(finding);
        }
    }

    /// Without a room file, the modules that it could name.
    fn offered(&mut self, machine: &Machine) {
        match machine.offers() {
            Ok(offers) => self.offers = offers,
            Err(unseen) => self.findings.push(unseen),
        }
        for offer in self.offers.clone() {
            if let Some(sha256) = offer.sha256 {
                self.program(format!("offered: {}", offer.name), sha256);
            }
        }
        let said = format!(
            "no room file was given; p11-kit lists {}, offered below",
            Count(self.offers.len(), "module")
        );
        self.findings.push(Finding::ok("modules", said));
    }

    fn of_grade(&self, grade: Grade) -> Vec<&Finding> {
        self.findings.iter().filter(|finding| finding.grade == grade).collect()
    }

    /// The findings, the worst first; then what to compare with paper, then what to put into room.toml.
    fn text(&self) -> String {
        let mut paper = Paper::new("This machine, for a ceremony", "");
        let [bad, warn, ok] = GRADES.map(|grade| self.of_grade(grade).len());
        paper.prose(format!("{bad} bad, {warn} to decide on, {ok} ok"));
        for grade in GRADES {
            let findings = self.of_grade(grade);
            paper.pairs(findings.into_iter().map(|finding| {
                let label = format!("{:<5} {}", grade.name(), finding.subject);
                let hint = finding.hint.iter().map(|hint| format!(" — {hint}"));
                (label, hint.fold(finding.said.clone(), |said, hint| said + &hint))
            }));
        }
        paper.section("Compare with paper");
        for program in &self.digests {
            paper.digest(&program.name, program.sha256);
        }
        let mut text = paper::text(&paper);
        if !self.offers.is_empty() {
            text += "\nFor room.toml, of these what the ceremony needs\n";
            for offer in &self.offers {
                let unfit = || {
                    format!("# {}: its path is no text\n", one_line(&offer.path.to_string_lossy()))
                };
                text += &format!("\n{}", offer.lines().unwrap_or_else(unfit));
            }
        }
        text
    }

    fn verdict(&self) -> Result<(), Refusal> {
        let bad = self.of_grade(Grade::Bad);
        if bad.is_empty() {
            return Ok(());
        }
        let mut subjects: Vec<&str> = bad.iter().map(|finding| finding.subject).collect();
        subjects.dedup();
        let what = format!("this machine is not fit for a ceremony: {}", List::and(&subjects));
        Err(Refusal::new(Exit::Refused, what)
            .hint("do what stands beside each finding that is bad, and run it again")
            .standing("nothing was changed; the machine was only looked at"))
    }
}

/// What a child can deny itself here: the vault raises its fence, and says so.
fn fence(machine: &Machine) -> Vec<Finding> {
    let vault = match Vault::start(&Launch::this_binary("vault")) {
        Ok(vault) => vault.fence(),
        Err(error) => {
            let refusal = error.refusal(Refusal::NOTHING_DONE);
            let hint = "use a kernel with seccomp, and start this where it may use it";
            return vec![Finding::bad("fence", refusal.to_string(), hint)];
        }
    };
    let landlock = vault.landlock;
    vec![
        Finding::ok(
            "fence",
            "seccomp: children deny themselves sockets, programs, other processes",
        ),
        if !vault.is_confined() {
            Finding::bad(
                "landlock",
                Fence::UNCONFINED,
                "use a kernel with Landlock, and `landlock` in its `lsm=`",
            )
        } else if landlock < SCOPES {
            let said = format!(
                "form {landlock}: files are confined; abstract sockets are not, before form {SCOPES}"
            );
            Finding::warn("landlock", said, "use Linux 6.12 or later")
        } else {
            Finding::ok(
                "landlock",
                format!("form {landlock}: a child opens only the files that it needs"),
            )
        },
        if vault.is_memory_locked {
            Finding::ok("memory lock", "all memory of the children stays off every disk")
        } else {
            let said = format!(
                "this account may lock {} bytes: memory of children may go to swap",
                machine.lockable()
            );
            Finding::warn("memory lock", said, "`ulimit -l unlimited`, or no swap at all")
        },
    ]
}

/// The worst first.
const GRADES: [Grade; 3] = [Grade::Bad, Grade::Warn, Grade::Ok];

/// The form of Landlock that has scopes: signals and abstract sockets.
const SCOPES: i32 = 6;
