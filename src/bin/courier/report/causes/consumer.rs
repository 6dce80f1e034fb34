//! Errors of what a consumer does with an image, and of the registry that it is in.
//!
//! Annex; pure.

use officiant::refusal::{Exit, Refusal};

use super::{of_media, of_net, trust::of_trust};
use crate::{digest, image, pull, registry, run};

/// Why an image has no digest.
pub(in super::super) fn of_digest(error: &digest::Error) -> Refusal {
    match error {
        digest::Error::Image(error) => of_image(error),
        digest::Error::Registry(error) => of_registry(error),
    }
}

/// What is no name of an image.
pub(super) fn of_image(error: &image::Error) -> Refusal {
    use image::Error as E;
    let new = Refusal::new(Exit::Usage, error.to_string());
    match error {
        E::Digest { .. } => new.hint("name it as `NAME@sha256:DIGEST`"),
        E::Identifier { .. } => new.hint("name it as `NAME:TAG`"),
        E::Name(_) => new.hint("name it as the server or the plan does"),
        E::Reference { because, .. } => {
            new.because(because).hint("name it as `REGISTRY/REPOSITORY:TAG`")
        }
    }
}

/// Why a registry or a layout gave nothing that can be signed.
pub(super) fn of_registry(error: &registry::Error) -> Refusal {
    use registry::Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    match error {
        E::Document { because, .. } => {
            new(Exit::Refused).because(because).hint("push it again, with a client of this decade")
        }
        E::Layout { .. } => {
            new(Exit::Usage).hint("name the folder that `index.json` and `blobs` lie in")
        }
        E::Media(media) => of_media(media, ""),
        E::Missing { .. } => new(Exit::Device).hint("push it first, or correct its name or tag"),
        E::Net(net) => of_net(net),
        E::Other { .. } => new(Exit::Refused)
            .hint("somebody changed it, or it was not copied whole: find out which"),
        E::Tag { .. } => new(Exit::Usage).hint("`index.json` of the layout says which tags it has"),
    }
}

/// Why something was not pulled.
pub(in super::super) fn of_pull(error: &pull::Error) -> Refusal {
    use pull::Error as E;
    let new = |exit| Refusal::new(exit, error.to_string());
    match error {
        E::Destination { .. } => {
            new(Exit::Usage).hint("leave `--to` away, or take `--with skopeo`")
        }
        E::NoDestination => new(Exit::Usage).hint("say where to, as in `--to oci:FOLDER:TAG`"),
        E::NoTool => new(Exit::Usage).hint("install one of them, or correct PATH"),
        E::OneDestination { .. } => new(Exit::Usage).hint("pull them one after the other"),
        E::Tool(failed) => new(Exit::Device)
            .because(&failed.because)
            .hint(format!("the image is signed: see what `{}` lacks", failed.name)),
        E::Trust(error) => of_trust(error),
    }
}

/// Why nothing was run.
pub(in super::super) fn of_run(error: &run::Error) -> Refusal {
    use run::{EngineError, Error as E};
    let new = |exit| Refusal::new(exit, error.to_string());
    match error {
        E::Elsewhere { .. } => new(Exit::Refused).hint("put `{}` where the image stands"),
        E::Engine(EngineError::Help { .. }) => {
            new(Exit::Device).hint("see that it is docker or podman, and that it runs")
        }
        E::Engine(EngineError::NoImage { .. }) => new(Exit::Usage).hint("name one"),
        E::Engine(EngineError::Option { option, .. }) => new(Exit::Refused).hint(format!(
            "write `{option}=VALUE`, or `{option}=true` where it takes none: then nothing is to be guessed"
        )),
        E::Engine(EngineError::OtherImage { .. }) => {
            new(Exit::Refused).hint("`courier verify` gives the digest of an image that is signed")
        }
        E::NoImage { .. } => new(Exit::Refused).hint(
            "name the image by `--image IMAGE:TAG`, and write `{}` where the command has it; `courier pull` pulls",
        ),
        E::NoMark => new(Exit::Refused).hint("write `{}` where the command has its image"),
        E::NotStarted { because, .. } => {
            new(Exit::Usage).because(because).hint("see that it is in PATH")
        }
        E::Trust(error) => of_trust(error),
    }
}
