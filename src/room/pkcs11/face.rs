//! What PKCS#11 tokens say of themselves.
//!
//! The room, PKCS#11: values only.

use cryptoki::slot::TokenInfo;

use super::{Face, Name, TriesLeft, yubikey};
use crate::room::token::{Outranking, clean};

pub(super) fn face(info: &TokenInfo) -> Face {
    let is_yubikey = yubikey::is_one(info);
    Face {
        name: Name { label: clean(info.label()), serial: clean(info.serial_number()) },
        manufacturer: clean(info.manufacturer_id()),
        model: clean(info.model()),
        firmware: info.firmware_version().to_string(),
        is_initialised: info.token_initialized(),
        has_user_pin: info.user_pin_initialized(),
        user_pin: user_tries(info),
        has_pad: info.protected_authentication_path(),
        pin_len: (info.min_pin_length(), info.max_pin_length()),
        is_touched: is_yubikey,
        outranked_by: if is_yubikey { Outranking::ManagementKey } else { Outranking::SoPin },
    }
}

pub(super) fn user_tries(info: &TokenInfo) -> TriesLeft {
    match (info.user_pin_locked(), info.user_pin_final_try(), info.user_pin_count_low()) {
        (true, _, _) => TriesLeft::Locked,
        (_, true, _) => TriesLeft::Last,
        (_, _, true) => TriesLeft::Low,
        _ => TriesLeft::Unsaid,
    }
}
