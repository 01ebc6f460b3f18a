//! Copies the pages of `web/dist` to where they are embedded into the binary; if they are not built, a page that says how to
//! build them takes their place.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dist = Path::new("web/dist");
    // cargo reruns this script on every build if a watched folder does not exist
    fs::create_dir_all(dist)?;
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-changed=web/not-built.html");
    let pages = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("web");
    if pages.exists() {
        fs::remove_dir_all(&pages)?;
    }
    if dist.join("graphiql.html").exists() {
        copy(dist, &pages)
    } else {
        fs::create_dir_all(&pages)?;
        fs::copy("web/not-built.html", pages.join("not-built.html")).map(drop)
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
