//! Shares on paper: printed, their passphrases shown once and typed back, read back from a scan or as typed, and opened.
//!
//! Roof. The vault draws the passphrase and opens the share; this process passes what its custodian types.

use std::path::{Path, PathBuf};

use super::share::{Opening, set_of};
use super::sheet::{Known, sheet_of};
use super::words::{ATTEMPTS, table};
use super::{Session, paper_share};
use crate::ceremony::fact::{Fact, Purpose, ShareMade};
use crate::check::Check;
use crate::child;
use crate::child::vault::{Refused, Vault};
use crate::digest::Digest;
use crate::paper;
use crate::record::Mode;
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Expected, Prompt};
use crate::room::media;
use crate::seal::{self, Opener};
use crate::secret::Passphrase;
use crate::share::paper::{PaperShare, TypedLine};
use crate::share::{self, Set, ShareIndex};
use crate::trust::{CustodyShare, ShareOf};

/// Where a share on paper is read from.
struct Wanted<'a> {
    paper: &'a str,
    set: &'a Set,
    made: &'a ShareMade,
    index: ShareIndex,
    /// Answers beside the path of a scan, and what a rehearsal answers.
    offers: &'a str,
    expected: String,
}

/// What was brought.
enum Brought {
    Absent(String),
    Custody,
    Share(PaperShare),
}

impl Session<'_> {
    pub(super) fn is_paper(&self, holder: &str) -> bool {
        self.ceremony.roster().paper(holder).is_some()
    }

    /// Prints a share, and proves print and passphrase before anybody needs them. `[SHARE-PROVEN]`
    pub(super) fn print_share(
        &mut self,
        step: u32,
        key: &str,
        index: u8,
        name: &str,
    ) -> Result<Fact, Refusal> {
        let (set, made) = made_of(self, key, index)?;
        let sealed = self.sealed_file(&set, index)?;
        let place = place(index)?;
        self.begin(step, name)?;
        let (page, codes) = self.lay_page(key, &set, (&made, &sealed))?;
        self.show(&format!("        the page is {}", page.display()))?;
        let prompt = self.asked(
            step,
            format!("print {name}"),
            name,
            format!("print that page on one sheet as paper {name}, and press Enter"),
        );
        self.ask(&prompt)?;
        let passphrase = self.hand_over(step, name, &set, place)?;
        let wanted = Wanted {
            paper: name,
            set: &set,
            made: &made,
            index: place,
            offers: "or `type` to type its lines",
            expected: codes.display().to_string(),
        };
        let Brought::Share(share) = self.bring(step, &wanted)? else {
            let what = format!("paper `{name}` was not read back");
            return Err(Refusal::of(Check::ShareProven, what)
                .hint("scan the page that was printed just now, or type its lines"));
        };
        self.vault()?
            .open_by(&set, place, &share.sealed, Opener::Passphrase(passphrase))
            .map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
        Ok(Fact::ShareStored { key: key.to_owned(), index, on_token: false, statement: None })
    }

    /// Opens a share from its paper, by its custodian's consent and passphrase.
    pub(super) fn open_paper(&mut self, step: u32, opening: &Opening<'_>) -> Result<Fact, Refusal> {
        let Opening { key, index, holder: name, purpose } = *opening;
        let (set, made) = made_of(self, key, index)?;
        let place = place(index)?;
        let wanted = Wanted {
            paper: name,
            set: &set,
            made: &made,
            index: place,
            offers: "`type` to type its lines, `custody` for the copy in the custody folder, or `absent` and why, and it is left out to the end",
            expected: "custody".to_owned(),
        };
        let sealed = match self.bring(step, &wanted)? {
            Brought::Share(share) => share.sealed,
            Brought::Custody => self.sealed_file(&set, index)?,
            Brought::Absent(reason) => {
                return Ok(Fact::TokenAbsent { token: name.to_owned(), reason });
            }
        };
        expect_made(&set, &made, &format!("paper `{name}`"), &sealed)?;
        if purpose == Purpose::Sign {
            self.consent(step, name)?;
        }
        self.try_words(step, name, |vault, words| vault.open_by(&set, place, &sealed, words))?;
        // Like a token, it means to sign only once it was opened: wrong words begin nothing.
        if purpose == Purpose::Sign {
            self.intend_unstored(step, key, name)?;
        }
        Ok(Fact::ShareOpened { key: key.to_owned(), index, purpose })
    }

    /// Reads a paper back, and proves its passphrase without opening the share.
    pub(super) fn drill_paper(&mut self, step: u32, name: &str) -> Result<Fact, Refusal> {
        let ShareOf { key, share, .. } = self.ceremony.share_on_paper(name)?;
        let (set, made) = made_of(self, &key, share.index)?;
        let place = place(share.index)?;
        // No paper was ever printed for a rehearsal: its page is made for it.
        let expected = match self.room.mode {
            Mode::Rehearsal => {
                let sealed = self.sealed_file(&set, share.index)?;
                self.lay_page(&key, &set, (&made, &sealed))?.1.display().to_string()
            }
            Mode::Ceremony | Mode::Practice => String::new(),
        };
        let wanted = Wanted {
            paper: name,
            set: &set,
            made: &made,
            index: place,
            offers: "`type` to type its lines, or `absent` and why",
            expected,
        };
        let sealed = match self.bring(step, &wanted)? {
            Brought::Share(share) => share.sealed,
            Brought::Absent(reason) => {
                return Ok(Fact::TokenAbsent { token: name.to_owned(), reason });
            }
            Brought::Custody => return Err(Refusal::new(Exit::Ours, "a drill takes no copy")),
        };
        self.try_words(step, name, |vault, words| vault.unlock_by(place, &sealed, words))?;
        Ok(Fact::PaperDrilled { paper: name.to_owned() })
    }

    /// Writes the page of a share, and its codes as a picture, into the work folder.
    fn lay_page(
        &self,
        key: &str,
        set: &Set,
        (made, sealed): (&ShareMade, &[u8]),
    ) -> Result<(PathBuf, PathBuf), Refusal> {
        let known = Known {
            key: key.to_owned(),
            public: set.key.clone(),
            set: set.id,
            threshold: set.threshold,
            share: CustodyShare {
                index: made.index,
                holder: made.holder.clone(),
                commitment: made.commitment,
                sealed: made.sealed,
                on_token: false,
            },
        };
        let custodian = self.ceremony.roster().custodian(&made.holder);
        let mut sheet = sheet_of(&known, custodian, sealed)?;
        sheet.mark = paper::script::mark(self.room.mode);
        let drawn = paper::png(&sheet.codes)
            .ok_or_else(|| Refusal::new(Exit::Ours, "a code cannot be drawn"))?;
        let work = &self.room.binding.work;
        // A set that was made anew has pages of its own.
        let stem = format!("{PAPERS}/{}-{}", made.holder, &set.id.to_string()[..8]);
        let device = |error: media::Error| self.device(&error);
        media::make_folders(work, PAPERS).map_err(device)?;
        let html = paper::html(&paper::sheet::sheet(&sheet));
        for (end, bytes) in [("html", html.as_bytes()), ("png", &drawn)] {
            media::write_new_in(work, &format!("{stem}.{end}"), bytes).map_err(device)?;
        }
        Ok((work.join(format!("{stem}.html")), work.join(format!("{stem}.png"))))
    }

    /// Shows the passphrase of a share to its custodian, and hears it back. `[SHARE-PASSPHRASE]`
    fn hand_over(
        &mut self,
        step: u32,
        name: &str,
        set: &Set,
        index: ShareIndex,
    ) -> Result<Passphrase, Refusal> {
        let drawn = self.vault()?.passphrase(set, index);
        let drawn = drawn.map_err(|error| self.child(&error))?;
        let text = format!(
            "write down these ten words, the passphrase of paper {name}, apart from it, unseen by all others; Enter clears the screen"
        );
        let prompt = self.asked(step, format!("passphrase {name}"), name, text);
        let shown = self.room.console.show_passphrase(&prompt, &drawn);
        shown.map_err(|error| self.unheard(&error))?;
        for left in (0..ATTEMPTS).rev() {
            let typed = self.hear_passphrase(step, name)?;
            if typed.matches(&drawn) {
                return Ok(typed);
            }
            self.show(&format!(
                "        these are not the words that were shown; tries left: {left}"
            ))?;
        }
        let what = format!("the passphrase of paper `{name}` was not typed back as it was shown");
        Err(Refusal::of(Check::SharePassphrase, what)
            .hint("run `resume`: the set is made anew, with other passphrases"))
    }

    /// Hears ten words, unechoed; what cannot be a passphrase is asked for again.
    fn hear_passphrase(&mut self, step: u32, name: &str) -> Result<Passphrase, Refusal> {
        let text = format!("the ten words of paper {name}, four letters of each are enough");
        let prompt = self.asked(step, format!("pin {name}"), name, text);
        let prompt = Prompt { expected: None, ..prompt };
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let typed = self.hear_pin(&prompt)?.into_bytes();
            match Passphrase::typed(&typed) {
                Ok(passphrase) => return Ok(passphrase),
                Err(error) if left > 0 => self.show(&format!("        {error}"))?,
                Err(error) => {
                    return Err(Refusal::of(Check::SharePassphrase, error.to_string()).hint(
                        "its custodian looks at the words again, and `resume` asks once more",
                    ));
                }
            }
        }
    }

    /// Tries the words that the custodian of a paper types, as often as they may be wrong.
    fn try_words(
        &mut self,
        step: u32,
        name: &str,
        mut attempt: impl FnMut(&mut Vault, Opener) -> Result<(), child::Error>,
    ) -> Result<(), Refusal> {
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let passphrase = self.hear_passphrase(step, name)?;
            match attempt(self.vault()?, Opener::Passphrase(passphrase)) {
                Err(child::Error::Vault(Refused::SealedShare {
                    refused: seal::Error::OtherPassphrase,
                    ..
                })) if left > 0 => {
                    self.show("        these are not the words of this paper")?;
                }
                opened => {
                    return opened.map_err(|error| error.refusal(Refusal::NOTHING_DONE));
                }
            }
        }
    }

    /// A paper remembers nothing, and neither does an identity: the custodian's receipt carries what is to be signed.
    pub(super) fn intend_unstored(
        &mut self,
        step: u32,
        key: &str,
        name: &str,
    ) -> Result<(), Refusal> {
        if self.ceremony.has_intended(name) {
            return Ok(());
        }
        let consent = self.drafted_consent()?;
        let what = if self.is_paper(name) { "a paper" } else { "an identity" };
        self.show(&format!(
            "        {what} stores nothing: its custodian's receipt carries these words"
        ))?;
        self.show(&table(&consent))?;
        let (key, token) = (key.to_owned(), name.to_owned());
        self.take(step, Fact::Intended { key, token, consent, stored: false, apart: false })
    }

    /// Asks for a paper until the share on it is the one that was made, or is not to be had.
    fn bring(&mut self, step: u32, wanted: &Wanted<'_>) -> Result<Brought, Refusal> {
        let name = wanted.paper;
        let text = format!("path of a scan of paper {name}, {}", wanted.offers);
        let mut prompt = self.asked(step, format!("scan {name}"), name, text);
        prompt.expected = Some(Expected::Text(wanted.expected.clone()));
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let typed = self.ask(&prompt)?;
            let read = match typed.split_once(' ') {
                None if typed == "custody" && wanted.offers.contains("`custody`") => {
                    return Ok(Brought::Custody);
                }
                Some(("absent", reason)) if !reason.trim().is_empty() => {
                    return Ok(Brought::Absent(reason.trim().to_owned()));
                }
                None if typed == "type" => self.hear_lines(step, name),
                _ => paper_share(&paths(&typed)),
            };
            let read = read.and_then(|share| expect_share(wanted, &share).map(|()| share));
            match read {
                Ok(share) => return Ok(Brought::Share(share)),
                Err(refusal) if left > 0 && refusal.exit != Exit::Ours => {
                    self.say_again(&refusal)?
                }
                Err(refusal) => return Err(refusal),
            }
        }
    }

    /// Hears the lines of a page, each until it agrees with its check word.
    fn hear_lines(&mut self, step: u32, name: &str) -> Result<PaperShare, Refusal> {
        let mut lines: Vec<TypedLine> = Vec::new();
        let mut left = ATTEMPTS;
        while PaperShare::lines_of(&lines).is_none_or(|all| lines.len() < all) {
            let number = lines.len() + 1;
            let text = format!("line {number} of paper {name}, letters and check word");
            let prompt = self.asked(step, format!("line {name}"), name, text);
            let typed = self.hear(&Prompt { expected: None, ..prompt })?;
            // The number is asked for, so it need not be typed.
            let first = typed.split([' ', '.', ':']).next().unwrap_or_default();
            // A group of letters may be of digits alone, and is longer than any number.
            let numbered = (1..=2).contains(&first.len()) && first.parse::<u8>().is_ok();
            let numbered = if numbered { typed } else { format!("{number} {typed}") };
            let read = TypedLine::read(&numbered).and_then(|line| match line.number() == number {
                true => Ok(line),
                false => Err(share::paper::Error::LineMissing { line: number }),
            });
            match read {
                Ok(line) => {
                    lines.push(line);
                    left = ATTEMPTS;
                }
                Err(error) => {
                    left -= 1;
                    if left == 0 || lines.len() >= MAX_LINES {
                        return Err(error.refusal());
                    }
                    self.say_again(&error.refusal())?;
                }
            }
        }
        PaperShare::from_lines(&lines).map_err(|error| error.refusal())
    }

    pub(super) fn asked(&self, step: u32, id: String, holder: &str, text: String) -> Prompt {
        let who = self.ceremony.roster().custodian(holder).to_owned();
        Prompt { step, id, who, text, expected: Some(Expected::Text(String::new())) }
    }
}

/// The set of a key, and what is known of one share of it.
pub(super) fn made_of(
    session: &Session<'_>,
    key: &str,
    index: u8,
) -> Result<(Set, ShareMade), Refusal> {
    let (set, shares) = set_of(&session.ceremony, key)?;
    let made = shares.into_iter().find(|share| share.index == index);
    let made =
        made.ok_or_else(|| Refusal::new(Exit::Ours, format!("key `{key}` has no share {index}")))?;
    Ok((set, made))
}

pub(super) fn place(index: u8) -> Result<ShareIndex, Refusal> {
    ShareIndex::new(index).ok_or_else(|| Refusal::new(Exit::Ours, "a share without an index"))
}

/// What was read is, by set, place, key and every byte, the share that was made.
fn expect_share(wanted: &Wanted<'_>, share: &PaperShare) -> Result<(), Refusal> {
    share.expect(wanted.set, wanted.index).map_err(|error| {
        child::Error::Vault(Refused::Share(error)).refusal(Refusal::NOTHING_DONE)
    })?;
    let called = format!("paper `{}`", wanted.paper);
    expect_made(wanted.set, wanted.made, &called, &share.sealed)
}

/// A sealed share, as somebody has it, is by every byte the one that was made.
pub(super) fn expect_made(
    set: &Set,
    made: &ShareMade,
    called: &str,
    sealed: &[u8],
) -> Result<(), Refusal> {
    if Digest::of(sealed) == made.sealed {
        return Ok(());
    }
    let what = format!(
        "share {} of set {}, as {called} has it, is not the one that was made",
        made.index, set.id
    );
    Err(Refusal::of(Check::ShareCommitment, what).hint("leave it out, and open another share"))
}

/// One path, which may have spaces in it, or several.
fn paths(typed: &str) -> Vec<PathBuf> {
    match Path::new(typed).is_file() {
        true => vec![PathBuf::from(typed)],
        false => typed.split_whitespace().map(PathBuf::from).collect(),
    }
}

/// The folder of the pages, in the work folder.
const PAPERS: &str = "papers";
/// More lines than any page has.
const MAX_LINES: usize = 64;
