# Draws growth.csv as SVG: for each strategy a line, ns against objects, both axes logarithmic, one panel for each of fill,
# pair and drain; touch (what the memory itself costs) as a dotted line. awk -f plot.awk growth.csv > growth.svg
BEGIN {
    FS = ","
    split("bump cells blocks buddy bitmap malloc touch", names, " ")
    split("#888888 #2f7ed8 #c0392b #8e44ad #27ae60 #e67e22 #000000", colors, " ")
    split("fill pair drain", panels, " ")
    wide = 330; high = 300; left = 50; top = 40; low = 1; most = 10000 # ns
}
FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
{
    at = ++rows[$1]
    objects[$1, at] = $column["objects"]
    for (p = 1; p <= 3; p++) value[$1, panels[p], at] = $column[panels[p] "_ns"]
    if ($1 == "cells") { # any strategy will do: a random read of the same number of objects
        rows["touch"] = at
        objects["touch", at] = $column["objects"]
        for (p = 1; p <= 3; p++) value["touch", panels[p], at] = $column["touch_ns"]
    }
    if ($column["objects"] > greatest) greatest = $column["objects"]
}
function x_of(n) { return left + (log(n) / log(10) - 3) / (log(greatest) / log(10) - 3) * (wide - 70) }
function y_of(ns) { return top + high - (log(ns) - log(low)) / (log(most) - log(low)) * high }
END {
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\">\n", 3 * wide + 90, high + 90
    print "<style>text{font:11px sans-serif} path{fill:none;stroke-width:1.6} .grid{stroke:#ddd;stroke-width:.6}</style>"
    for (p = 1; p <= 3; p++) {
        printf "<g transform=\"translate(%d,0)\">\n", (p - 1) * wide
        printf "<text x=\"%d\" y=\"24\">%s: ns a call, by live objects</text>\n", left, panels[p]
        for (ns = low; ns <= most; ns *= 10)
            printf "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d</text>\n", \
                left, y_of(ns), wide - 20, left - 6, y_of(ns) + 4, ns
        for (n = 1000; n <= greatest; n *= 10)
            printf "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">10%s</text>\n", x_of(n), top + high + 18, \
                substr("^3^4^5^6^7^8", 2 * length(n) - 7, 2)
        for (s = 1; s <= 7; s++) {
            name = names[s]; path = ""
            for (i = 1; i <= rows[name]; i++)
                if (value[name, panels[p], i] > 0)
                    path = path sprintf("%s%.1f %.1f", path == "" ? "M" : "L", x_of(objects[name, i]), y_of(value[name, panels[p], i]))
            if (path != "")
                printf "<path d=\"%s\" stroke=\"%s\"%s><title>%s</title></path>\n", path, colors[s], \
                    name == "touch" ? " stroke-dasharray=\"2 3\"" : "", name
        }
        print "</g>"
    }
    for (s = 1; s <= 7; s++)
        printf "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>\n", 3 * wide + 10, top + 20 * s, colors[s], names[s]
    print "</svg>"
}
