//! Puts the pages of `web/dist` where they are built into the binary, or one page that says how to build them.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dist = Path::new("web/dist");
    // the folder must be there to be watched: a missing one would build everything anew each time
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
