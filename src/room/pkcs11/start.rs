//! A module started: C_Initialize, with what the room file has for it.
//!
//! The room, PKCS#11: calls into foreign code.

use std::ffi::{CStr, CString, c_void};
use std::ptr::NonNull;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::Error as CkError;

/// Initialises a module. `parameters` is what the room file has for it, if it has anything.
pub(super) fn initialise(pkcs11: &Pkcs11, parameters: Option<&str>) -> Result<(), CkError> {
    let flags = CInitializeFlags::OS_LOCKING_OK;
    let Some(parameters) = parameters else {
        return pkcs11.initialize(CInitializeArgs::new(flags));
    };
    // The room file has none with a zero byte.
    let text = CString::new(parameters).map_err(|_| CkError::InvalidValue)?;
    pkcs11.initialize(with(flags, &text))
}

#[expect(unsafe_code, reason = "`cryptoki` has no safe way to pass the reserved argument")]
fn with(flags: CInitializeFlags, text: &CStr) -> CInitializeArgs {
    let pointer = NonNull::from(text).cast::<c_void>();
    // SAFETY: a text that ends in zero and outlives the call, which is what modules that have such an argument take (NSS
    // softokn); a module that takes something else there is told nothing by this program, unless a room file says so.
    unsafe { CInitializeArgs::new_with_reserved(flags, pointer) }
}
