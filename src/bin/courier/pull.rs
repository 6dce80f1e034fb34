//! `courier pull`: verifies what a tag means, and has it pulled by its digest.
//!
//! Annex: starts docker, podman or skopeo.

use reqwest::Url;
use serde_json::json;

use super::args::consume::{self as args, Tool};
use super::environment::Environment;
use super::image::Image;
use super::net;
use super::report::Output;
use super::tool::{self, Failed, command, is_there};
use super::trust::{self, Places, verify};

/// Verifies every image, and then pulls each: where one is not signed, none is pulled.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run(args: &args::Pull) -> Result<Output, Failure> {
    let begin = |error| Failure { error, pulled: Vec::new() };
    let (tool, to) = chosen(args).map_err(begin)?;
    let environment = Environment::read();
    let mut places = Places::new(&args.trust, &environment).map_err(|e| begin(e.into()))?;
    let mut verified = Vec::new();
    for text in &args.images {
        let image = verify::image(text, &mut places).await;
        let image = image.map_err(|error| begin(error.into()))?;
        verified.push((image.reference(), image.image));
    }
    let mut pulled = Vec::new();
    for (reference, image) in verified {
        match pull(tool, to, &reference, &image) {
            Ok(()) => pulled.push(reference),
            Err(failed) => return Err(Failure { error: failed.into(), pulled }),
        }
    }
    Ok(output(&pulled, tool))
}

/// What is pulled with, and where skopeo puts it.
fn chosen(args: &args::Pull) -> Result<(Tool, &str), Error> {
    let found =
        || [Tool::Docker, Tool::Podman, Tool::Skopeo].into_iter().find(|t| is_there(t.name()));
    let tool = match (args.with, &args.to) {
        (Some(tool), _) => tool,
        (None, Some(_)) => Tool::Skopeo,
        (None, None) => found().ok_or(Error::NoTool)?,
    };
    match (tool, &args.to, &args.images[..]) {
        (Tool::Skopeo, Some(to), [_]) => Ok((tool, to)),
        (Tool::Skopeo, None, _) => Err(Error::NoDestination),
        (Tool::Skopeo, Some(_), images) => Err(Error::OneDestination { images: images.len() }),
        (_, Some(_), _) => Err(Error::Destination { tool: tool.name() }),
        (_, None, _) => Ok((tool, "")),
    }
}

/// Pulls by digest, and names what was pulled by its tag, as docker does after a trusted pull.
fn pull(tool: Tool, to: &str, reference: &str, image: &Image) -> Result<(), Failed> {
    let name = tool.name();
    let tag = image.tag_or_latest();
    let tagged = format!("{}:{tag}", image.gun());
    // Docker takes a registry on its own machine without TLS; the others want to be told.
    let is_here =
        Url::parse(&format!("https://{}", image.registry())).is_ok_and(|url| net::is_here(&url));
    let plain = |option: &'static str| is_here.then_some(option);
    if tool == Tool::Skopeo {
        let from = format!("docker://{reference}");
        // Where a whole index can lie, all of it goes: what is signed is the index, not one machine's part of it.
        let holds_all = ["dir:", "docker://", "oci:"].iter().any(|kind| to.starts_with(kind));
        let copy = ["copy"].into_iter().chain(holds_all.then_some("--all"));
        let copy = copy.chain(plain("--src-tls-verify=false"));
        return tool::run(command(name).args(copy).args([&from, to]));
    }
    let plain = plain("--tls-verify=false").filter(|_| tool == Tool::Podman);
    tool::run(command(name).arg("pull").args(plain).arg(reference))?;
    tool::run(command(name).args(["tag", reference, &tagged]))
}

fn output(pulled: &[String], tool: Tool) -> Output {
    Output {
        text: pulled.iter().map(|reference| format!("{reference}\n")).collect(),
        json: json!({ "pulled": pulled, "with": tool.name() }),
    }
}

/// Why something was not pulled, and what was.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) pulled: Vec<String>,
}

/// Why something was not pulled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Only skopeo copies elsewhere.
    #[error("`--to` is for skopeo: {tool} pulls into its own store")]
    Destination {
        /// The program.
        tool: &'static str,
    },
    /// Skopeo has no store of its own.
    #[error("skopeo has no store of its own")]
    NoDestination,
    /// Nothing can pull.
    #[error("neither docker nor podman nor skopeo is in PATH")]
    NoTool,
    /// Several images for one destination.
    #[error("{images} images cannot go to one destination")]
    OneDestination {
        /// How many.
        images: usize,
    },
    /// The program failed.
    #[error(transparent)]
    Tool(#[from] Failed),
    /// An image is not signed.
    #[error(transparent)]
    Trust(#[from] trust::Error),
}
