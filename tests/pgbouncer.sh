#!/bin/sh
# Prints the path of a PgBouncer that supports prepared statements in transaction mode (1.21 or later): the installed one, or
# that of Debian 13, which is downloaded once with its libraries to target/pgbouncer. Nothing is installed.
set -eu
cd "$(dirname "$0")/.."

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
suite=trixie
folder=$PWD/target/pgbouncer
say() { printf '%s\n' "$*" >&2; }

for installed in "${PGBOUNCER:-}" "$(command -v pgbouncer || true)" /usr/sbin/pgbouncer; do
    [ -x "$installed" ] || continue
    version=$("$installed" --version | sed -nE 's/^PgBouncer ([0-9]+)\.([0-9]+).*/\1 \2/p')
    # shellcheck disable=SC2086 # two numbers
    set -- $version
    if [ "${1:-0}" -gt 1 ] || [ "${2:-0}" -ge 21 ]; then
        printf '%s\n' "$installed"
        exit
    fi
done
if [ -x "$folder/pgbouncer" ]; then
    printf '%s\n' "$folder/pgbouncer"
    exit
fi

for tool in curl dpkg-deb xz sha256sum; do
    command -v "$tool" >/dev/null || { say "$tool is missing: install it, or PgBouncer 1.21 or later"; exit 1; }
done
architecture=$(dpkg --print-architecture)
say "downloading PgBouncer of Debian $suite"
rm -rf "$folder" "$folder.new"
mkdir -p "$folder.new/root"
cd "$folder.new"
curl --fail --silent --show-error --location --retry 3 -o Packages.xz "$mirror/dists/$suite/main/binary-$architecture/Packages.xz"
curl --fail --silent --show-error --location --retry 3 -o InRelease "$mirror/dists/$suite/InRelease"
key=/usr/share/keyrings/debian-archive-keyring.gpg
if command -v gpgv >/dev/null && [ -r "$key" ]; then
    # the signature covers the checksums below
    gpgv --quiet --keyring "$key" --output Release InRelease 2>gpgv.log || { cat gpgv.log >&2; exit 1; }
else
    cp InRelease Release
fi
checksum=$(sed -n '/^SHA256:/,$p' Release | awk -v file="main/binary-$architecture/Packages.xz" '$3 == file { print $1; exit }')
printf '%s  Packages.xz\n' "$checksum" | sha256sum --check --quiet -

# file and checksum of PgBouncer's package and of all library packages it depends on
xz -dc Packages.xz | awk -v RS= -v FS='\n' '
    {
        name = file = sum = needs = ""
        for (i = 1; i <= NF; i++) {
            if ($i ~ /^Package: /) name = substr($i, 10)
            else if ($i ~ /^Filename: /) file = substr($i, 11)
            else if ($i ~ /^SHA256: /) sum = substr($i, 9)
            else if ($i ~ /^(Pre-)?Depends: /) { line = $i; sub(/^[^:]*: /, "", line); needs = needs ", " line }
        }
        files[name] = file; sums[name] = sum; depends[name] = needs
    }
    END {
        wanted[1] = "pgbouncer"; count = 1; seen["pgbouncer"] = 1
        for (i = 1; i <= count; i++) {
            n = split(depends[wanted[i]], clauses, /, */)
            for (j = 1; j <= n; j++) {
                other = clauses[j]; sub(/[ |(:].*/, "", other)
                # only libraries are needed to run it
                if (other ~ /^lib/ && other in files && !(other in seen)) { seen[other] = 1; wanted[++count] = other }
            }
            print files[wanted[i]], sums[wanted[i]]
        }
    }' >wanted

while read -r file sum; do
    curl --fail --silent --show-error --location --retry 3 -o package.deb "$mirror/$file"
    printf '%s  package.deb\n' "$sum" | sha256sum --check --quiet -
    dpkg-deb -x package.deb root
done <wanted
rm -f package.deb Packages.xz

# run with its own loader and libraries: the installed ones may be older
cat >pgbouncer <<'SCRIPT'
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root
loader=$(ls "$root"/usr/lib64/ld-linux-*.so.* "$root"/usr/lib/ld-linux-*.so.* "$root"/lib64/ld-linux-*.so.* 2>/dev/null | head -n 1)
libraries=$(find "$root" -name '*.so.*' -exec dirname {} + | sort -u | tr '\n' ':')
exec "$loader" --library-path "$libraries" "$root/usr/sbin/pgbouncer" "$@"
SCRIPT
chmod 755 pgbouncer
chmod -R a+rX .
./pgbouncer --version >&2
mv "$folder.new" "$folder"
printf '%s\n' "$folder/pgbouncer"
