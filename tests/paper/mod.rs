//! Shares on paper: printed, photographed, typed, and read back by `officiant share scan` and by zbar.

mod scan;
mod vault;
