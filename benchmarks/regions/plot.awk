# Draws growth.csv and, below it, steps.csv as SVG: for each strategy a line, ns and instructions a call against objects, a panel
# for each of fill, pair and drain. The axis of objects is logarithmic, that of ns too; instructions are drawn to a plain scale,
# on which O(log n) is a straight line and O(1) a level one. What the memory itself costs (touch) is dotted.
#     awk -f plot.awk growth.csv [steps.csv] > growth.svg
BEGIN {
    FS = ","
    split("bump cells blocks buddy bitmap malloc touch", names, " ")
    split("#888888 #2f7ed8 #c0392b #8e44ad #27ae60 #e67e22 #000000", colors, " ")
    split("fill pair drain", panels, " ")
    split("_ns _instructions", units, " ")
    split("ns instructions", words, " ")
    wide = 330; high = 300; left = 50; top = 40
    low = 1; most = 10000; steps = 1500 # ns; instructions
}
FNR == 1 { split("", column); for (i = 1; i <= NF; i++) column[$i] = i; unit = ("fill_ns" in column) ? 1 : 2; next }
{
    at = ++rows[unit, $1]
    objects[unit, $1, at] = $column["objects"]
    for (p = 1; p <= 3; p++)
        value[unit, $1, panels[p], at] = $column[panels[p] units[unit]]
    if (unit == 1 && $1 == "cells") { # any strategy will do: a random read of the same number of objects
        rows[1, "touch"] = at
        objects[1, "touch", at] = $column["objects"]
        for (p = 1; p <= 3; p++)
            value[1, "touch", panels[p], at] = $column["touch_ns"]
    }
    if ($column["objects"] > greatest) greatest = $column["objects"]
    drawn[unit] = 1
}
function x_of(n) { return left + (log(n) / log(10) - 3) / (log(greatest) / log(10) - 3) * (wide - 70) }
function y_of(u, v) { return top + high - (u == 1 ? (log(v) - log(low)) / (log(most) - log(low)) : v / steps) * high }
function grid(u, v) {
    printf "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d</text>\n", \
        left, y_of(u, v), wide - 20, left - 6, y_of(u, v) + 4, v
}
function panel(u, p,    v, n, s, i, name, path) {
    printf "<g transform=\"translate(%d,%d)\" data-panel=\"%s%s\">\n", (p - 1) * wide, (u - 1) * (high + 80), panels[p], units[u]
    printf "<text x=\"%d\" y=\"24\">%s: %s a call, by live objects</text>\n", left, panels[p], words[u]
    if (u == 1)
        for (v = low; v <= most; v *= 10) grid(u, v)
    else
        for (v = 0; v <= steps; v += 250) grid(u, v)
    for (n = 1000; n <= greatest; n *= 10)
        printf "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">10%s</text>\n", x_of(n), top + high + 18, \
            substr("^3^4^5^6^7^8", 2 * length(n) - 7, 2)
    for (s = 1; s <= 7; s++) {
        name = names[s]; path = ""
        for (i = 1; i <= rows[u, name]; i++)
            if (value[u, name, panels[p], i] > 0)
                path = path sprintf("%s%.1f %.1f", path == "" ? "M" : "L", x_of(objects[u, name, i]), y_of(u, value[u, name, panels[p], i]))
        if (path != "")
            printf "<path d=\"%s\" stroke=\"%s\"%s><title>%s</title></path>\n", path, colors[s], \
                name == "touch" ? " stroke-dasharray=\"2 3\"" : "", name
    }
    print "</g>"
}
END {
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\">\n", 3 * wide + 90, (drawn[2] ? 2 : 1) * (high + 80) + 10
    print "<style>text{font:11px sans-serif} path{fill:none;stroke-width:1.6} .grid{stroke:#ddd;stroke-width:.6}</style>"
    for (u = 1; u <= 2; u++)
        for (p = 1; p <= 3 && drawn[u]; p++)
            panel(u, p)
    for (s = 1; s <= 7; s++)
        printf "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>\n", 3 * wide + 10, top + 20 * s, colors[s], names[s]
    print "</svg>"
}
