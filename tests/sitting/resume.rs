//! Interrupted ceremonies go on.

use officiant::root::Dialect;

use super::Bench;
use super::genesis::on_tokens;

#[test]
fn a_token_that_is_not_here_is_brought_and_the_ceremony_goes_on() {
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    let tokens = ["officer-a", "officer-b", "officer-c"];
    bench.write_room(&tokens);
    bench.write_plan(&on_tokens());
    bench.write_answers(&tokens, "\"insert officer-c\" = \"absent on the train\"\n");
    let refused = bench.conduct();
    assert_eq!(refused.code(), 1);
    let lines: Vec<&str> = refused.stderr.lines().rev().take(3).collect();
    assert_eq!(
        lines,
        [
            "nothing was signed; the record holds what was done; `resume` goes on at step 7",
            "hint: bring it, and `resume`",
            "error: token `officer-c` is not here: on the train [QUORUM-PRESENT]",
        ]
    );
    bench.write_answers(&tokens, "");
    bench.resume().ok();
}
