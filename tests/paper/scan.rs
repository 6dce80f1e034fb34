//! What is read from pictures and from typed lines, and what is not.

use std::fs;
use std::path::{Path, PathBuf};

use officiant::{
    key::Algorithm,
    paper::png,
    seal::seal_to_passphrase,
    secret::{Passphrase, Secret, SecretBytes},
    share::{Set, SetId, ShareIndex, Threshold, paper::PaperShare, split},
};

use crate::harness::{
    command::{Ran, command, run},
    photo::{Camera, Photo},
    scratch::Scratch,
};

/// A share of a set of 2 of 3, sealed.
fn share(set: u8, index: u8) -> PaperShare {
    let secret = Secret::fill(|bytes| bytes.fill(0x42));
    let threshold = Threshold::new(2, 3).unwrap();
    let id = SetId::from_bytes([set; 16]);
    let made = split(&secret, Algorithm::Ed25519, threshold, id).unwrap();
    let passphrase = Passphrase::draw(|bytes| {
        bytes.fill(set);
        Ok::<(), ()>(())
    });
    let bytes = SecretBytes::copy_of(made.shares[usize::from(index) - 1].expose());
    let sealed = seal_to_passphrase(&bytes, &passphrase.unwrap()).unwrap();
    let set: Set = made.set;
    PaperShare::of(&set, ShareIndex::new(index).unwrap(), &sealed)
}

fn scan(scratch: &Scratch, files: &[PathBuf]) -> Ran {
    let mut scan = command(Path::new(env!("CARGO_BIN_EXE_officiant")), scratch.path());
    run(scan.args(["share", "scan"]).args(files))
}

/// The codes that zbar finds, sorted.
fn zbar(scratch: &Scratch, file: &Path) -> Vec<String> {
    let mut zbar = command("zbarimg", scratch.path());
    let ran = run(zbar.args(["-q", "--raw", "-Sdisable", "-Sqrcode.enable"]).arg(file));
    let mut found: Vec<String> = ran.stdout.lines().map(str::to_owned).collect();
    found.sort();
    found
}

fn typed(share: &PaperShare) -> String {
    let lines = share.lines().unwrap();
    lines.iter().map(|l| format!("{:>2}  {}  {}\n", l.number, l.groups, l.word)).collect()
}

#[test]
fn a_print_is_read_from_photographs_by_zbar_and_by_our_own_reader() {
    let scratch = Scratch::new();
    let share = share(7, 2);
    let codes = share.codes().unwrap();
    let print = png(&codes).unwrap();
    let told = scan(&scratch, &[scratch.file("print.png", &print)]).ok().stdout;
    let digest = share.digest().grouped();
    assert!(told.starts_with("share 2 of 3, of which 2 rebuild the key\n"), "{told}");
    assert!(told.contains(&format!("sealed share  {digest}\n")), "{told}");
    let print = Photo::of(&print);
    let held = |turned, aside, scale, blur| Camera { turned, aside, scale, blur, noise: 9.0 };
    let cameras = [
        held(0.0, 0.0, 1.0, 1),
        held(3.0, 0.03, 0.9, 1),
        held(-4.0, 0.04, 0.8, 1),
        held(7.0, 0.02, 0.9, 1),
        held(-2.0, -0.04, 0.7, 1),
        held(180.0, 0.02, 1.0, 1),
    ];
    for (seed, camera) in (1..).zip(cameras) {
        let photo = print.taken(camera, seed).png();
        let file = scratch.file(&format!("photo-{seed}.png"), photo);
        assert_eq!(zbar(&scratch, &file), codes, "photograph {seed}");
        assert_eq!(scan(&scratch, &[file]).ok().stdout, told, "photograph {seed}");
    }
}

#[test]
fn pictures_of_cameras_are_read_and_a_damaged_one_is_refused() {
    let scratch = Scratch::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/format/paper");
    let codes = fs::read_to_string(folder.join("codes.txt")).unwrap();
    let told = scan(&scratch, &[folder.join("codes.txt")]).ok().stdout;
    assert!(told.starts_with("share 1 of 3"), "{told}");
    for name in ["photo.jpg", "progressive.jpg"] {
        let photo = folder.join(name);
        assert_eq!(scan(&scratch, std::slice::from_ref(&photo)).ok().stdout, told, "{name}");
        assert_eq!(zbar(&scratch, &photo).join("\n") + "\n", codes, "{name}");
    }
    let bytes = fs::read(folder.join("photo.jpg")).unwrap();
    let cut = scratch.file("cut.jpg", &bytes[..bytes.len() / 3]);
    assert_eq!(scan(&scratch, &[cut]).code(), 1);
}

#[test]
fn what_zbar_read_and_what_people_typed_is_read_as_well() {
    let scratch = Scratch::new();
    let share = share(7, 2);
    let print = scratch.file("print.png", png(&share.codes().unwrap()).unwrap());
    let told = scan(&scratch, std::slice::from_ref(&print)).ok().stdout;
    let found = scratch.file("codes.txt", zbar(&scratch, &print).join("\n"));
    assert_eq!(scan(&scratch, &[found]).ok().stdout, told);
    let lines = scratch.file("typed.txt", typed(&share));
    assert_eq!(scan(&scratch, &[lines]).ok().stdout, told);
    // One code on each picture.
    let each = share.codes().unwrap().into_iter().enumerate();
    let each = each.map(|(i, code)| scratch.file(&format!("{i}.png"), png(&[code]).unwrap()));
    assert_eq!(scan(&scratch, &each.collect::<Vec<_>>()).ok().stdout, told);
}

#[test]
fn what_is_no_whole_share_is_refused_in_three_lines() {
    let scratch = Scratch::new();
    let (share, other) = (share(7, 2), share(8, 2));
    let (codes, others) = (share.codes().unwrap(), other.codes().unwrap());
    let print = png(&codes).unwrap();
    let cut = scratch.file("cut.png", Photo::of(&print).left(0.6).png());
    let mixed = [codes[0].clone(), others[1].clone(), codes[2].clone()];
    let mixed = scratch.file("mixed.png", png(&mixed).unwrap());
    let blank = scratch.file("blank.png", png(&["hello"]).unwrap());
    let damaged = scratch.file("damaged.png", &print[..print.len() / 2]);
    let binary = scratch.file("binary", [0xff_u8; 64]);
    let lines = typed(&share);
    let fewer: Vec<&str> =
        lines.lines().enumerate().filter(|(i, _)| *i != 4).map(|l| l.1).collect();
    let fewer = scratch.file("fewer.txt", fewer.join("\n"));
    let (letter, rest) = (&lines[4..5], &lines[5..]);
    let slip = format!("{}{}{rest}", &lines[..4], if letter == "A" { "B" } else { "A" });
    let slip = scratch.file("slip.txt", slip);
    let again =
        "take a sharper picture, straight from above, with all codes on it; or type the lines";
    let letter = "compare that line with the paper, letter by letter";
    let given = "give a PNG or JPEG of the paper, or the text file of its typed lines";
    let marks = [&codes[0], &others[1]].map(|code| code.split('/').nth(3).unwrap().to_owned());
    let mixed_words = format!("codes of two papers are mixed: `{}` and `{}`", marks[0], marks[1]);
    let mixed_words = [mixed_words.clone(), {
        let [first, second] = marks;
        format!("codes of two papers are mixed: `{second}` and `{first}`")
    }];
    let one_at_a_time = "scan one paper at a time";
    for (file, what, hint) in [
        (
            cut,
            &["code 2 of 3 is missing".to_owned(), "code 3 of 3 is missing".to_owned()][..],
            again,
        ),
        (mixed, &mixed_words[..], one_at_a_time),
        (blank, &["there is no share on it".to_owned()][..], again),
        (damaged, &["the picture is damaged".to_owned()][..], given),
        (fewer, &["line 5 is missing".to_owned()][..], letter),
        (slip, &["line 1 does not agree with its check word".to_owned()][..], letter),
    ] {
        let ran = scan(&scratch, std::slice::from_ref(&file));
        let expected = what.iter().map(|what| {
            format!(
                "error: {what} [SHARE-PAPER]\nhint: {hint}\n\
                 nothing was written; what is there was only read\n"
            )
        });
        assert!(expected.clone().any(|e| e == ran.stderr), "{}\n{}", file.display(), ran.stderr);
        assert_eq!((ran.code(), ran.stdout.as_str()), (1, ""));
    }
    let ran = scan(&scratch, std::slice::from_ref(&binary));
    let what =
        format!("error: `{}` is neither a picture nor the text of a paper", binary.display());
    assert!(ran.stderr.starts_with(&what) && ran.code() == 1, "{}", ran.stderr);
}

#[test]
fn a_picture_that_is_made_to_be_too_much_is_refused_and_takes_nothing_with_it() {
    let scratch = Scratch::new();
    // 16000 by 2000 dots of white, which a few bytes pack: within the limits, read, and empty.
    let mut file = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut file, 16_000, 2_000);
    encoder.set_color(::png::ColorType::Grayscale);
    encoder.set_depth(::png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![255; 32_000_000]).unwrap();
    writer.finish().unwrap();
    assert!(file.len() < 1 << 20);
    let ran = scan(&scratch, &[scratch.file("white.png", &file)]);
    assert!(
        ran.stderr.starts_with("error: there is no share on it [SHARE-PAPER]\n"),
        "{}",
        ran.stderr
    );
    // One row more, by its header, and its checksum mended.
    file[16..24].copy_from_slice(&[0, 0, 0x3e, 0x80, 0, 0, 0x3e, 0x80]);
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    let sum = file[12..29].iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step));
    file[29..33].copy_from_slice(&(!sum).to_be_bytes());
    let ran = scan(&scratch, &[scratch.file("huge.png", &file)]);
    let large = "error: the picture is larger than 32 million pixels or 16 MiB [SHARE-PAPER]\n";
    assert!(ran.stderr.starts_with(large), "{}", ran.stderr);
    let long = fs::File::create(scratch.path().join("long.png")).unwrap();
    long.set_len(17 << 20).unwrap();
    let ran = scan(&scratch, &[scratch.path().join("long.png")]);
    assert_ne!(ran.code(), 0);
}
