//! The raw loop: a PKCS#11 module called as the standard says and nothing around it, with a fixed buffer for signatures.

use std::path::Path;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_FUNCTION_LIST, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE,
    CK_TRUE, CKA_CLASS, CKF_SERIAL_SESSION, CKM_ECDSA, CKO_PRIVATE_KEY, CKU_USER, Pkcs11,
};

use crate::soft::PIN;

/// Calls a function of the list, and ends the process where it does not say that all is well.
macro_rules! call {
    ($list:expr, $name:ident($($argument:expr),*)) => {{
        let function = $list.$name.expect(stringify!($name));
        ok(stringify!($name), function($($argument),*));
    }};
}

/// Signs so many digests with the one private key on the token that the module shows first, and gives the time of the
/// loop. The whole process is: load, initialize, open, log in, find, sign, log out, finalize.
pub(crate) fn sign(module: &Path, count: usize) -> Duration {
    unsafe {
        let library = Pkcs11::new(module.as_os_str()).expect("a module");
        let mut list: *mut CK_FUNCTION_LIST = null_mut();
        ok("C_GetFunctionList", library.C_GetFunctionList(&raw mut list));
        let list = &*list;
        call!(list, C_Initialize(null_mut()));
        let session = open(list);
        let key = find(list, session);
        let began = Instant::now();
        let mut digest = [7; 32];
        for number in 0..count {
            digest[..8].copy_from_slice(&number.to_le_bytes());
            let mut mechanism =
                CK_MECHANISM { mechanism: CKM_ECDSA, pParameter: null_mut(), ulParameterLen: 0 };
            call!(list, C_SignInit(session, &raw mut mechanism, key));
            let mut signature = [0; 64];
            let mut length = 64;
            let (into, digest) = (signature.as_mut_ptr(), digest.as_mut_ptr());
            call!(list, C_Sign(session, digest, 32, into, &raw mut length));
            assert_eq!(length, 64, "a signature of P-256");
        }
        let took = began.elapsed();
        call!(list, C_Logout(session));
        call!(list, C_Finalize(null_mut()));
        took
    }
}

unsafe fn open(list: &CK_FUNCTION_LIST) -> CK_SESSION_HANDLE {
    unsafe {
        let mut slots = [0; 8];
        let mut count = 8;
        call!(list, C_GetSlotList(CK_TRUE, slots.as_mut_ptr(), &raw mut count));
        assert!(count > 0, "the module shows no token");
        let mut session = 0;
        let flags = CKF_SERIAL_SESSION;
        call!(list, C_OpenSession(slots[0], flags, null_mut(), None, &raw mut session));
        let mut pin = PIN.as_bytes().to_vec();
        let length = pin.len().try_into().expect("a short PIN");
        call!(list, C_Login(session, CKU_USER, pin.as_mut_ptr(), length));
        session
    }
}

unsafe fn find(list: &CK_FUNCTION_LIST, session: CK_SESSION_HANDLE) -> CK_OBJECT_HANDLE {
    unsafe {
        let mut class = CKO_PRIVATE_KEY;
        let mut template = CK_ATTRIBUTE {
            type_: CKA_CLASS,
            pValue: (&raw mut class).cast(),
            ulValueLen: size_of_val(&class).try_into().expect("a short value"),
        };
        call!(list, C_FindObjectsInit(session, &raw mut template, 1));
        let (mut key, mut count) = (0, 0);
        call!(list, C_FindObjects(session, &raw mut key, 1, &raw mut count));
        call!(list, C_FindObjectsFinal(session));
        assert_eq!(count, 1, "the token holds no private key");
        key
    }
}

fn ok(function: &str, code: CK_RV) {
    assert_eq!(code, 0, "{function}");
}
