//! `courier inspect` beside `docker trust inspect`.

use serde_json::Value;

use super::{GUN, Team, digest_of};

/// Whether all that docker says stands in what we say.
fn holds(ours: &Value, docker: &Value) -> bool {
    match (ours, docker) {
        (Value::Object(ours), Value::Object(docker)) => {
            docker.iter().all(|(name, value)| ours.get(name).is_some_and(|own| holds(own, value)))
        }
        (Value::Array(ours), Value::Array(docker)) => {
            ours.len() == docker.len() && docker.iter().all(|d| ours.iter().any(|o| holds(o, d)))
        }
        (ours, docker) => ours == docker,
    }
}

#[test]
fn what_docker_says_of_a_repository_is_said_too_and_what_it_leaves_out() {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    for who in ["bob", "eve"] {
        team.docker(who, &format!("trust key generate {who}")).ok();
        team.courier("ada", &format!("signer add {who} {GUN} --key ../{who}/{who}.pub")).ok();
    }
    let digest = digest_of("1.0");
    let add = format!("addhash -p {GUN} 1.0 528 --sha256 {digest}");
    team.notary("bob", &format!("{add} -r targets/releases -r targets/bob")).ok();
    team.notary("eve", &format!("{add} -r targets/eve")).ok();

    for image in [GUN.to_owned(), format!("{GUN}:1.0"), format!("{GUN}:9")] {
        let docker = team.docker("guest", &format!("trust inspect {image}")).ok().stdout;
        let ours = team.courier("guest", &format!("inspect {image}")).ok().stdout;
        let (ours, docker): (Value, Value) =
            (serde_json::from_str(&ours).unwrap(), serde_json::from_str(&docker).unwrap());
        assert!(holds(&ours, &docker), "{ours:#}\n{docker:#}");
    }
    let ours = team.courier("guest", &format!("inspect {GUN}")).ok().stdout;
    let ours: Value = serde_json::from_str(&ours).unwrap();
    let root = &ours[0]["Roles"][0];
    assert_eq!((&root["Name"], &root["Threshold"]), (&Value::from("root"), &Value::from(1)));
    let (id, key) = (&root["Keys"][0]["ID"], &root["Keys"][0]["KeyID"]);
    let listed = team.notary("ada", "key list").ok().stdout;
    assert!(listed.contains(key.as_str().unwrap()), "{listed}");
    assert_ne!(id, key);
    // The lists of notary live for three years, its root for ten.
    let first = &ours[0]["FirstFailure"];
    let role =
        ours[0]["Roles"].as_array().unwrap().iter().find(|role| role["Name"] == first["Role"]);
    let day = role.unwrap()["Expires"].as_str().unwrap().split('T').next().unwrap();
    assert_eq!((&first["Ends"], first["Day"].as_str().unwrap()), (&"list".into(), day), "{first}");

    let docker = team.docker("guest", &format!("trust inspect --pretty {GUN}")).ok().stdout;
    let ours = team.courier("guest", &format!("inspect --pretty {GUN}")).ok().stdout;
    let words = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let (ours, docker) = (words(&ours), words(&docker));
    assert_eq!(ours[..docker.len()], docker[..], "{ours:#?}");
}
