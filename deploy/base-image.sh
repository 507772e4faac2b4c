#!/bin/sh
# Makes sure that a Debian 12 base image is there and prints its name: the registry's if one can be reached, else one made
# with debootstrap from the package source this machine uses itself.
set -eu

name=sluice-base:bookworm
if docker image inspect "$name" >/dev/null 2>&1; then
    echo "$name"
    exit 0
fi
if timeout 60 docker pull -q debian:bookworm-slim >/dev/null 2>&1; then
    docker tag debian:bookworm-slim "$name"
    echo "$name"
    exit 0
fi

command -v debootstrap >/dev/null || {
    apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends debootstrap >&2
}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
debootstrap --variant=minbase bookworm "$root" "$mirror" >&2
# The image finds its packages where this machine does.
rm -f "$root/etc/apt/sources.list"
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] && cp "$file" "$root$file"
done
for file in /etc/apt/apt.conf.d/*; do
    grep -q '^Acquire' "$file" && cp "$file" "$root$file"
done
# As Debian's own slim image: no documentation, no service is started by its installation, and no
# flush to disk after each file of a layer that is thrown away if it is not complete.
printf 'path-exclude /usr/share/%s/*\n' doc man info locale >"$root/etc/dpkg/dpkg.cfg.d/slim"
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/* \
    "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
tar -C "$root" -c . | docker import - "$name" >&2
echo "$name"
