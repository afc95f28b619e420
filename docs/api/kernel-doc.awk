# SPDX-License-Identifier: MIT
#
# Doxygen's input filter: kernel-doc comments, which the headers have, as Doxygen wants them. What a
# comment of a structure says of "@member:" goes behind that member.

# Text in which other parameters are mentioned
function words(s,    done) {
	while (match(s, /@[a-zA-Z_]/)) {
		done = done substr(s, 1, RSTART - 1) "@p "
		s = substr(s, RSTART + 1)
	}
	return done s
}

function comment_line(s) {
	sub(/[ \t]*\*\/[ \t]*$/, "", s)
	sub(/^[ \t]*(\/\*\*|\*)?[ \t]?/, "", s)
	return s
}

function begin_comment() {
	delete doc
	type = name = ""
	first = 1
	print "/**"
}

# The first sentence names what is documented.
function title(s) {
	if (match(s, /^(struct|enum) [a-z_0-9]+ - /)) {
		type = substr(s, 1, index(s, " ") - 1)
		s = "@brief " toupper(substr(s, RLENGTH + 1, 1)) substr(s, RLENGTH + 2) "\n *"
	} else if (s ~ /^DOC: /) {
		s = "@file\n * @par " substr(s, 6)
	} else {
		sub(/^[A-Z_0-9]+ - /, "", s)
		sub(/^@[A-Z_0-9]+: /, "", s)
	}
	return s
}

# A parameter or member, or several in one, ends at the next one or at an empty line.
function parameter(s,    list, i, n) {
	match(s, /^[^:]*:/)
	name = substr(s, 1, RLENGTH - 1)
	s = substr(s, RLENGTH + 1)
	gsub(/[@ ]/, "", name)
	if (type == "") {
		print " * @param " name words(s)
		name = ""
		return
	}
	n = split(name, list, ",")
	for (i = 1; i <= n; i++)
		doc[list[i]] = words(s)
}

function continued(s,    list, i, n) {
	n = split(name, list, ",")
	for (i = 1; i <= n; i++)
		doc[list[i]] = doc[list[i]] " " words(s)
}

function comment(s) {
	s = comment_line(s)
	if (s == "") {
		name = ""
		print " *"
	}
	if (first && s != "") {
		s = title(s)
		first = 0
	}
	if (s ~ /^@[a-z][a-zA-Z_0-9]*(, @[a-zA-Z_0-9]+)*:/)
		parameter(s)
	else if (name != "")
		continued(s)
	else if (s != "" && s != "/")
		print " * " (s ~ /^@(brief|file)/ ? s : words(s))
}

# "type a, b[2];" with what was said of a and of b
function members(s,    i, n, base, part, id) {
	sub(/^[ \t]*/, "", s)
	sub(/;[ \t]*$/, "", s)
	if (match(s, /\(\*[a-z_]+\)/)) {
		print "\t" s ";" said(substr(s, RSTART + 2, RLENGTH - 3))
		return
	}
	n = split(s, part, /,[ \t]*/)
	base = part[1]
	sub(/[*a-zA-Z_0-9]+(\[[^]]*\])*$/, "", base)
	for (i = 1; i <= n; i++) {
		id = part[i]
		sub(/(\[[^]]*\])+$/, "", id)
		sub(/^.*[^a-zA-Z_0-9]/, "", id)
		print "\t" (i > 1 ? base : "") part[i] ";" said(id)
	}
}

function said(id) {
	return id in doc ? " /**<" doc[id] " */" : ""
}

/^[ \t]*\/\*\*/ {
	in_comment = 1
	# Within a structure the comment is a member's own.
	if (in_body) {
		s = $0
		sub(/@[a-zA-Z_0-9]+: /, "", s)
		print s
		in_member = s !~ /\*\//
		in_comment = 0
		next
	}
	begin_comment()
}

in_member {
	s = $0
	sub(/@[a-zA-Z_0-9]+: /, "", s)
	print s
	in_member = s !~ /\*\//
	next
}

in_comment {
	comment($0)
	if (/\*\//) {
		print " */"
		in_comment = 0
	}
	next
}

/^(struct|enum) [a-z_0-9]+ \{$/ { in_body = type != "" }
/^\};/ { in_body = 0; delete doc; type = "" }

in_body && type == "struct" && /^\t[a-z_A-Z].*;/ {
	sub(/;[ \t]*\/\*.*$/, ";")
	members($0)
	next
}
in_body && type == "enum" && match($0, /^\t[A-Z_0-9]+/) {
	id = substr($0, 2, RLENGTH - 1)
	print $0 said(id)
	next
}

# What these are is said at the structures.
/^#define DRM_IOCTL_NPU_/ { print "/** Request for ioctl(), with the structure of that name. */" }
/^#define DRM_NPU_[A-Z_]+ 0x/ { print "/** Number of that request, from DRM_COMMAND_BASE on. */" }

{ print }
