//! What a YubiKey answers: the applet's answers, and before them whatever Yubico adds to PIV or does otherwise.

use crate::{
    admin::Management,
    applet::Applet,
    attest::{self, tlv},
    state::{Slot, State},
};

type Answer = Result<Vec<u8>, u16>;

pub(crate) struct Card<'c, 'a> {
    applet: &'c mut Applet<'a>,
    state: State,
    /// The PIV applet is selected, and not another.
    is_piv: bool,
    /// The management key was proven.
    manages: bool,
    /// What the card asked the one who manages to prove: the plain block of its challenge.
    witness: Vec<u8>,
    /// The command before this one verified the PIN.
    just_verified: bool,
    chained: Vec<u8>,
    unread: Vec<u8>,
}

impl<'c, 'a> Card<'c, 'a> {
    pub(crate) fn new(applet: &'c mut Applet<'a>, state: State) -> Self {
        Self {
            applet,
            state,
            is_piv: false,
            manages: false,
            witness: Vec::new(),
            just_verified: false,
            chained: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// The power went, or a program wanted the card as if.
    pub(crate) fn reset(&mut self) {
        self.applet.close();
        (self.is_piv, self.manages, self.just_verified) = (false, false, false);
        self.witness.clear();
        self.chained.clear();
        self.unread.clear();
    }

    /// Takes a command that may come in pieces; gives an answer that may go in pieces.
    pub(crate) fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let [class, instruction, p1, p2, rest @ ..] = command else { return vec![0x67, 0] };
        if *instruction == 0xc0 {
            return self.next_piece();
        }
        self.chained.extend(body(rest));
        if class & 0x10 != 0 {
            return vec![0x90, 0];
        }
        let data = std::mem::take(&mut self.chained);
        match self.command([*instruction, *p1, *p2], &data) {
            Ok(mut answer) => {
                if self.state.cuts == Some(*instruction) {
                    answer.truncate(1);
                }
                self.unread = answer;
                self.next_piece()
            }
            Err(status) => status.to_be_bytes().to_vec(),
        }
    }

    fn next_piece(&mut self) -> Vec<u8> {
        let rest = self.unread.split_off(self.unread.len().min(256));
        let mut piece = std::mem::replace(&mut self.unread, rest);
        match self.unread.len() {
            0 => piece.extend([0x90, 0]),
            left => piece.extend([0x61, u8::try_from(left).unwrap_or(0)]),
        }
        piece
    }

    fn command(&mut self, header: [u8; 3], data: &[u8]) -> Answer {
        let just_verified = std::mem::take(&mut self.just_verified);
        match header {
            [0x1d, ..] if !self.is_piv => Ok(self.config()),
            [0xa4, ..] => self.select(data),
            _ if !self.is_piv => Err(NO_SUCH_INSTRUCTION),
            [0x20, 0, 0x80] if !data.is_empty() => self.verify(data),
            [0x24, 0, p2] => self.change(p2, data),
            [0x2c, ..] => self.unblock(header, data),
            [0xcb, ..] => self.get(data),
            [0xdb, ..] => self.put(data),
            [0x47, 0, id] => self.generate(id, data),
            [0x87, _, 0x9b] => self.manage(data),
            [0x87, _, id] => self.use_key(id, header, data, just_verified),
            [0xf7, 0, id] => self.metadata(id),
            [0xf8, ..] => Ok(self.state.serial.to_be_bytes().to_vec()),
            [0xf9, id, 0] => self.attest(id),
            [0xfa, ..] => Ok(Vec::new()),
            [0xfb, ..] => self.to_factory(header),
            [0xfd, ..] => Ok(self.state.firmware.to_vec()),
            [0xff, 0xff, _] => self.set_management(data),
            _ => self.ask(header, data),
        }
    }

    /// The applet's own answer.
    fn ask(&mut self, header: [u8; 3], data: &[u8]) -> Answer {
        match self.applet.command(header, data) {
            (answer, 0x9000) => Ok(answer),
            (_, status) => Err(status),
        }
    }

    fn select(&mut self, name: &[u8]) -> Answer {
        self.reset();
        match name {
            [0xa0, 0, 0, 3, 8, ..] => {
                self.is_piv = true;
                self.ask([0xa4, 4, 0], &[0xa0, 0, 0, 3, 8, 0, 0, 0x10, 0, 1, 0])
            }
            // The management applet, which programs select to leave this one.
            [0xa0, 0, 0, 5, 0x27, 0x47, 0x11, 0x17] => {
                let [a, b, c] = self.state.firmware;
                Ok(format!("Virtual mgr - FW version {a}.{b}.{c}").into_bytes())
            }
            _ => Err(NOT_FOUND),
        }
    }

    /// What the management applet says: PIV is all that it can do and may, its serial, its form, its firmware.
    fn config(&self) -> Vec<u8> {
        let (serial, firmware) = (self.state.serial.to_be_bytes(), self.state.firmware);
        let said: [(u8, &[u8]); 5] =
            [(1, &[0x10]), (2, &serial), (3, &[0x10]), (4, &[1]), (5, &firmware)];
        let said: Vec<u8> = said
            .iter()
            .flat_map(|(tag, value)| [&[*tag, value.len() as u8], *value].concat())
            .collect();
        [&[said.len() as u8], &said[..]].concat()
    }

    fn verify(&mut self, pin: &[u8]) -> Answer {
        let verified = self.ask([0x20, 0, 0x80], pin);
        self.just_verified = verified.is_ok();
        verified.map_err(|status| self.wrong_pin(status))
    }

    /// A YubiKey says how many tries are left, whatever is wrong with a PIN.
    fn wrong_pin(&mut self, status: u16) -> u16 {
        match (status, self.applet.tries()) {
            (_, 0) => BLOCKED,
            (0x6300..=0x63ff, left) => 0x63c0 | u16::from(left),
            _ => status,
        }
    }

    fn change(&mut self, which: u8, data: &[u8]) -> Answer {
        let changed = self.ask([0x24, 0, which], data);
        let new = data.get(8..).unwrap_or_default();
        match (which, changed.is_ok()) {
            (0x80, true) => self.state.pin_is_factory = new == FACTORY_PIN,
            (0x80, false) => return changed.map_err(|status| self.wrong_pin(status)),
            (_, true) => (self.state.puk, self.state.puk_tries) = (new.to_vec(), 3),
            (_, false) => {
                self.state.puk_tries = self.state.puk_tries.saturating_sub(1);
                self.state.keep();
                return Err(self.puk_status());
            }
        }
        self.state.keep();
        changed
    }

    fn puk_status(&self) -> u16 {
        match self.state.puk_tries {
            0 => BLOCKED,
            left => 0x63c0 | u16::from(left),
        }
    }

    fn unblock(&mut self, header: [u8; 3], data: &[u8]) -> Answer {
        let done = self.ask(header, data);
        match &done {
            Ok(_) => (self.state.pin_is_factory, self.state.puk_tries) = (false, 3),
            Err(_) => self.state.puk_tries = self.state.puk_tries.saturating_sub(1),
        }
        self.state.keep();
        done.map_err(|_| self.puk_status())
    }

    fn get(&mut self, data: &[u8]) -> Answer {
        let (id, _) = object(data).ok_or(WRONG_DATA)?;
        if id == DISCOVERY {
            return Ok(tlv(0x7e, &APPLICATION));
        }
        if id == PRINTED && !self.applet.is_open() {
            return Err(SECURITY);
        }
        let content = match id {
            ATTESTATION => {
                let certificate = tlv(0x70, &attest::intermediate(&self.state));
                Some([certificate, vec![0x71, 1, 0, 0xfe, 0]].concat())
            }
            _ => self.state.objects.get(&id).cloned(),
        };
        content.map(|content| tlv(0x53, &content)).ok_or(NOT_FOUND)
    }

    fn put(&mut self, data: &[u8]) -> Answer {
        self.demand_management()?;
        let (id, rest) = object(data).ok_or(WRONG_DATA)?;
        match take(rest).ok_or(WRONG_DATA)? {
            (0x53, [], _) => self.state.objects.remove(&id),
            (0x53, content, _) if content.len() <= LARGEST => {
                self.state.objects.insert(id, content.to_vec())
            }
            _ => return Err(WRONG_DATA),
        };
        self.state.keep();
        Ok(Vec::new())
    }

    fn demand_management(&self) -> Result<(), u16> {
        if self.manages { Ok(()) } else { Err(SECURITY) }
    }

    fn generate(&mut self, id: u8, data: &[u8]) -> Answer {
        self.demand_management()?;
        let (0xac, mut rest, _) = take(data).ok_or(WRONG_DATA)? else { return Err(WRONG_DATA) };
        let (mut algorithm, mut pin_policy, mut touch_policy) = (0, 0, 0);
        while let Some((tag, value, after)) = take(rest) {
            let value = *value.first().ok_or(WRONG_DATA)?;
            match tag {
                0x80 => algorithm = value,
                0xaa => pin_policy = value,
                0xab => touch_policy = value,
                _ => return Err(WRONG_DATA),
            }
            rest = after;
        }
        let pin_policy = match (pin_policy, id) {
            (0, 0x9c) => 3,
            (0, _) => 2,
            (said, _) => said,
        };
        self.applet.manage();
        let made = self.ask([0x47, 0, inside(id)?], &[0xac, 3, 0x80, 1, algorithm])?;
        // 7F49 length, 86 length, point.
        let point = made.get(5..).unwrap_or_default().to_vec();
        let slot = Slot { algorithm, pin_policy, touch_policy: touch_policy.max(1), point };
        self.state.slots.insert(id, slot);
        self.state.keep();
        Ok(made)
    }

    /// Mutual authentication: the card shows a block that only the key opens, and is shown another one.
    fn manage(&mut self, data: &[u8]) -> Answer {
        let (0x7c, mut rest, _) = take(data).ok_or(WRONG_DATA)? else { return Err(WRONG_DATA) };
        let management = self.state.management.clone();
        let (mut witness, mut challenge) = (None, None);
        while let Some((tag, value, after)) = take(rest) {
            match tag {
                0x80 => witness = Some(value),
                0x81 => challenge = Some(value),
                _ => return Err(WRONG_DATA),
            }
            rest = after;
        }
        match (witness, challenge) {
            (Some([]), None) => {
                self.witness = vec![0; management.block()];
                rand_core::RngCore::fill_bytes(&mut rand_core::OsRng, &mut self.witness);
                Ok(tlv(0x7c, &tlv(0x80, &management.encrypt(&self.witness))))
            }
            (Some(shown), Some(challenge)) if challenge.len() == management.block() => {
                let expected = std::mem::take(&mut self.witness);
                self.manages = !expected.is_empty() && shown == expected;
                self.demand_management()?;
                Ok(tlv(0x7c, &tlv(0x82, &management.encrypt(challenge))))
            }
            _ => Err(WRONG_DATA),
        }
    }

    fn set_management(&mut self, data: &[u8]) -> Answer {
        self.demand_management()?;
        let [algorithm, 0x9b, _, key @ ..] = data else { return Err(WRONG_DATA) };
        self.state.management = Management::new(*algorithm, key).ok_or(WRONG_DATA)?;
        self.state.keep();
        Ok(Vec::new())
    }

    fn use_key(&mut self, id: u8, header: [u8; 3], data: &[u8], just_verified: bool) -> Answer {
        let slot = self.state.slots.get(&id).ok_or(NO_KEY)?;
        if slot.pin_policy == ALWAYS && !just_verified {
            return Err(SECURITY);
        }
        let [instruction, p1, _] = header;
        self.ask([instruction, p1, inside(id)?], data)
    }

    fn metadata(&mut self, id: u8) -> Answer {
        let flag = |is_factory| tlv(5, &[u8::from(is_factory)]);
        let said = match id {
            0x80 => {
                let was_open = self.applet.is_open();
                let left = if was_open { 3 } else { self.applet.tries() };
                vec![tlv(1, &[0xff]), flag(self.state.pin_is_factory), tlv(6, &[3, left])]
            }
            0x81 => {
                let tries = tlv(6, &[3, self.state.puk_tries]);
                vec![tlv(1, &[0xff]), flag(self.state.puk == FACTORY_PUK), tries]
            }
            0x9b => {
                let management = &self.state.management;
                let is_factory = *management == Management::factory(self.state.firmware);
                vec![tlv(1, &[management.algorithm]), tlv(2, &[0, 1]), flag(is_factory)]
            }
            _ => {
                let slot = self.state.slots.get(&id).ok_or(NO_KEY)?;
                let policies = tlv(2, &[slot.pin_policy, slot.touch_policy]);
                let public = tlv(4, &tlv(0x86, &slot.point));
                vec![tlv(1, &[slot.algorithm]), policies, tlv(3, &[1]), public]
            }
        };
        Ok(said.concat())
    }

    fn attest(&mut self, id: u8) -> Answer {
        let slot = self.state.slots.get(&id).ok_or(NO_KEY)?;
        Ok(attest::attestation(&self.state, id, slot))
    }

    fn to_factory(&mut self, header: [u8; 3]) -> Answer {
        if self.applet.tries() > 0 || self.state.puk_tries > 0 {
            return Err(CONDITIONS);
        }
        self.ask(header, &[])?;
        self.state.reset();
        self.manages = false;
        Ok(Vec::new())
    }
}

/// The applet's slot for a slot. In 9c the applet asks for the PIN before each signature, whatever the policy of the key:
/// such keys stand in its last slot, which has none of its own then.
fn inside(id: u8) -> Result<u8, u16> {
    match id {
        0x9c => Ok(LAST_RETIRED),
        LAST_RETIRED => Err(WRONG_DATA),
        other => Ok(other),
    }
}

/// The data of a command without its length, short or extended.
fn body(rest: &[u8]) -> &[u8] {
    match rest {
        [0, high, low, data @ ..] if !data.is_empty() => {
            &data[..data.len().min(usize::from(u16::from_be_bytes([*high, *low])))]
        }
        [length, data @ ..] => &data[..data.len().min(usize::from(*length))],
        [] => &[],
    }
}

/// The number of the object that a command names, and what follows.
fn object(data: &[u8]) -> Option<(u32, &[u8])> {
    let (0x5c, name, rest) = take(data)? else { return None };
    let number = name.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte));
    Some((number, rest))
}

/// Tag, value, and what follows.
fn take(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (length, rest) = match data {
        [_, 0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [_, 0x81, length, rest @ ..] | [_, length @ ..=0x7f, rest @ ..] => {
            (usize::from(*length), rest)
        }
        _ => return None,
    };
    Some((data[0], rest.get(..length)?, rest.get(length..)?))
}

const ALWAYS: u8 = 3;
/// Where the certificate of the attestation key is.
const ATTESTATION: u32 = 0x5f_ff01;
/// What the applet is and which PIN it has: programs that find it need not select it again, and lose no login.
const DISCOVERY: u32 = 0x7e;
const APPLICATION: [u8; 18] = *b"\x4f\x0b\xa0\0\0\x03\x08\0\0\x10\0\x01\0\x5f\x2f\x02\x40\0";
/// Where programs keep the management key that the PIN protects.
const PRINTED: u32 = 0x5f_c109;
const LARGEST: usize = 3063;
const LAST_RETIRED: u8 = 0x95;
const FACTORY_PIN: &[u8] = b"123456\xff\xff";
pub(crate) const FACTORY_PUK: &[u8] = b"12345678";
const SECURITY: u16 = 0x6982;
const BLOCKED: u16 = 0x6983;
const CONDITIONS: u16 = 0x6985;
const WRONG_DATA: u16 = 0x6a80;
const NOT_FOUND: u16 = 0x6a82;
const NO_KEY: u16 = 0x6a88;
const NO_SUCH_INSTRUCTION: u16 = 0x6d00;
