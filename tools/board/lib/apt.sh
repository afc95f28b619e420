# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Debian packages by way of a private apt: its own lists, its own architecture, no installed
# packages. The mirrors are those the machine's own apt uses; nothing of the system changes.

# An hour-old list is as good as a new one when several downloads follow each other.
apt_fresh_minutes=60

host_codename() {
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "${VERSION_CODENAME:-sid}")
}

# "main URI" and, if there is one, "security URI". apt itself reads both forms of source lists.
apt_mirrors() {
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
		'Created-By: Packages' |
		awk -v codename="$(host_codename)" '
		$1 ~ /^cdrom:/ || $3 != "main" || ($4 != "Debian" && $4 !~ /^\$|^$/) { next }
		$2 ~ /(-security|\/updates)$/ && !security { security = $1 }
		$2 == codename || $2 ~ /^(old)*stable$|^testing$|^unstable$|^sid$/ {
			if (!main) main = $1
		}
		END {
			if (main) print "main", main
			if (security) print "security", security
		}'
}

apt_sources() {
	local types=$1 suite=$2 keyring what uri suites
	for keyring in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[ -f "$keyring" ] && break
	done
	[ -f "$keyring" ] || die "no keys of the Debian archive: install debian-archive-keyring"

	apt_mirrors | while read -r what uri; do
		suites="$suite"
		case $suite-$what in
		sid-* | *-backports-main) ;;
		*-backports-security) continue ;;
		*-main) suites="$suite $suite-updates" ;;
		*-security) suites="$suite-security" ;;
		esac
		printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n' \
			"$types" "$uri" "$suites" "$keyring"
	done
}

apt_configuration() {
	local dir=$1 first=$2 second=$3
	cat <<-EOF
	#clear APT::Architectures;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	#clear DPkg::Post-Invoke;
	APT::Architecture "$first";
	APT::Architectures { "$first"; "$second"; };
	APT::Sandbox::User "";
	APT::Update::Error-Mode "any";
	Acquire::GzipIndexes "true";
	Acquire::Languages "none";
	Dir::State "$dir";
	Dir::State::status "$dir/status";
	Dir::Cache "$dir/cache";
	Dir::Cache::pkgcache "pkgcache.bin";
	Dir::Cache::srcpkgcache "srcpkgcache.bin";
	Dir::Etc::sourcelist "$dir/debian.sources";
	Dir::Etc::sourceparts "/dev/null";
	Dir::Etc::preferences "/dev/null";
	Dir::Etc::preferencesparts "/dev/null";
	EOF
}

# apt_setup TYPES SUITE ARCH: $apt_conf is a configuration with lists of that suite. The host's
# architecture comes second, for the tools that run here. Needs the cache's lock.
apt_setup() {
	local types=$1 suite=$2 first=$3 dir
	need apt-get dpkg-deb
	dir=$cache/apt/$types-$suite-$first
	apt_conf=$dir/apt.conf
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	: >"$dir/status"
	apt_configuration "$dir" "$first" "$(dpkg --print-architecture)" >"$apt_conf"
	apt_sources "$types" "$suite" >"$dir/debian.sources.new"
	[ -s "$dir/debian.sources.new" ] ||
		die "found no Debian mirror in this machine's apt configuration"
	if ! cmp -s "$dir/debian.sources.new" "$dir/debian.sources"; then
		mv "$dir/debian.sources.new" "$dir/debian.sources"
		rm -f "$dir/updated"
	fi
	[ -z "$(find "$dir/updated" -mmin "-$apt_fresh_minutes" 2>/dev/null)" ] || return 0

	say "reading the package lists of $suite"
	if apt-get -qq -c "$apt_conf" update >"$dir/log" 2>&1; then
		: >"$dir/updated"
		return
	fi
	cat "$dir/log" >&2
	# A mirror may have old lists of one suite, which apt does not use; others have what is needed.
	apt_lists "$dir" ||
		die "cannot read the package lists of $suite: is this machine offline?"
	say "going on without the lists that could not be verified: packages may be older than they could"
}

# apt_lists DIR: are there lists of packages?
apt_lists() {
	[ -n "$(find "$1/lists" -maxdepth 1 \( -name '*_Packages*' -o -name '*_Sources*' \))" ]
}

# apt_newest GLOB: the newest package of that name, "name version"
apt_newest() {
	local names
	# The glob becomes an anchored pattern: only dot, plus and star are special in these names.
	names=$(printf '%s' "$1" | sed 's/[.+]/\\&/g; s/\*/[^-]*/g')
	apt-cache -c "$apt_conf" search --names-only "^$names\$" | cut -d' ' -f1 | sort -V | tail -n1
}

# apt_field PACKAGE FIELD: of the version that would be installed
apt_field() {
	apt-cache -c "$apt_conf" show --no-all-versions "$1" | sed -n "s/^$2: //p"
}

# apt_unpack ROOT PACKAGE...: downloads packages and unpacks them below ROOT
apt_unpack() {
	local root=$1 debs deb
	shift
	debs=$(cache_tmp)
	say "fetching $*"
	if ! (cd "$debs" && apt-get -qq -c "$apt_conf" download "$@" >log 2>&1); then
		cat "$debs/log" >&2
		die "cannot download $*"
	fi
	mkdir -p "$root"
	for deb in "$debs"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink
	done
	rm -rf "$debs"
}
