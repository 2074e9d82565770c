# amalgamate.awk: makes one self-contained C file of an entry file and those of our files that it includes.
#
#     awk -v roots=SRC:INCLUDE [-v skip=x.h:y.h] [-v keep=z.h=own/z.h] -f amalgamate.awk ENTRY.c > OUT.c
#
# What it does:
#   - #include "x" is replaced by the text of x, once, if x is found under one of the roots, or is "parts/..." beside the entry
#     file; otherwise it stays (the interface's own header, which lies beside the file). #include <x> stays where it stands.
#     Files under `skip` are left out (the entry file says what it needs of them); one under `keep` is delivered beside the
#     file, under the name behind the "=", and is included from there.
#   - An include guard goes: a file comes in only once.
#   - A file taken in comes between two lines that name it, with its comments.
#   - Names taken in become static, so that the file adds to a program only what its entry file defines. This leans on how
#     our sources are written: what begins in the first column is a definition or a declaration, and everything inside a
#     body is indented.
# Everything that the parts offer comes in, also what this file has no use for; the entry file tells the compiler so.

function complain(what) {
    printf "amalgamate.awk: %s\n", what >"/dev/stderr"
    failed = 1
    exit 1
}

# The path of an include, "" if it is not one of ours.
function found(name,    i, path, line, answer) {
    for (i = 0; i <= root_count; i++) {
        if (i == 0 && name !~ /^parts\//)
            continue
        path = (i == 0 ? folder : root[i]) "/" name
        answer = (getline line <path)
        close(path)
        if (answer >= 0)
            return path
    }
    return ""
}

# A line of ours in the first column that gives a name to the linker: made static.
function made_static(line) {
    if (line !~ /^[A-Za-z_]/ || line ~ /^(static|INLINE|typedef|_Static_assert|static_assert|case|default)([^A-Za-z0-9_]|$)/)
        return line
    if (line ~ /^(struct|union|enum)( [A-Za-z0-9_]+)?( CACHE_ALIGNED)? *(\{|;)/) # a type
        return line
    if (line ~ /^[A-Za-z0-9_]+:/) # a label
        return line
    sub(/^extern /, "", line)
    sub(/^(EXPORT|REGION_API) /, "", line)
    return "static " line
}

# Reads a whole file into text[depth, 1..n]; returns n.
function slurp(path, depth,    n, line) {
    n = 0
    while ((getline line <path) > 0)
        text[depth, ++n] = line
    close(path)
    if (n == 0)
        complain("cannot read " path)
    return n
}

# Marks the three lines of an include guard with a "drop".
function guard(depth, n,    i, name, first) {
    first = 0
    for (i = 1; i <= n && !first; i++)
        if (text[depth, i] ~ /^#/)
            first = i
    if (!first || text[depth, first] !~ /^#ifndef [A-Z0-9_]+_H$/)
        return
    name = substr(text[depth, first], 9)
    if (text[depth, first + 1] != "#define " name)
        return
    for (i = n; i > first && text[depth, i] !~ /^#endif/; i--)
        ;
    text[depth, first] = text[depth, first + 1] = text[depth, i] = DROP
}

function include(path, depth,    n, i, line, name, inner, ours) {
    ours = depth > 0
    n = slurp(path, depth)
    if (ours)
        guard(depth, n)
    for (i = 1; i <= n; i++) {
        line = text[depth, i]
        if (line == DROP)
            continue
        if (line ~ /^#include "/) {
            name = line
            sub(/^#include "/, "", name)
            sub(/".*/, "", name)
            if (name in taken)
                continue
            if (name in kept) {
                taken[name] = 1
                if (!(kept[name] in own))
                    printf "#include \"%s\"\n", kept[name]
                own[kept[name]] = 1
                continue
            }
            inner = found(name)
            if (inner != "") {
                taken[name] = 1
                printf "\n/* ======== %s ======== */\n", name
                include(inner, depth + 1)
                printf "/* ======== end of %s ======== */\n\n", name
                continue
            }
            own[name] = 1
            if (ours)
                complain(path ": \"" name "\" is nowhere under " roots)
        }
        print ours ? made_static(line) : line
    }
}

BEGIN {
    DROP = "\001"
    root_count = split(roots, root, ":")
    for (i = split(skip, names, ":"); i > 0; i--)
        taken[names[i]] = 1
    for (i = split(keep, names, ":"); i > 0; i--) {
        split(names[i], pair, "=")
        kept[pair[1]] = pair[2]
    }
    if (ARGC != 2)
        complain("one entry file is wanted")
    folder = ARGV[1]
    sub(/\/[^\/]*$/, "", folder)
    include(ARGV[1], 0)
    exit failed
}
