//! `courier run`: real commands, with the digest of what is signed in the place of a name.

use std::path::Path;
use std::time::Duration;

use super::courier;
use super::pull::{HINT, Pushed};
use crate::harness::command::{Ran, command, run, run_with};
use crate::harness::engine::may_start;
use crate::harness::peers::peer;
use crate::harness::scratch::Scratch;

#[test]
fn docker_run_starts_what_is_signed_and_its_streams_and_exit_code_are_the_commands_own() {
    if !may_start(
        "docker_run_starts_what_is_signed_and_its_streams_and_exit_code_are_the_commands_own",
    ) {
        return;
    }
    let pushed = Pushed::new();
    let (one, two) = (pushed.registry.name("admin/demo:1"), pushed.registry.name("admin/demo:2"));
    pushed.push("admin/demo:1", "0", "moved");
    let words = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let courier = |line: String| {
        let line = words(&line);
        pushed.courier(&line.iter().map(String::as_str).collect::<Vec<_>>())
    };
    run(&mut courier(format!("pull {one}"))).ok();
    let script = "/busybox cat; /busybox echo to-stderr >&2; exit 7";
    let mut running = courier(format!("run -- docker run --rm -i --net none --name demo {one}"));
    let ran =
        run_with(running.args(["/busybox", "sh", "-c", script]), "typed", Duration::from_secs(60));
    assert_eq!((ran.code(), ran.stdout.as_str(), ran.stderr.as_str()), (7, "typed", "to-stderr\n"));
    // What was made is of the signed digest, not of what the tag is now in the registry or in the engine.
    let made = run(&mut courier(format!("run -- docker container create {one} /busybox"))).ok();
    let format = "{{.Config.Image}}";
    let of = pushed.docker(&["inspect", "--format", format, made.stdout.trim()]).ok().stdout;
    assert_eq!(of, format!("{}\n", pushed.signed("1")));
    // Nothing unsigned runs, whatever the environment says; it is even there already.
    for trust in ["1", "0"] {
        let mut running = courier(format!("run -- docker run --rm {two} /busybox echo ran"));
        let refused = run(running.env("DOCKER_CONTENT_TRUST", trust));
        let words = format!("error: `{two}` is not signed [TAG-UNSIGNED]\n{HINT}nothing was run\n");
        assert_eq!((refused.code(), refused.stdout.as_str(), refused.stderr), (1, "", words));
    }
    // In any other command its place is marked.
    let mut marked = courier(format!("run --image {one} -- echo {{}} --image={{}} {{}}x"));
    let signed = pushed.signed("1");
    assert_eq!(run(&mut marked).ok().stdout, format!("{signed} --image={signed} {{}}x\n"));
}

fn refused(line: &[&str]) -> Ran {
    let scratch = Scratch::new();
    let mut courier = courier(scratch.path());
    // Whoever got as far as asking would be told that nobody answers.
    courier.args(["run", "--server", "https://127.0.0.1:1"]).args(line);
    run(&mut courier)
}

#[test]
fn where_the_image_cannot_be_told_nothing_is_run() {
    let docker = peer("docker/docker");
    let docker = docker.to_str().unwrap();
    let unknown = |command: &str, option: &str, end: &str| {
        format!(
            "error: `{command} --help` does not name the option `{option}`\n\
             hint: write `{option}=VALUE`, or `{option}=true` where it takes none: then nothing is to be guessed\n{end}"
        )
    };
    let end = "nothing was run\n";
    let not_known = |program: &str| {
        format!(
            "error: where this command of `{program}` has its images is not known\n\
             hint: name the image by `--image IMAGE:TAG`, and write `{{}}` where the command has it; `courier pull` pulls\n{end}"
        )
    };
    let other = |option: &str| {
        format!(
            "error: `{option}` brings in what is not the signed image\n\
             hint: `courier verify` gives the digest of an image that is signed\n{end}"
        )
    };
    let run_of_docker = format!("{docker} run");
    for (line, words) in [
        (&["--", "kubectl", "run", "x", "--image=demo:1"][..], not_known("kubectl")),
        (&["--", docker, "pull", "demo:1"], not_known(docker)),
        (&["--", docker, "compose", "up"], not_known(docker)),
        (&["--", docker], not_known(docker)),
        (
            &["--", docker, "run", "--unheard", "of", "demo:1"],
            unknown(&run_of_docker, "--unheard", end),
        ),
        (&["--", docker, "--unheard", "run", "demo:1"], unknown(docker, "--unheard", end)),
        (&["--", "podman", "run", "--rootfs", "/"], other("--rootfs")),
        (
            &["--", docker, "run", "--mount", "type=Image,source=x,target=/x", "demo:1"],
            other("type=Image,source=x,target=/x"),
        ),
        (
            &["--image", "demo:1", "--", docker, "run", "other:1", "{}"],
            format!(
                "error: the command takes `other:1` for its image, which is not the one `{{}}`\n\
                 hint: put `{{}}` where the image stands\n{end}"
            ),
        ),
        (
            &["--image", "demo:1", "--", "echo", "demo:1"],
            format!(
                "error: no argument of the command is `{{}}`\n\
                 hint: write `{{}}` where the command has its image\n{end}"
            ),
        ),
    ] {
        let refused = refused(line);
        assert_eq!((refused.code(), refused.stdout.as_str(), refused.stderr), (1, "", words));
    }
    let refused = refused(&["--", docker, "run", "--rm", "-it"]);
    let words = format!("error: `{docker} run` is not given an image\nhint: name one\n{end}");
    assert_eq!((refused.code(), refused.stderr), (2, words));
}

/// Whether the program itself wants a value behind an option, told by what it misses when the option stands alone.
fn wants_value(program: &Path, verb: &str, option: &str) -> bool {
    let mut alone = command(program, Path::new("/"));
    let missed = run(alone.args([verb, option])).stderr;
    let wants_value = missed.contains(&format!("flag needs an argument: {option}"));
    assert!(wants_value || missed.contains("requires at least 1 arg"), "{option}: {missed}");
    wants_value
}

#[test]
fn the_image_is_found_behind_every_option_as_docker_and_podman_take_it() {
    let docker = peer("docker/docker");
    for (program, verb) in [(docker.as_path(), "run"), (Path::new("/usr/bin/podman"), "create")] {
        let help = run(command(program, Path::new("/")).args([verb, "--help"])).ok().stdout;
        let shown = help.lines().filter(|line| line.trim_start().starts_with('-'));
        let shown = shown.filter_map(|line| line.split("--").nth(1)?.split(' ').next());
        let shown: Vec<&str> = shown.filter(|name| !["help", "rootfs"].contains(name)).collect();
        assert!(shown.len() > 80, "{} options of {}", shown.len(), program.display());
        let mut line = vec!["--".to_owned(), program.to_str().unwrap().to_owned(), verb.to_owned()];
        // The last are not in the help, and taken.
        for name in shown.into_iter().chain(["dns-opt", "net"]) {
            let option = format!("--{name}");
            let wants_value = wants_value(program, verb, &option);
            line.push(option);
            line.extend(wants_value.then(|| "value".to_owned()));
        }
        line.extend(["Image:1".to_owned(), "other:1".to_owned()]);
        let refused = refused(&line.iter().map(String::as_str).collect::<Vec<_>>());
        let first = refused.stderr.lines().next().unwrap_or_default();
        assert_eq!(first, "error: `Image:1` is no name of an image", "{}", program.display());
    }
}
