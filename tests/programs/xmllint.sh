# xmllint: a large document read, formatted, searched, validated, as a tree and as a stream.
# PACKAGES: libxml2-utils
. "$LOAM_ROOT/tests/runner/programs.sh"
need libxml2-utils xmllint
awk 'BEGIN {
    print "<?xml version=\"1.0\"?>\n<!DOCTYPE list [<!ELEMENT list (item*)><!ELEMENT item (name,note*)><!ATTLIST item id ID #REQUIRED k CDATA #IMPLIED><!ELEMENT name (#PCDATA)><!ELEMENT note (#PCDATA)>]>\n<list>"
    for (i = 0; i < 60000; i++) {
        printf "<item id=\"i%d\" k=\"%d\"><name>name %d &amp; more</name>", i, i * 7919 % 1009, i
        for (k = 0; k < i % 4; k++) printf "<note>%s%d</note>", substr("a long note with some text in it, cut somewhere", 1, i % 40 + 5), k
        print "</item>"
    }
    print "</list>"
}' >"$input/large.xml"
good format xmllint --format "$input/large.xml" --output out.xml
good xpath xmllint --xpath 'count(//note[contains(., "text")]) + sum(//item/@k[. > 500])' "$input/large.xml"
good valid xmllint --valid --debug "$input/large.xml"
good stream xmllint --stream --debug "$input/large.xml"
good canonical xmllint --c14n "$input/large.xml"
{ head -c 1000000 "$input/large.xml"; echo '<broken'; } >"$input/broken.xml"
same broken xmllint --recover "$input/broken.xml" --output out.xml
