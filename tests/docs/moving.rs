//! docs/courier.md maps every command and option of `docker trust` and `notary` to ours.

use std::collections::BTreeSet;
use std::process::Command;

use super::top;
use crate::harness::{
    command::{command, run},
    peers::peer,
    scratch::Scratch,
};

/// The rows of the tables: what stands in ticks in the first column, and in the second.
fn rows() -> Vec<[Vec<String>; 2]> {
    let page = std::fs::read_to_string(top().join("docs/courier.md")).expect("docs/courier.md");
    let ticked = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let rows = cells.filter(|cells| cells.len() == 5);
    rows.map(|cells| [ticked(cells[1]), ticked(cells[2])]).collect()
}

/// Every command of a program below one of its own, with its long options, by its help.
fn commands(start: &dyn Fn(&[&str]) -> Command, path: &[&str]) -> Vec<(String, BTreeSet<String>)> {
    let help = run(&mut start(path));
    let text = format!("{}{}", help.stdout, help.stderr);
    let (mut below, mut options, mut in_list) = (Vec::new(), BTreeSet::new(), false);
    for line in text.lines() {
        if !line.starts_with(' ') {
            in_list = line.ends_with("Commands:");
        }
        let word = line.split_whitespace().next().unwrap_or_default();
        if in_list && line.starts_with("  ") && !line.starts_with("   ") && !word.is_empty() {
            below.push(word.to_owned());
        }
        let long = line.split_whitespace().find(|word| word.starts_with("--"));
        if let (false, Some(long)) = (in_list, long.filter(|_| line.trim().starts_with('-'))) {
            options.insert(long.trim_end_matches(',').to_owned());
        }
    }
    options.remove("--help");
    let mut found = vec![(path.join(" "), options)];
    for name in below
        .iter()
        .filter(|name| !["help", "bash", "fish", "powershell", "zsh"].contains(&name.as_str()))
    {
        let path = [path, &[name.as_str()]].concat();
        found.extend(commands(start, &path));
    }
    found
}

/// The commands of the page, in the first column, each with the options beside it.
fn mapped() -> Vec<(String, BTreeSet<String>)> {
    let mut mapped = Vec::new();
    for [theirs, _] in rows() {
        let (options, names): (Vec<_>, Vec<_>) =
            theirs.into_iter().partition(|text| text.starts_with("--"));
        let options: BTreeSet<String> = options.into_iter().collect();
        if names.is_empty() {
            mapped.push(("notary".to_owned(), options.clone()));
        }
        mapped.extend(names.into_iter().map(|name| (name, options.clone())));
    }
    mapped
}

#[test]
fn every_command_and_option_of_docker_trust_and_notary_has_its_row() {
    let scratch = Scratch::new();
    let notary = |path: &[&str]| {
        let mut notary = command(peer("notary/notary"), scratch.path());
        notary.arg("help").args(&path[1..]);
        notary
    };
    let docker = |path: &[&str]| {
        let mut docker = command(peer("docker/docker"), scratch.path());
        docker.args(&path[1..]).arg("--help");
        docker
    };
    let mut theirs = commands(&docker, &["docker", "trust"]);
    theirs.extend(commands(&notary, &["notary"]));
    // Those of every command, which stand in the last row.
    let global = theirs.iter().find(|(name, _)| name == "notary").expect("notary").1.clone();
    let mapped = mapped();
    let mut findings = Vec::new();
    let mut count = 0;
    for (name, options) in &theirs {
        let rows: Vec<_> = mapped.iter().filter(|(known, _)| known == name).collect();
        let is_group = theirs.iter().any(|(other, _)| other.starts_with(&format!("{name} ")));
        if rows.is_empty() && !is_group {
            findings.push(format!("`{name}` has no row"));
        }
        count += usize::from(!is_group);
        let known: BTreeSet<&String> = rows.iter().flat_map(|(_, options)| options).collect();
        let own = options.iter().filter(|option| name == "notary" || !global.contains(*option));
        let untold = ["--debug", "--verbose", "--version"];
        for option in own.filter(|o| !known.contains(o) && !untold.contains(&o.as_str())) {
            findings.push(format!("`{name}`: `{option}` stands in no row"));
        }
    }
    for (name, _) in mapped
        .iter()
        .filter(|(name, _)| name.starts_with("notary ") || name.starts_with("docker trust "))
    {
        if !theirs.iter().any(|(known, _)| known == name) {
            findings.push(format!("there is no `{name}`"));
        }
    }
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    assert!(count > 30, "{count} commands");
}

#[cfg(feature = "online")]
#[test]
fn every_command_and_option_of_ours_in_a_row_is_there() {
    let scratch = Scratch::new();
    let mut findings = Vec::new();
    let mut count = 0;
    for [_, ours] in rows() {
        let Some(line) = ours.first().filter(|line| line.starts_with("courier")) else { continue };
        let mut courier = command(env!("CARGO_BIN_EXE_courier"), scratch.path());
        let help = run(courier.args(line.split(' ').skip(1)).arg("--help")).ok().stdout;
        count += 1;
        for option in &ours[1..] {
            let is_there = help.split_whitespace().any(|word| word.trim_end_matches(',') == option);
            if !option.starts_with("--") || !is_there {
                findings.push(format!("`{line}` has no `{option}`"));
            }
        }
    }
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    assert!(count > 25, "{count} commands");
}
