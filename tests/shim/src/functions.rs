//! The 68 functions of PKCS#11 2.40, in the order of `CK_FUNCTION_LIST`, each with the number of its arguments.
//!
//! Every argument is a pointer, a `CK_ULONG` or a `CK_BBOOL`: a machine word, forwarded as it came.

use super::call;

/// How many there are.
pub(crate) const COUNT: usize = 68;

macro_rules! functions {
    ($($index:literal $name:ident $($argument:ident)+;)+) => {
        /// Their names.
        pub(crate) const NAMES: [&str; COUNT] = [$(stringify!($name)),+];

        $(extern "C" fn $name($($argument: usize),+) -> usize {
            call($index, &[$($argument),+], |real| {
                let real: extern "C" fn($(functions!(@word $argument)),+) -> usize =
                    unsafe { std::mem::transmute(real) };
                real($($argument),+)
            })
        })+

        /// Where they are in this module.
        pub(crate) fn addresses() -> [usize; COUNT] {
            [$($name as *const () as usize),+]
        }
    };
    (@word $argument:ident) => { usize };
}

functions! {
    0 C_Initialize a;
    1 C_Finalize a;
    2 C_GetInfo a;
    3 C_GetFunctionList a;
    4 C_GetSlotList a b c;
    5 C_GetSlotInfo a b;
    6 C_GetTokenInfo a b;
    7 C_GetMechanismList a b c;
    8 C_GetMechanismInfo a b c;
    9 C_InitToken a b c d;
    10 C_InitPIN a b c;
    11 C_SetPIN a b c d e;
    12 C_OpenSession a b c d e;
    13 C_CloseSession a;
    14 C_CloseAllSessions a;
    15 C_GetSessionInfo a b;
    16 C_GetOperationState a b c;
    17 C_SetOperationState a b c d e;
    18 C_Login a b c d;
    19 C_Logout a;
    20 C_CreateObject a b c d;
    21 C_CopyObject a b c d e;
    22 C_DestroyObject a b;
    23 C_GetObjectSize a b c;
    24 C_GetAttributeValue a b c d;
    25 C_SetAttributeValue a b c d;
    26 C_FindObjectsInit a b c;
    27 C_FindObjects a b c d;
    28 C_FindObjectsFinal a;
    29 C_EncryptInit a b c;
    30 C_Encrypt a b c d e;
    31 C_EncryptUpdate a b c d e;
    32 C_EncryptFinal a b c;
    33 C_DecryptInit a b c;
    34 C_Decrypt a b c d e;
    35 C_DecryptUpdate a b c d e;
    36 C_DecryptFinal a b c;
    37 C_DigestInit a b;
    38 C_Digest a b c d e;
    39 C_DigestUpdate a b c;
    40 C_DigestKey a b;
    41 C_DigestFinal a b c;
    42 C_SignInit a b c;
    43 C_Sign a b c d e;
    44 C_SignUpdate a b c;
    45 C_SignFinal a b c;
    46 C_SignRecoverInit a b c;
    47 C_SignRecover a b c d e;
    48 C_VerifyInit a b c;
    49 C_Verify a b c d e;
    50 C_VerifyUpdate a b c;
    51 C_VerifyFinal a b c;
    52 C_VerifyRecoverInit a b c;
    53 C_VerifyRecover a b c d e;
    54 C_DigestEncryptUpdate a b c d e;
    55 C_DecryptDigestUpdate a b c d e;
    56 C_SignEncryptUpdate a b c d e;
    57 C_DecryptVerifyUpdate a b c d e;
    58 C_GenerateKey a b c d e;
    59 C_GenerateKeyPair a b c d e f g h;
    60 C_WrapKey a b c d e f;
    61 C_UnwrapKey a b c d e f g h;
    62 C_DeriveKey a b c d e f;
    63 C_SeedRandom a b c;
    64 C_GenerateRandom a b c;
    65 C_GetFunctionStatus a;
    66 C_CancelFunction a;
    67 C_WaitForSlotEvent a b c;
}
